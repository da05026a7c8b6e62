"""The rows of two groups: which they are, and what makes them unusable."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Mask, Vector
from harness.cohorts.cohort import Cohort
from harness.errors import Problem, SpecError, nearest
from harness.quantities import InputEvidence, Kind, Quantity


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """The rows used: `rows` of the cohort, the group of each (0 or 1), and the names of the groups."""

    rows: Codes
    group: Codes
    labels: tuple[str, ...]


def groups_of(cohort: Cohort, by: str | None, known: Mask, where: str) -> Groups:
    """Return the rows that are known, by the levels that occur in them.

    Raises
    ------
    SpecError
        No such factor, or one with another number of levels than two.
    """
    if by is None:
        rows = np.flatnonzero(known)
        return Groups(rows=rows, group=np.zeros(len(rows), dtype=np.int64), labels=("all",))
    if by not in cohort.factors:
        raise SpecError(where, [missing(by, cohort.factors)])
    factor = cohort.factors[by]
    rows = np.flatnonzero(known & (factor.codes >= 0))
    present = np.unique(factor.codes[rows])
    if len(present) != 2:
        problem = Problem(found=f"{len(present)} levels of {by!r} in the rows used", expected="two", column=by)
        raise SpecError(where, [problem])
    labels = tuple(factor.levels[code] for code in present)
    return Groups(rows=rows, group=np.searchsorted(present, factor.codes[rows]), labels=labels)


def column(cohort: Cohort, name: str, where: str) -> Vector:
    """Return a numeric column.

    Raises
    ------
    SpecError
        There is none of this name.
    """
    if name not in cohort.numeric:
        raise SpecError(where, [missing(name, cohort.numeric)])
    return cohort.numeric[name]


def missing(name: str, known: Iterable[str]) -> Problem:
    """Return that a column is not there."""
    names = list(known)
    expected = f"one of {', '.join(names)}"
    return Problem(found=f"no column {name!r}", expected=expected, column=name, advice=nearest(name, names))


_SEARCHED = ("conditional_odds_ratio", "adjusted_difference")
"""Numbers that are roots or maxima, and not known to the last digit."""
_SUBTRACTED = ("difference.", "standardised_difference.", "mean[")
"""Estimates that may be next to nothing, because larger numbers cancel in them."""
_NORMAL_WIDTH = 2 * 1.959963984540054


def quantities_of(numbers: Mapping[str, float | int]) -> tuple[Quantity, ...]:
    """Return numbers by path as quantities; whole ones are counts, and undefined ones are not there.

    Estimates in which larger numbers cancel are judged in standard errors: in the one that is given, that of their
    interval if it were a normal one, or for a standardised difference that of two samples alike. Instead of the limits
    of their intervals there is how far these lie `below` and `above` them.
    """
    shown: dict[str, float | int] = {}
    for path, value in numbers.items():
        stem, _, name = path.rpartition(".")
        if path.startswith(_SUBTRACTED) and name in {"lower", "upper"}:
            estimate = numbers[f"{stem}.estimate"]
            shown[f"{stem}.{'below' if name == 'lower' else 'above'}"] = abs(value - estimate)
        else:
            shown[path] = value
    shown |= {f"{stem}.standard_error": error for stem, error in _errors(shown).items()}
    return tuple(
        Quantity(path=path, kind=_kind(path, value), value=value, standard_error=_companion(path, shown))
        for path, value in shown.items()
        if np.isfinite(value)
    )


def _kind(path: str, value: float) -> Kind:
    if isinstance(value, int):
        return Kind.EXACT
    if path.endswith((".statistic", ".p_value")):
        return Kind.CURVATURE
    subtracted = path.startswith(_SUBTRACTED) and path.endswith(".estimate")
    return Kind.OPTIMUM if subtracted or path.startswith(_SEARCHED) else Kind.ALGEBRAIC


def _errors(numbers: Mapping[str, float | int]) -> dict[str, float]:
    """Return the standard errors of differences, which are not given as means have them."""
    found = {}
    if "difference.above" in numbers:
        found["difference"] = (numbers["difference.below"] + numbers["difference.above"]) / _NORMAL_WIDTH
    sizes = [value for path, value in numbers.items() if path.startswith(("total[", "n["))]
    if "standardised_difference.estimate" in numbers:
        found["standardised_difference"] = float(np.sqrt(sum(1 / max(size, 1) for size in sizes)))
    return found


def _companion(path: str, numbers: Mapping[str, float | int]) -> float | None:
    if not (path.startswith(_SUBTRACTED) and path.endswith(".estimate")):
        return None
    error = numbers.get(f"{path.removesuffix('.estimate')}.standard_error", np.nan)
    return float(error) if error > 0 else None


def evidence_of(cohort: Cohort, groups: Groups, columns: Mapping[str, Vector], outcome: str) -> InputEvidence:
    """Return sums over the rows used."""
    sums = {name: float(values[groups.rows].sum()) for name, values in columns.items()}
    return InputEvidence(
        n_observations=len(groups.rows),
        n_subjects=len(np.unique(cohort.subjects.codes[groups.rows])),
        outcome_sum=sums.pop(outcome),
        design_sums={**sums, "group": float(groups.group.sum())},
    )
