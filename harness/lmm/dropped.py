"""What a model leaves out: rows with a missing value, counted by column, by subject, and by visit and arm."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import compress
from typing import NamedTuple

import numpy as np

from harness.arrays import Codes, Mask
from harness.cohorts.cohort import Cohort
from harness.formula import Formula
from harness.lmm.rows import combined, representatives

# With more distinct times than this, visits can't be told from times.
_MOST_TIMES = 24


class RowCount(NamedTuple):
    """How many rows were dropped, and how many kept."""

    dropped: int
    kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedRows:
    """Rows left out because a column of the model is missing there.

    `by_column` counts the rows where each column is missing, if any, `by_subject` those of each subject that has any;
    `lost_subjects` are subjects of whom no row is left. `by_level` has the levels of every factor of the model, and of
    its `visit`: the factor, or the column of few times, that varies within subjects. `by_visit_and_arm` crosses them
    with the levels of `arm`, the first factor that does not. A row counts where its level is known.
    """

    total: int
    by_column: Mapping[str, int] = field(default_factory=dict)
    by_subject: Mapping[str, int] = field(default_factory=dict)
    lost_subjects: tuple[str, ...] = ()
    visit: str | None = None
    arm: str | None = None
    by_level: Mapping[str, Mapping[str, RowCount]] = field(default_factory=dict)
    by_visit_and_arm: Mapping[tuple[str, str], RowCount] = field(default_factory=dict)


class _Levels(NamedTuple):
    """A factor over the rows of the cohort; -1 is missing."""

    codes: Codes
    labels: tuple[str, ...]


def dropped_rows(formula: Formula, cohort: Cohort, kept: Mask, missing: Mapping[str, int]) -> DroppedRows:
    """Return what the model leaves out; `missing` counts the rows where each column is."""
    if kept.all():
        return DroppedRows(total=0)
    subjects = _Levels(
        *combined([(cohort.factors[name].codes, cohort.factors[name].levels) for name in formula.subject])
    )
    rows = np.flatnonzero(~kept)
    gone, left = _counts(subjects, rows)
    factors = {
        name: _Levels(cohort.factors[name].codes, cohort.factors[name].levels)
        for name in formula.variables
        if name in cohort.factors and name not in formula.subject
    }
    inner = [name for name, levels in factors.items() if _varies_within(subjects.codes, levels.codes)]
    visit = formula.residual.visit if formula.residual is not None else next(iter(inner), None)
    if visit not in factors:
        visit, times = next(_times(formula, cohort, visit), (None, None))
        if visit is not None and times is not None:
            factors[visit] = times
    arm = next((name for name in factors if name != visit and name not in inner), None)
    return DroppedRows(
        total=len(rows),
        by_column={name: count for name, count in missing.items() if count},
        by_subject=dict(compress(zip(subjects.labels, gone.tolist(), strict=True), (gone > 0).tolist())),
        lost_subjects=tuple(compress(subjects.labels, ((gone > 0) & (left == 0)).tolist())),
        visit=visit,
        arm=arm,
        by_level={name: _table(levels, rows) for name, levels in factors.items()},
        by_visit_and_arm={} if visit is None or arm is None else _cross_table(factors[visit], factors[arm], rows),
    )


def _times(formula: Formula, cohort: Cohort, visit: str | None) -> Iterator[tuple[str, _Levels]]:
    """Yield columns of numbers that may stand for visits."""
    slopes = [atom.column for random in formula.random for term in random.terms for atom in term]
    for name in dict.fromkeys(filter(None, [visit, cohort.time, *slopes])):
        if name in cohort.numeric:
            values = cohort.numeric[name]
            known = ~np.isnan(values)
            times, codes = np.unique(values[known], return_inverse=True)
            if len(times) <= _MOST_TIMES:
                full = np.full(len(values), -1, dtype=np.int64)
                full[known] = codes
                yield name, _Levels(full, tuple(f"{time:.15g}" for time in times.tolist()))


def _varies_within(subjects: Codes, codes: Codes) -> bool:
    known = (subjects >= 0) & (codes >= 0)
    level = codes[known]
    return bool((level[representatives(subjects[known])] != level).any())


def _counts(levels: _Levels, dropped: Codes) -> tuple[Codes, Codes]:
    """Return how many rows of each level are dropped, and how many kept."""
    size = len(levels.labels) + 1  # the first counts rows of unknown level
    gone = np.bincount(levels.codes[dropped] + 1, minlength=size)[1:]
    return gone, np.bincount(levels.codes + 1, minlength=size)[1:] - gone


def _table(levels: _Levels, dropped: Codes) -> dict[str, RowCount]:
    pairs = zip(*(counts.tolist() for counts in _counts(levels, dropped)), strict=True)
    return dict(zip(levels.labels, (RowCount(*pair) for pair in pairs), strict=True))


def _cross_table(visits: _Levels, arms: _Levels, dropped: Codes) -> dict[tuple[str, str], RowCount]:
    A = len(arms.labels)
    both = np.where((visits.codes < 0) | (arms.codes < 0), -1, visits.codes * A + arms.codes)
    cells = [(visit, arm) for visit in visits.labels for arm in arms.labels]
    crossed = _Levels(both, tuple(map(str, range(len(cells)))))
    return dict(zip(cells, _table(crossed, dropped).values(), strict=True))
