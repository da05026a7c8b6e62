"""R's emmeans: marginal means and their contrasts on lme4's tight fit (reference_r/emmeans.R)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.cases import Case
from harness.errors import EngineError
from harness.lmm.definitions import mean_columns
from harness.lmm.inference.quantities import mean_quantities
from harness.quantities import Quantity
from harness.references.decoding import Answered
from harness.references.lme4 import lme4_request
from harness.references.lmm_answers import the_lmm
from harness.references.on_lme4 import OnLme4
from harness.references.requests import Request
from harness.references.wire import Text

NUMBERS = ("estimate", "standard_error", "df", "lower", "upper", "statistic", "p_value")


class Emmeans(OnLme4):
    """Decoder of emmeans' answers: means over the first two factors of the model, pairs of the first by the second."""

    name = "emmeans"
    method = "Its limits of 3000 rows for exact degrees of freedom are lifted."

    def request(self, case: Case) -> Request:
        """Return the case as R gets it, with the factors whose means are wanted.

        Raises
        ------
        EngineError
            If the model has no factor.
        """
        request = lme4_request(self.name, case)
        columns = mean_columns(the_lmm(case.spec).formula.terms, case.cohort.factors.keys())
        if not columns:
            raise EngineError(self.name, "refused", "the fixed part has no factor whose means could be told apart")
        letters = Text(_letter(request, column) for column in columns)
        return request.asking(means=letters)

    def tests(
        self,
        answer: Answered,
        case: Case,  # noqa: ARG002  # the request tells what emmeans was asked for
        request: Request,
    ) -> Iterator[Quantity]:
        """Yield means and contrasts by both methods for degrees of freedom."""
        for method, given in answer["methods"].items():
            for table, rows in (("means", given["means"]), ("contrasts", given["contrasts"])):
                yield from mean_quantities(
                    method,
                    table,
                    _labels(rows["labels"], request),
                    estimable=rows["estimable"],
                    numbers={name: np.asarray(rows[name], dtype=float) for name in NUMBERS},
                    tukey=given["tukey"] if table == "contrasts" else None,
                )


def _letter(request: Request, column: str) -> str:
    """Return the letter under which a factor stands in the fixed part, whatever its coding."""
    coded = {letter for letter, name in request.names.items() if name == column}
    used = {atom["column"] for term in request.payload["spec"]["terms"] for atom in term}
    return min(coded & used)


def _labels(columns: Mapping[str, Sequence[str]], request: Request) -> list[str]:
    """Return labels such as "inf2,six" and "inf1 - inf2,six" of rows whose levels R calls L1 ... Lk."""
    # A contrast is of the first of the factors.
    own = [letter for letter in request.payload["spec"]["means"] if letter not in columns]
    translated = []
    for letter, labels in columns.items():
        factor = own[0] if letter == "contrast" else letter
        each = (label.split(" - ") for label in labels)
        translated.append([" - ".join(request.label(level, [factor]) for level in levels) for levels in each])
    rows: Any = zip(*translated, strict=True)
    return [",".join(row) for row in rows]
