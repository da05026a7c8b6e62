"""R's lme4: profile intervals of its parameters (reference_r/lme4_profile.R)."""

from collections.abc import Iterator, Mapping

from harness.cases import Case, Spec, Support
from harness.lmm.inference.quantities import interval_quantities
from harness.quantities import Point, Quantity
from harness.references.decoding import Answered, Decoded
from harness.references.lme4 import LME4_SEARCH, lme4_request, lme4_support
from harness.references.lmm_answers import fixed_names, the_lmm
from harness.references.lmm_tests import decoded_tests
from harness.references.names import our_names
from harness.references.requests import Request


class Lme4Profile:
    """Decoder of lme4's intervals, which are always those of the ML fit."""

    name = "lme4_profile"

    def support(self, spec: Spec) -> Support:
        """Return that it has intervals of what lme4 fits."""
        return lme4_support(spec)

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return lme4_request(self.name, case)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return the intervals under our names."""
        return decoded_tests(self.name, answer, case, request, self._intervals(answer, case, request))

    def log_likelihood(self, value: float, n_observations: int) -> float:  # noqa: ARG002  # lme4's, nothing to add
        """Return lme4's log-likelihood, which has all constants."""
        return value

    def can_evaluate(self, point: Point, spec: Spec) -> bool:  # noqa: ARG002  # lme4 is asked for its own criterion
        """Return that only its own optimum is of interest: the criterion is lme4's."""
        return False

    def conventions(self, spec: Spec) -> tuple[str, ...]:  # noqa: ARG002  # the same for all models
        """Return how the intervals are made."""
        return (
            *LME4_SEARCH,
            "Profiles on 95 % are those of the ML fit, interpolated by splines.",
        )

    def not_given(self, spec: Spec) -> Mapping[str, str]:  # noqa: ARG002  # the same for all models
        """Return that it gives all that is asked of it."""
        return {}

    def _intervals(self, answer: Answered, case: Case, request: Request) -> Iterator[Quantity]:
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
