"""R's pbkrtest: Kenward and Roger's adjustment of lme4's tight fit (reference_r/pbkrtest.R)."""

from collections.abc import Iterator

import numpy as np

from harness.cases import Case, Spec, Support
from harness.lmm.inference.quantities import coefficient_quantities
from harness.quantities import Quantity
from harness.references.decoding import Answered
from harness.references.lme4 import lme4_support
from harness.references.lmm_answers import fixed_names, the_lmm
from harness.references.lmm_tests import decoded_table
from harness.references.on_lme4 import OnLme4
from harness.references.requests import Request


class Pbkrtest(OnLme4):
    """Decoder of pbkrtest's answers; its definitions are ours of "kenward-roger"."""

    name = "pbkrtest"
    method = "Expected information, variances and covariances as parameters: no second-order term (pbkrtest)."

    def support(self, spec: Spec) -> Support:
        """Return that it adjusts what lme4 fits by REML, if all rows weigh alike."""
        support = lme4_support(spec)
        if support.fit and the_lmm(spec).weights is not None:
            reason = "It leaves the weights out of the covariance, so that its degrees of freedom are another model's."
            return Support(fit=False, objective=False, reason=reason)
        if support.fit and the_lmm(spec).criterion == "ML":
            return Support(fit=False, objective=False, reason="It would fit the model again by REML.")
        return support

    def tests(self, answer: Answered, case: Case, request: Request) -> Iterator[Quantity]:
        """Yield adjusted standard errors, and tests of coefficients and of terms."""
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
