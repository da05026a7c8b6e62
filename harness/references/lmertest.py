"""R's lmerTest: Satterthwaite's degrees of freedom on lme4's tight fit (reference_r/lmerTest.R)."""

from collections.abc import Iterator

from harness.cases import Case
from harness.lmm.inference.quantities import coefficient_quantities, table_quantities
from harness.quantities import Quantity
from harness.references.decoding import Answered
from harness.references.lmm_answers import fixed_names
from harness.references.lmm_tests import decoded_table
from harness.references.on_lme4 import OnLme4
from harness.references.requests import Request

TABLES = ("type1", "type2", "type3")


class LmerTest(OnLme4):
    """Decoder of lmerTest's answers; its definitions are ours."""

    name = "lmerTest"
    method = "Derivatives by numDeriv at lme4's optimum, in theta and sigma."

    def tests(self, answer: Answered, case: Case, request: Request) -> Iterator[Quantity]:
        """Yield tests of coefficients, of terms and of all together."""
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
