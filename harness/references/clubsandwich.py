"""R's clubSandwich: robust covariance of lme4's fixed effects, by subject (reference_r/clubSandwich.R)."""

from collections.abc import Iterator, Mapping

from harness.cases import Case, Spec, Support
from harness.lmm.inference.quantities import coefficient_quantities
from harness.quantities import Point, Quantity
from harness.references.decoding import Answered, Decoded
from harness.references.lme4 import LME4_SEARCH, lme4_request, lme4_support
from harness.references.lmm_answers import fixed_names, the_lmm
from harness.references.lmm_tests import decoded_tests
from harness.references.requests import Request


class ClubSandwich:
    """Decoder of clubSandwich's answers; its definitions are ours."""

    name = "clubSandwich"

    def support(self, spec: Spec) -> Support:
        """Return that it needs one grouping factor, whose levels are independent."""
        support = lme4_support(spec)
        if support.fit and len({random.grouping for random in the_lmm(spec).formula.random}) > 1:
            return Support(fit=False, objective=False, reason="It needs independent subjects to cluster by.")
        return support

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return lme4_request(self.name, case)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return clubSandwich's standard errors and tests in our words."""
        return decoded_tests(self.name, answer, case, request, self._tests(answer, case, request))

    def log_likelihood(self, value: float, n_observations: int) -> float:  # noqa: ARG002  # lme4's, nothing to add
        """Return lme4's log-likelihood, which has all constants."""
        return value

    def can_evaluate(self, point: Point, spec: Spec) -> bool:  # noqa: ARG002  # lme4 is asked for its own criterion
        """Return that only its own optimum is of interest: the criterion is lme4's."""
        return False

    def conventions(self, spec: Spec) -> tuple[str, ...]:  # noqa: ARG002  # the same for all models
        """Return how clubSandwich was run."""
        return (*LME4_SEARCH, "The working covariance of CR2 is that of the model.")

    def not_given(self, spec: Spec) -> Mapping[str, str]:  # noqa: ARG002  # the same for all models
        """Return that it gives all that is asked of it."""
        return {}

    def _tests(self, answer: Answered, case: Case, request: Request) -> Iterator[Quantity]:
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
