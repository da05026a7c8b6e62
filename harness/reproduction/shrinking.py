"""The fewest subjects on whom two engines still disagree for the same reason, as far as the time allows."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from harness.arrays import Codes
from harness.cases import Case
from harness.cohorts.cohort import Cohort
from harness.errors import HarnessError

FEWEST = 4
"""Fewer subjects tell no variance between subjects."""


def fewest_subjects(case: Case, column: str, disagrees: Callable[[Case], bool], seconds: float) -> Case:
    """Return the case on a part of its subjects, the levels of `column`, on whom the two still disagree.

    Greedy: a share of the subjects is left out, half at first and then less and less, wherever `disagrees` allows it. A
    case on which an engine refuses the model is one on which they don't. The case itself is returned where nothing can
    be left out, or no time is left.
    """

    def still(part: Codes) -> bool:
        try:
            return disagrees(with_subjects(case, column, part))
        except HarnessError:
            return False

    until = time.monotonic() + seconds
    kept = np.unique(case.cohort.factors[column].codes)
    kept = kept[kept >= 0]
    size = len(kept) // 2
    while size >= 1 and len(kept) > FEWEST:
        parts = (np.delete(kept, slice(start, start + size)) for start in range(0, len(kept), size))
        smaller = _first((part for part in parts if len(part) >= FEWEST), still, until)
        if smaller is None:
            if time.monotonic() >= until:
                break
            size //= 2
        else:
            kept = smaller
            size = min(size, len(kept) // 2)
    return with_subjects(case, column, kept)


def _first(parts: Iterable[Codes], still: Callable[[Codes], bool], until: float) -> Codes | None:
    """Return the first part of the subjects on whom the two still disagree; None if there is none, or no time."""
    for part in parts:
        if time.monotonic() >= until:
            return None
        if still(part):
            return part
    return None


def with_subjects(case: Case, column: str, kept: Codes) -> Case:
    """Return the case on the rows of these subjects."""
    codes = case.cohort.factors[column].codes
    return replace(case, cohort=_rows_of(case.cohort, np.isin(codes, kept)))


def _rows_of(cohort: Cohort, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Cohort:
    return replace(
        cohort,
        numeric={name: values[rows] for name, values in cohort.numeric.items()},
        factors={name: replace(factor, codes=factor.codes[rows]) for name, factor in cohort.factors.items()},
    )
