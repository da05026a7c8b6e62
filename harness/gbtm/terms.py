"""Covariates of a trajectory model: from the right side of a formula to columns, coded as in a mixed model."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Codes, Mask, Matrix, read_only
from harness.coding.columns import FUNCTIONS, Frame, code_terms, column_names, design_matrix
from harness.cohorts.cohort import Cohort
from harness.errors import FormulaError, Problem, nearest
from harness.formula import Formula, parse_formula


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Covariates:
    """Columns of covariates over the rows used: `names` (k,) and `values` (n, k); k may be 0."""

    names: tuple[str, ...]
    values: Matrix


def columns_in(text: str) -> tuple[str, ...]:
    """Return the columns that the right side of a formula names; nothing for a text that is none."""
    try:
        return _right_side(text).variables[1:] if text else ()
    except FormulaError:
        return ()


def covariates(text: str, cohort: Cohort, rows: Codes) -> Covariates:
    """Return the columns of the terms over some rows of a cohort, without an intercept.

    Factors are coded against their first level that occurs, as R does; a basis is trained on these rows.
    """
    if not text:
        return Covariates(names=(), values=read_only(np.empty((len(rows), 0))))
    formula = _right_side(text)
    names = formula.variables[1:]
    codes, levels = {}, {}
    for name in (name for name in names if name in cohort.factors):
        factor = cohort.factors[name]
        present, recoded = np.unique(factor.codes[rows], return_inverse=True)
        codes[name], levels[name] = recoded.astype(np.int64), tuple(factor.levels[code] for code in present)
    numeric = {name: cohort.numeric[name][rows] for name in names if name in cohort.numeric}
    coded = code_terms(formula.terms, intercept=True, levels=levels, numeric=numeric)[1:]
    frame = Frame(n_rows=len(rows), numeric=numeric, codes=codes, levels=levels)
    return Covariates(names=column_names(coded), values=read_only(np.array(design_matrix(coded, frame))))


def covariate_problems(role: str, text: object, cohort: Cohort, observed: Mask) -> Iterator[Problem]:
    """Yield what is wrong with a right side: its grammar, its columns, missing values where the outcome is observed."""
    if not isinstance(text, str):
        yield Problem(found=f"{role} {text!r:.60}", expected="the right side of a formula, such as 'age + sex'")
        return
    if not text:
        return
    try:
        formula = _right_side(text)
    except FormulaError as error:
        yield from (replace(problem, column=f"{role}, {problem.column}") for problem in error.problems)
        return
    if formula.random or formula.residual is not None or not formula.intercept:
        found = f"{role} {text!r} has random effects, a residual structure or no intercept"
        yield Problem(found=found, expected="covariates only, such as 'age + sex'; each class has an intercept")
        return
    for name in formula.variables[1:]:
        yield from _column_problems(role, name, cohort, observed)
    for atom in {atom for term in formula.terms for atom in term if atom.function in FUNCTIONS}:
        if atom.column in cohort.numeric:
            with np.errstate(all="ignore"):
                values = FUNCTIONS[str(atom.function)](cohort.numeric[atom.column][observed])
            if not np.isfinite(values).all():
                yield Problem(found=f"{atom} is not finite in every row", expected="finite values", column=atom.column)


def _column_problems(role: str, name: str, cohort: Cohort, observed: Mask) -> Iterator[Problem]:
    if name in cohort.numeric:
        wrong = observed & ~np.isfinite(cohort.numeric[name])
    elif name in cohort.factors:
        wrong = observed & (cohort.factors[name].codes < 0)
    else:
        known = cohort.columns
        expected = f"one of {', '.join(map(repr, known[:20]))}"
        yield Problem(
            found=f"{role} {name!r} is not in the cohort", expected=expected, column=name, advice=nearest(name, known)
        )
        return
    if wrong.any():
        rows = np.flatnonzero(wrong) + 1
        named = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
        yield Problem(
            found=f"no value of {role} {name!r} in {len(rows)} row(s) with an outcome: {named}",
            expected="a finite value in every row with an outcome",
            column=name,
            advice="Leave these rows out, or impute them, before fitting.",
        )


def _right_side(text: str) -> Formula:
    return parse_formula(f"outcome ~ {text}")
