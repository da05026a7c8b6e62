"""R's clubSandwich: robust covariance of lme4's fixed effects, by subject (reference_r/clubSandwich.R)."""

from collections.abc import Iterator

from harness.cases import Case, Spec, Support
from harness.lmm.inference.quantities import coefficient_quantities
from harness.quantities import Quantity
from harness.references.decoding import Answered
from harness.references.lme4 import lme4_support
from harness.references.lmm_answers import fixed_names, the_lmm
from harness.references.on_lme4 import OnLme4
from harness.references.requests import Request


class ClubSandwich(OnLme4):
    """Decoder of clubSandwich's answers; its definitions are ours."""

    name = "clubSandwich"
    method = "The working covariance of CR2 is that of the model."

    def support(self, spec: Spec) -> Support:
        """Return that it needs one grouping factor, whose levels are independent."""
        support = lme4_support(spec)
        if support.fit and len({random.grouping for random in the_lmm(spec).formula.random}) > 1:
            return Support(fit=False, objective=False, reason="It needs independent subjects to cluster by.")
        return support

    def tests(self, answer: Answered, case: Case, request: Request) -> Iterator[Quantity]:
        """Yield robust standard errors, and CR2's tests."""
        names, given = fixed_names(self.name, answer["beta_names"], case, request), answer["adjusted"]
        yield from coefficient_quantities("CR0", names, standard_error=answer["plain"])
        yield from coefficient_quantities(
            "CR2",
            names,
            standard_error=given["standard_error"],
            statistic=given["statistic"],
            df=given["df"],
            p_value=given["p_value"],
        )
