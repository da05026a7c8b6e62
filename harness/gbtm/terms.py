"""Covariates of a trajectory model: from the right side of a formula to columns, coded as in a mixed model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.coding.columns import CodedTerm, Frame, code_terms, column_names, design_matrix
from harness.cohorts.cohort import Cohort
from harness.errors import FormulaError
from harness.formula import Atom, Formula, Term, parse_formula
from harness.gbtm.spec import HIGHEST_ORDER


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Covariates:
    """Columns of covariates over the rows used: `names` (k,) and `values` (n, k); k may be 0."""

    names: tuple[str, ...]
    values: Matrix


def columns_in(text: str) -> tuple[str, ...]:
    """Return the columns that the right side of a formula names; nothing for a text that is none."""
    try:
        return predictors(right_side(text)) if text else ()
    except FormulaError:
        return ()


def covariates(text: str, cohort: Cohort, rows: Codes, time: str | None = None) -> Covariates:
    """Return the columns of the terms over some rows of a cohort, without an intercept.

    Factors are coded against their first level that occurs, as R does; a basis is trained on these rows. `time` is the
    column of which the classes have powers of their own, so that ``drug:month`` are differences of slopes.
    """
    if not text:
        return Covariates(names=(), values=read_only(np.empty((len(rows), 0))))
    formula = right_side(text)
    names = predictors(formula)
    codes, levels = {}, {}
    for name in (name for name in names if name in cohort.factors):
        factor = cohort.factors[name]
        present, recoded = np.unique(factor.codes[rows], return_inverse=True)
        codes[name], levels[name] = recoded.astype(np.int64), tuple(factor.levels[code] for code in present)
    numeric = {name: cohort.numeric[name][rows] for name in names if name in cohort.numeric}
    coded = coded_terms(formula.terms, levels, numeric, time)
    frame = Frame(n_rows=len(rows), numeric=numeric, codes=codes, levels=levels)
    return Covariates(names=column_names(coded), values=read_only(np.array(design_matrix(coded, frame))))


def coded_terms(
    terms: Sequence[Term], levels: Mapping[str, tuple[str, ...]], numeric: Mapping[str, Vector], time: str | None
) -> tuple[CodedTerm, ...]:
    """Return the encoding of the terms beside an intercept, and beside powers of time if any of them has time."""
    has_time = time is not None and time in numeric
    powers = [(Atom(column=str(time), power=k),) for k in range(1, HIGHEST_ORDER + 1)] if has_time else []
    beside = [term for term in powers if term not in terms]
    return code_terms((*beside, *terms), intercept=True, levels=levels, numeric=numeric)[1 + len(beside) :]


def predictors(formula: Formula) -> tuple[str, ...]:
    """Return the columns of the terms, each once."""
    return tuple(dict.fromkeys(atom.column for term in formula.terms for atom in term))


def right_side(text: str) -> Formula:
    """Return the terms of a right side; raise a FormulaError if it is none."""
    return parse_formula(f"outcome ~ {text}")
