"""Which rows of a cohort a model uses, in which order, and what is left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Mask, read_only
from harness.cohorts.cohort import Cohort
from harness.formula import Formula
from harness.lmm.columns import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedRows:
    """Rows left out because a column of the model is missing there.

    `by_subject` counts those of each subject that has any, `lost_subjects` are subjects of whom no row is left.
    `by_level` has for each factor but the subject, level by level, (rows dropped, rows kept).
    """

    total: int
    by_subject: Mapping[str, int]
    lost_subjects: tuple[str, ...]
    by_level: Mapping[str, Mapping[str, tuple[int, int]]]


def complete_rows(cohort: Cohort, columns: Sequence[str]) -> tuple[Mask, dict[str, int]]:
    """Return which rows have a value in all columns, and in how many rows each column is missing."""
    missing = {
        name: np.isnan(cohort.numeric[name]) if name in cohort.numeric else cohort.factors[name].codes < 0
        for name in columns
    }
    kept: Mask = ~np.any(list(missing.values()), axis=0)
    return kept, {name: int(mask.sum()) for name, mask in missing.items()}


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


def cohort_factor(cohort: Cohort, grouping: Sequence[str]) -> tuple[Codes, tuple[str, ...]]:
    """Return a grouping of the cohort's rows as codes and labels, combined if it has several columns."""
    return combined([(cohort.factors[name].codes, cohort.factors[name].levels) for name in grouping])


def ordered_frame(
    formula: Formula, cohort: Cohort, kept: Mask, columns: Sequence[str]
) -> tuple[Frame, tuple[str, ...]]:
    """Return the kept rows, and levels that none of them has.

    They are sorted by subject, then by visit or by the slope columns, so that equal visits lie alike.
    """
    rows = np.flatnonzero(kept)
    rows = rows[_order([_cells(cohort, name)[rows] for name in _sorting(formula)])]
    numeric, codes, levels = {}, {}, {}
    empty: list[str] = []
    for name in columns:
        if name in cohort.numeric:
            numeric[name] = read_only(cohort.numeric[name][rows])
            continue
        factor = cohort.factors[name]
        own = factor.codes[rows]
        observed = np.bincount(own, minlength=len(factor.levels)) > 0
        codes[name] = read_only(own if observed.all() else (np.cumsum(observed) - 1)[own])
        levels[name] = tuple(level for level, seen in zip(factor.levels, observed, strict=True) if seen)
        if name not in formula.subject:
            unseen = (level for level, seen in zip(factor.levels, observed, strict=True) if not seen)
            empty += [f"{name}[{level}]" for level in unseen]
    return Frame(n_rows=len(rows), numeric=numeric, codes=codes, levels=levels), tuple(empty)


def dropped_rows(formula: Formula, cohort: Cohort, kept: Mask) -> DroppedRows:
    """Return what the model leaves out; rows without a subject count for nobody."""
    if kept.all():
        return DroppedRows(total=0, by_subject={}, lost_subjects=(), by_level={})
    codes, labels = cohort_factor(cohort, formula.subject)
    dropped, left = _counts(codes, ~kept, len(labels)), _counts(codes, kept, len(labels))
    tables = {
        name: cohort.factors[name] for name in formula.columns if name in cohort.factors and name not in formula.subject
    }
    return DroppedRows(
        total=int((~kept).sum()),
        by_subject={labels[i]: int(dropped[i]) for i in np.flatnonzero(dropped)},
        lost_subjects=tuple(labels[i] for i in np.flatnonzero((dropped > 0) & (left == 0))),
        by_level={
            name: dict(
                zip(
                    factor.levels,
                    zip(
                        _counts(factor.codes, ~kept, len(factor.levels)).tolist(),
                        _counts(factor.codes, kept, len(factor.levels)).tolist(),
                        strict=True,
                    ),
                    strict=True,
                )
            )
            for name, factor in tables.items()
        },
    )


def _sorting(formula: Formula) -> list[str]:
    """Return the columns to sort by, the most important first."""
    names = [*formula.subject]
    if formula.residual is not None:
        names += [formula.residual.subject, formula.residual.visit]
    slopes = (atom.column for random in formula.random for term in random.terms for atom in term)
    return list(dict.fromkeys([*names, *slopes]))


def _order(keys: Sequence[np.ndarray[tuple[int], np.dtype[np.generic]]]) -> Codes:
    return np.lexsort(keys[::-1])


def _cells(cohort: Cohort, name: str) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
    return cohort.numeric[name] if name in cohort.numeric else cohort.factors[name].codes


def _counts(codes: Codes, rows: Mask, n_levels: int) -> Codes:
    return np.bincount(codes[rows & (codes >= 0)], minlength=n_levels)
