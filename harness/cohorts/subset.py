"""Keep the rows whose factor levels are named, e.g. the visits during treatment."""

from collections.abc import Mapping, Sequence

import numpy as np

from harness.arrays import read_only
from harness.cohorts.cohort import Cohort, Factor
from harness.errors import CohortError, Problem


def keep_levels(cohort: Cohort, levels: Mapping[str, Sequence[str]]) -> Cohort:
    """Return the cohort's rows in which each named factor has one of the named levels.

    Levels and subjects without a row left are dropped from the factors.

    Raises
    ------
    CohortError
        If a column is not a factor of the cohort, a level does not occur in it, or no row is left.
    """
    problems: list[Problem] = []
    kept = np.ones(cohort.n_rows, dtype=bool)
    for column, wanted in levels.items():
        if column not in cohort.factors:
            known = ", ".join(map(repr, sorted(cohort.factors)))
            problems.append(Problem(column=column, found="no such factor", expected=f"one of {known}"))
            continue
        factor = cohort.factors[column]
        known = ", ".join(map(repr, factor.levels))
        problems += [
            Problem(column=column, found=f"level {level!r} does not occur", expected=f"one of {known}")
            for level in wanted
            if level not in factor.levels
        ]
        codes = [factor.levels.index(level) for level in wanted if level in factor.levels]
        kept &= np.isin(factor.codes, codes)
    if not problems and not kept.any():
        problems.append(Problem(found="no row has the levels that were asked for", expected="at least one"))
    if problems:
        raise CohortError(f"cohort {cohort.name!r}", problems)
    return Cohort(
        name=cohort.name,
        subject=cohort.subject,
        time=cohort.time,
        numeric={name: read_only(values[kept]) for name, values in cohort.numeric.items()},
        factors={name: _observed(factor, kept) for name, factor in cohort.factors.items()},
        units=cohort.units,
    )


def _observed(factor: Factor, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Factor:
    codes = factor.codes[kept]
    present = np.unique(codes[codes >= 0])
    renumbered = np.full(len(factor.levels) + 1, -1, dtype=np.int64)
    renumbered[present] = np.arange(len(present))
    return Factor(codes=read_only(renumbered[codes]), levels=tuple(factor.levels[code] for code in present))
