"""Tables of terms: the F test of each, for hypotheses of type I, II or III."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.arrays import Vector, read_only
from harness.lmm.design import LmmDesign
from harness.lmm.inference.contrasts import joint_test_of_rows
from harness.lmm.inference.fixed_effects import FixedEffects
from harness.lmm.inference.hypotheses import Hypothesis, Type, empty_cells, term_hypotheses
from harness.lmm.inference.methods import Method


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TermTable:
    """F tests of all terms, vectors (terms,); `scaling` is Kenward-Roger's factor in F, else 1.

    A term whose columns are all aliased has no hypothesis: `df1` is 0 and its other numbers are NaN.
    """

    type: Type
    hypotheses: tuple[Hypothesis, ...]
    F: Vector
    df1: Vector
    df2: Vector
    p: Vector
    scaling: Vector
    method: Method
    remarks: tuple[str, ...]

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms as they are written in the formula."""
        return tuple(one.term for one in self.hypotheses)

    def table(self) -> pd.DataFrame:
        """Return one row a term: df1, df2, F, p."""
        columns = {"df1": self.df1, "df2": self.df2, "F": self.F, "p": self.p}
        return pd.DataFrame(columns, index=pd.Index(self.terms, name="term"))


def term_table(effects: FixedEffects, design: LmmDesign, type: Type = "III") -> TermTable:  # noqa: A002 - its name
    """Return the F test of each term. R: ``anova(m, type = 3, ddf = "Kenward-Roger")`` of lmerTest.

    Raises
    ------
    SpecError
        If there is no such type.
    """
    hypotheses = term_hypotheses(design, type)
    tests = [joint_test_of_rows(effects, one.rows) for one in hypotheses]
    empty = empty_cells(design)
    remarks = (f"No data for {', '.join(empty)}: hypotheses of terms within them need care.",) if empty else ()
    return TermTable(
        type=type,
        hypotheses=hypotheses,
        F=_column([test.F for test in tests]),
        df1=_column([test.df1 for test in tests]),
        df2=_column([test.df2 for test in tests]),
        p=_column([test.p for test in tests]),
        scaling=_column([test.scaling for test in tests]),
        method=effects.method,
        remarks=(*effects.remarks, *remarks),
    )


def _column(values: Sequence[float]) -> Vector:
    return read_only(np.array(values, dtype=float))
