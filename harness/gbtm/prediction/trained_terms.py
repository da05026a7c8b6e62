"""The terms of a fitted model as they were coded for its rows, for other rows."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix
from harness.coding.columns import CodedTerm, Frame, design_matrix
from harness.cohorts.cohort import Cohort
from harness.errors import Problem
from harness.gbtm.terms import coded_terms, predictors, right_side

_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainedTerms:
    """The terms of a right side as they were coded for the rows of a fit: levels of factors, bases of numbers."""

    names: tuple[str, ...]
    coded: tuple[CodedTerm, ...]
    levels: dict[str, tuple[str, ...]]

    def problems(self, cohort: Cohort, rows: Codes) -> Iterator[Problem]:
        """Yield what keeps some rows of a cohort from being coded so."""
        for name in self.names:
            if name in self.levels:
                factor = cohort.factors.get(name)
                if factor is None:
                    yield Problem(found="numbers", expected=f"one of {', '.join(self.levels[name])}", column=name)
                    continue
                codes = factor.codes[rows]
                yield from at_rows("no value", rows[codes < 0], name, "a value in every row")
                for code in np.unique(codes[codes >= 0]):
                    if factor.levels[code] not in self.levels[name]:
                        found = f"level {factor.levels[code]!r:.60}, which the fit has not seen"
                        yield Problem(found=found, expected=f"one of {', '.join(self.levels[name])}", column=name)
            elif name not in cohort.numeric:
                yield Problem(found="labels", expected="numbers", column=name)
            else:
                missing = rows[np.isnan(cohort.numeric[name][rows])]
                yield from at_rows("no value", missing, name, "a value in every row")

    def columns(self, cohort: Cohort, rows: Codes) -> Matrix:
        """Return the columns (n, k) over some rows, checked before."""
        codes = {}
        for name, levels in self.levels.items():
            factor = cohort.factors[name]
            place = {level: k for k, level in enumerate(levels)}
            codes[name] = np.array([place[factor.levels[code]] for code in factor.codes[rows]], dtype=np.int64)
        numeric = {name: cohort.numeric[name][rows] for name in self.names if name not in self.levels}
        frame = Frame(n_rows=len(rows), numeric=numeric, codes=codes, levels=self.levels)
        return np.array(design_matrix(self.coded, frame)) if self.coded else np.empty((len(rows), 0))


def trained_terms(text: str, cohort: Cohort, rows: Codes, time: str | None = None) -> TrainedTerms:
    """Return the terms of a right side as they were coded for some rows of the cohort of a fit."""
    if not text:
        return TrainedTerms(names=(), coded=(), levels={})
    formula = right_side(text)
    names = predictors(formula)
    levels = {}
    for name in (name for name in names if name in cohort.factors):
        factor = cohort.factors[name]
        levels[name] = tuple(factor.levels[code] for code in np.unique(factor.codes[rows]))
    numeric = {name: cohort.numeric[name][rows] for name in names if name in cohort.numeric}
    coded = coded_terms(formula.terms, levels, numeric, time)
    return TrainedTerms(names=names, coded=coded, levels=levels)


def at_rows(found: str, rows: Codes, column: str, expected: str) -> Iterator[Problem]:
    """Yield one problem that names the first few of some rows (counted from 0), if there are any."""
    if len(rows):
        named = ", ".join(str(row + 1) for row in np.sort(rows)[:_NAMED]) + (", ..." if len(rows) > _NAMED else "")
        yield Problem(found=f"{found} in {len(rows)} row(s): {named}", expected=expected, column=column or None)
