"""Which rows of a cohort a model uses, and in which order."""

from collections.abc import Sequence
from itertools import compress

import numpy as np

from harness.arrays import Codes, Mask, Vector, read_only
from harness.coding.columns import Frame
from harness.cohorts.cohort import Cohort
from harness.formula import Formula


def complete_rows(cohort: Cohort, columns: Sequence[str]) -> tuple[Mask, dict[str, int]]:
    """Return which rows have a value in all columns, and in how many rows each column is missing."""
    kept: Mask = np.ones(cohort.n_rows, dtype=bool)
    counts: dict[str, int] = {}
    for name in columns:
        present = ~np.isnan(cohort.numeric[name]) if name in cohort.numeric else cohort.factors[name].codes >= 0
        counts[name] = len(present) - int(np.count_nonzero(present))
        if counts[name]:
            kept &= present
    return kept, counts


def representatives(codes: Codes) -> Codes:
    """Return for each row (n,) one row, the same for all rows of its level: what varies within none equals it there."""
    row = np.empty(int(codes.max(initial=-1)) + 1, dtype=np.int64)
    row[codes] = np.arange(len(codes))
    return row[codes]


def combined(factors: Sequence[tuple[Codes, tuple[str, ...]]]) -> tuple[Codes, tuple[str, ...]]:
    """Return the observed combinations of factors as one: codes and labels ``a:b``, the first factor slowest.

    A row where any is missing (-1) has the code -1.
    """
    codes, levels = factors[0]
    for inner_codes, inner_levels in factors[1:]:
        both = np.where((codes < 0) | (inner_codes < 0), -1, codes * len(inner_levels) + inner_codes)
        seen, renumbered = np.unique(np.append(both, -1), return_inverse=True)
        codes = renumbered[:-1] - 1
        pairs = (divmod(pair, len(inner_levels)) for pair in seen[1:].tolist())
        levels = tuple(f"{levels[a]}:{inner_levels[b]}" for a, b in pairs)
    return codes, levels


def ordered_frame(
    formula: Formula, cohort: Cohort, kept: Mask, columns: Sequence[str]
) -> tuple[Frame, tuple[str, ...], tuple[str, ...]]:
    """Return the kept rows, factor levels that none of them has, and levels that a single one has.

    They are sorted by subject, then by visit or by the slope columns, so that equal visits lie alike.
    """
    rows = np.flatnonzero(kept)
    keys = [_cells(cohort, name)[rows] for name in _sorting(formula)]
    if not _sorted(keys):
        rows = rows[np.lexsort(keys[::-1])]
    variables = formula.variables
    numeric, codes, levels = {}, {}, {}
    empty: list[str] = []
    lone: list[str] = []
    for name in columns:
        if name in cohort.numeric:
            numeric[name] = read_only(cohort.numeric[name][rows])
            continue
        factor = cohort.factors[name]
        own = factor.codes[rows]
        counts = np.bincount(own, minlength=len(factor.levels))
        observed = counts > 0
        if observed.all():
            levels[name] = factor.levels
        else:
            own = (np.cumsum(observed) - 1)[own]
            levels[name] = tuple(compress(factor.levels, observed.tolist()))
        codes[name] = read_only(own)
        if name in variables:
            empty += [f"{name}[{level}]" for level in compress(factor.levels, (~observed).tolist())]
            lone += [f"{name}[{level}]" for level in compress(factor.levels, (counts == 1).tolist())]
    frame = Frame(n_rows=len(rows), numeric=numeric, codes=codes, levels=levels)
    return frame, tuple(empty), tuple(lone)


def _sorting(formula: Formula) -> list[str]:
    """Return the columns to sort by, the most important first."""
    names = [*formula.subject]
    if formula.residual is not None:
        names += [formula.residual.subject, formula.residual.visit]
    slopes = (atom.column for random in formula.random for term in random.terms for atom in term)
    return list(dict.fromkeys([*names, *slopes]))


def _sorted(keys: Sequence[Vector | Codes]) -> bool:
    """Tell whether rows are in the order of their keys already, as those of a long table mostly are."""
    rising: Mask = np.zeros(max(len(keys[0]) - 1, 0), dtype=bool)
    for key in keys:
        before, after = key[:-1], key[1:]
        if np.any((after < before) & ~rising):
            return False
        rising |= after > before
    return True


def _cells(cohort: Cohort, name: str) -> Vector | Codes:
    return cohort.numeric[name] if name in cohort.numeric else cohort.factors[name].codes
