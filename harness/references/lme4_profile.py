"""R's lme4: profile intervals of its parameters (reference_r/lme4_profile.R)."""

from collections.abc import Iterator

from harness.cases import Case
from harness.lmm.inference.quantities import interval_quantities
from harness.quantities import Quantity
from harness.references.decoding import Answered
from harness.references.lmm_answers import fixed_names, the_lmm
from harness.references.names import our_names
from harness.references.on_lme4 import OnLme4
from harness.references.requests import Request


class Lme4Profile(OnLme4):
    """Decoder of lme4's intervals, which are always those of the ML fit."""

    name = "lme4_profile"
    method = "Profiles on 95 % are those of the ML fit, interpolated by splines."

    def tests(self, answer: Answered, case: Case, request: Request) -> Iterator[Quantity]:
        """Yield intervals of all parameters."""
        formula = the_lmm(case.spec).formula
        terms = [term for random in formula.random for term in random.terms]
        names: list[str] = []
        for block in answer["blocks"]:
            effects = our_names(self.name, block["names"], terms, request)
            for column, effect in enumerate(effects):
                names.append(f"random.sd[{effect}]")
                names += [f"random.correlation[{below},{effect}]" for below in effects[column + 1 :]]
        names += ["sigma", *(f"fixed[{name}]" for name in fixed_names(self.name, answer["beta_names"], case, request))]
        yield from interval_quantities("profile", names, answer["lower"], answer["upper"])
