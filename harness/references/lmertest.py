"""R's lmerTest: Satterthwaite's degrees of freedom on lme4's tight fit (reference_r/lmerTest.R)."""

from collections.abc import Iterator, Mapping

from harness.cases import Case, Spec, Support
from harness.lmm.inference.quantities import coefficient_quantities, table_quantities
from harness.quantities import Point, Quantity
from harness.references.decoding import Answered, Decoded
from harness.references.lme4 import LME4_SEARCH, lme4_request, lme4_support
from harness.references.lmm_answers import fixed_names
from harness.references.lmm_tests import decoded_table, decoded_tests
from harness.references.requests import Request

TABLES = ("type1", "type2", "type3")


class LmerTest:
    """Decoder of lmerTest's answers; its definitions are ours."""

    name = "lmerTest"

    def support(self, spec: Spec) -> Support:
        """Return that it tests what lme4 fits."""
        return lme4_support(spec)

    def request(self, case: Case) -> Request:
        """Return the case as R gets it."""
        return lme4_request(self.name, case)

    def decode(self, answer: Answered, case: Case, request: Request) -> Decoded:
        """Return lmerTest's tests in our words."""
        return decoded_tests(self.name, answer, case, request, self._tests(answer, case, request))

    def log_likelihood(self, value: float, n_observations: int) -> float:  # noqa: ARG002  # lme4's, nothing to add
        """Return lme4's log-likelihood, which has all constants."""
        return value

    def can_evaluate(self, point: Point, spec: Spec) -> bool:  # noqa: ARG002  # lme4 is asked for its own criterion
        """Return that only its own optimum is of interest: the criterion is lme4's."""
        return False

    def conventions(self, spec: Spec) -> tuple[str, ...]:  # noqa: ARG002  # the same for all models
        """Return how lmerTest was run."""
        return (*LME4_SEARCH, "Derivatives by numDeriv at lme4's optimum, in theta and sigma.")

    def not_given(self, spec: Spec) -> Mapping[str, str]:  # noqa: ARG002  # the same for all models
        """Return that it gives all that is asked of it."""
        return {}

    def _tests(self, answer: Answered, case: Case, request: Request) -> Iterator[Quantity]:
        names, given = fixed_names(self.name, answer["beta_names"], case, request), answer["coefficients"]
        yield from coefficient_quantities(
            "satterthwaite", names, statistic=given["statistic"], df=given["df"], p_value=given["p_value"]
        )
        for table in TABLES:
            yield from decoded_table(self.name, f"satterthwaite.{table}", answer["tables"][table], case, request)
        if (joint := answer["joint"]) is not None:
            yield from table_quantities(
                "satterthwaite.joint",
                ("all",),
                statistic=joint["statistic"],
                df1=joint["df1"],
                df2=joint["df2"],
                p_value=joint["p_value"],
            )
