"""Why covariates can't be used: their grammar, their columns, their values in rows with an outcome, their rank."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from harness.arrays import Mask, Matrix, Vector
from harness.cohorts.cohort import Cohort
from harness.errors import FormulaError, Problem, nearest
from harness.formula import Atom, Formula
from harness.gbtm.row_problems import row_problems, size_problems
from harness.gbtm.spec import GbtmSpec
from harness.gbtm.terms import covariates, predictors, right_side

_BASES = {"poly", "ns"}
_CONSTANT = 1e-12  # of a column's size: a smaller spread is rounding
_ALONE = 1e-9  # of a column's spread: what columns before it must leave of it


def term_problems(role: str, text: str, spec: GbtmSpec, cohort: Cohort) -> Iterator[Problem]:
    """Yield what is wrong with a right side before any values are looked at: its grammar and what its columns are."""
    if not text:
        return
    try:
        formula = right_side(text)
    except FormulaError as error:
        yield from (replace(problem, column=f"{role}, {problem.column}") for problem in error.problems)
        return
    if formula.random or formula.residual is not None or not formula.intercept:
        found = f"{role} {text!r} has random effects, a residual structure or no intercept"
        yield Problem(found=found, expected="covariates only, such as 'age + sex'; each class has an intercept")
        return
    for name in predictors(formula):
        if name in {spec.outcome, spec.subject}:
            what = "outcome" if name == spec.outcome else "subject"
            yield Problem(found=f"the {what} {name!r} in {role}", expected="other columns", column=name)
        elif name not in cohort.numeric and name not in cohort.factors:
            known = cohort.columns
            expected = f"one of {', '.join(map(repr, known[:20]))}"
            advice = nearest(name, known)
            yield Problem(found=f"{role} {name!r} is not in the cohort", expected=expected, column=name, advice=advice)
    for atom in _atoms(formula):
        if atom.column in cohort.factors and atom.coding is None and str(atom) != atom.column:
            yield Problem(found=f"{atom} of a factor", expected="a numeric column", column=atom.column)
        if atom.column in cohort.numeric and atom.coding is not None:
            yield Problem(found=f"{atom} of numbers", expected="a factor to code", column=atom.column)


def covariate_problems(role: str, text: str, cohort: Cohort, observed: Mask) -> Iterator[Problem]:
    """Yield what is wrong with the values of covariates in the rows with an outcome."""
    if not text:
        return
    formula = right_side(text)
    problems = [problem for name in predictors(formula) for problem in _column_problems(role, name, cohort, observed)]
    if not problems:
        problems += [problem for atom in _atoms(formula) for problem in _basis_problems(atom, cohort, observed)]
    yield from problems
    if problems:
        return
    with np.errstate(all="ignore"):
        found = covariates(text, cohort, np.flatnonzero(observed))
    for name, values in zip(found.names, found.values.T, strict=True):
        wrong = np.zeros(len(observed), dtype=np.bool_)
        wrong[observed] = ~np.isfinite(values)
        yield from row_problems(name, wrong, f"{role} {name!r} that is not finite", "a finite value")
        yield from size_problems(name, values)


def _atoms(formula: Formula) -> tuple[Atom, ...]:
    return tuple(dict.fromkeys(atom for term in formula.terms for atom in term))


def _column_problems(role: str, name: str, cohort: Cohort, observed: Mask) -> Iterator[Problem]:
    expected, advice = "a finite value in every row with an outcome", "Leave these rows out, or impute them, first."
    if name in cohort.numeric:
        values = cohort.numeric[name]
        wrong = observed & ~np.isfinite(values)
        yield from size_problems(name, values[observed])
    else:
        factor = cohort.factors[name]
        wrong = observed & (factor.codes < 0)
        levels = np.unique(factor.codes[observed & ~wrong])
        if len(levels) == 1:
            found = f"{role} {name!r} has only the level {factor.levels[levels[0]]!r} in rows with an outcome"
            yield Problem(found=found, expected="at least two levels", column=name)
    yield from row_problems(name, wrong, f"no value of {role} {name!r}", expected, advice)


def _basis_problems(atom: Atom, cohort: Cohort, observed: Mask) -> Iterator[Problem]:
    distinct = len(np.unique(cohort.numeric[atom.column][observed])) if atom.function in _BASES else np.inf
    if distinct <= atom.size:
        expected = f"a size of at most {distinct - 1}"
        yield Problem(found=f"{atom} of {distinct} distinct value(s)", expected=expected, column=atom.column)


def dependence_problems(names: Sequence[str], columns: Matrix, what: str) -> Iterator[Problem]:
    """Yield the columns (n, k) that a constant and the columns before them determine."""
    for j in np.flatnonzero(~_stand_alone(columns)).tolist():
        if j == 0 or _is_constant(columns[:, j]):
            found = f"{names[j]!r} is constant over the rows used"
        else:
            found = f"{names[j]!r} is determined by {', '.join(map(repr, names[:j]))}"
        yield Problem(found=found, expected=f"{what} that are linearly independent", column=names[j])


def _stand_alone(columns: Matrix) -> Mask:
    n, k = columns.shape
    centred = columns - columns.mean(axis=0)
    spread = np.array([0.0 if _is_constant(values) else values.std() for values in columns.T])
    scaled = np.where(spread > 0, centred, 0.0) / np.where(spread > 0, spread, 1.0)
    alone = np.zeros(k)
    diagonal = np.abs(np.diag(np.linalg.qr(scaled, mode="r")))
    alone[: len(diagonal)] = diagonal / np.sqrt(n)
    return np.asarray(alone > _ALONE)


def _is_constant(values: Vector) -> bool:
    return bool(np.ptp(values) <= _CONSTANT * np.abs(values).max(initial=0.0))
