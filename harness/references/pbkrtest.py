"""R's pbkrtest: Kenward and Roger's adjustment of lme4's tight fit (reference_r/pbkrtest.R)."""

from collections.abc import Iterator, Mapping

import numpy as np

from harness.cases import Case, Spec, Support
from harness.lmm.inference.quantities import coefficient_quantities
from harness.quantities import Point, Quantity
from harness.references.decoding import Answered, Decoded
from harness.references.lme4 import LME4_SEARCH, lme4_request, lme4_support
from harness.references.lmm_answers import fixed_names, the_lmm
from harness.references.lmm_tests import decoded_table, decoded_tests
from harness.references.requests import Request


class Pbkrtest:
    """Decoder of pbkrtest's answers; its definitions are ours of "kenward-roger"."""

    name = "pbkrtest"

    def support(self, spec: Spec) -> Support:
        """Return that it adjusts what lme4 fits by REML, if all rows weigh alike."""
        support = lme4_support(spec)
        if support.fit and the_lmm(spec).weights is not None:
            reason = "It leaves the weights out of the covariance, so that its degrees of freedom are another model's."
            return Support(fit=False, objective=False, reason=reason)
        if support.fit and the_lmm(spec).criterion == "ML":
            return Support(fit=False, objective=False, reason="It would fit the model again by REML.")
        return support

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return lme4_request(self.name, case)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return pbkrtest's tests in our words."""
        return decoded_tests(self.name, answer, case, request, self._tests(answer, case, request))

    def log_likelihood(self, value: float, n_observations: int) -> float:  # noqa: ARG002  # lme4's, nothing to add
        """Return lme4's log-likelihood, which has all constants."""
        return value

    def can_evaluate(self, point: Point, spec: Spec) -> bool:  # noqa: ARG002  # lme4 is asked for its own criterion
        """Return that only its own optimum is of interest: the criterion is lme4's."""
        return False

    def conventions(self, spec: Spec) -> tuple[str, ...]:  # noqa: ARG002  # the same for all models
        """Return how pbkrtest was run and which of the adjustments it gives."""
        return (
            *LME4_SEARCH,
            "Expected information, variances and covariances as parameters: no second-order term (pbkrtest).",
        )

    def not_given(self, spec: Spec) -> Mapping[str, str]:  # noqa: ARG002  # the same for all models
        """Return that it gives all that is asked of it."""
        return {}

    def _tests(self, answer: Answered, case: Case, request: Request) -> Iterator[Quantity]:
        names, given = fixed_names(self.name, answer["beta_names"], case, request), answer["coefficients"]
        yield from coefficient_quantities(
            "kenward-roger",
            names,
            standard_error=np.sqrt(np.diag(answer["adjusted"])),
            statistic=given["statistic"],
            df=given["df"],
            p_value=given["p_value"],
        )
        yield from decoded_table(self.name, "kenward-roger.term", answer["terms"], case, request)
