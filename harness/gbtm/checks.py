"""Why a trajectory model can't be fitted to a cohort: every reason at once."""

from collections.abc import Iterator
from typing import get_args

import numpy as np

from harness.cohorts.cohort import Cohort
from harness.errors import Problem, SpecError, nearest
from harness.gbtm.spec import Family, GbtmSpec, Sigma

_LARGEST = 1e60
"""Powers and squares of larger numbers overflow, and those of smaller ones vanish."""


def refuse(spec: GbtmSpec, cohort: Cohort) -> None:
    """Raise a SpecError with all problems of this model on this cohort, if there are any."""
    problems = [*_settings(spec), *_columns(spec, cohort)]
    if not problems:
        problems += _rows(spec, cohort)
    if not problems:
        problems += _identification(spec, cohort)
    if problems:
        raise SpecError(f"trajectory model of {spec.outcome!r} in cohort {cohort.name!r}", problems)


def _settings(spec: GbtmSpec) -> Iterator[Problem]:
    if not spec.orders:
        yield Problem(found="no polynomial orders", expected="one order per class, such as (2, 2, 1)")
    for order in spec.orders:
        if not _is_whole(order, 0):
            yield Problem(found=f"order {order!r}", expected="a whole number >= 0; 0 is a constant class")
    for name, word, allowed in (
        ("family", spec.family, get_args(Family)),
        ("sigma", spec.sigma, get_args(Sigma)),
    ):
        if word not in allowed:
            yield Problem(found=f"{name} {word!r}", expected=f"one of {', '.join(map(repr, allowed))}")
    for name, value, least in (("n_starts", spec.n_starts, 1), ("seed", spec.seed, 0)):
        if not _is_whole(value, least):
            yield Problem(found=f"{name} {value!r}", expected=f"a whole number >= {least}")


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _columns(spec: GbtmSpec, cohort: Cohort) -> Iterator[Problem]:
    for role, name in (("outcome", spec.outcome), ("time", spec.time)):
        if name in cohort.numeric:
            continue
        if name in cohort.factors:
            yield Problem(found=f"{role} {name!r} is categorical", expected="a numeric column", column=name)
        else:
            yield _unknown(role, name, cohort)
    if spec.subject in cohort.numeric:
        yield Problem(
            found=f"subject {spec.subject!r} is numeric",
            expected=f"a categorical column, such as {cohort.subject!r}",
            column=spec.subject,
            advice="Read it with the role of a subject.",
        )
    elif spec.subject not in cohort.factors:
        yield _unknown("subject", spec.subject, cohort)
    if spec.outcome == spec.time:
        yield Problem(found=f"outcome and time are both {spec.outcome!r}", expected="two columns")


def _unknown(role: str, name: str, cohort: Cohort) -> Problem:
    return Problem(
        found=f"{role} {name!r} is not in the cohort",
        expected=f"one of {', '.join(map(repr, cohort.columns))}",
        column=str(name),
        advice=nearest(str(name), cohort.columns),
    )


def _rows(spec: GbtmSpec, cohort: Cohort) -> Iterator[Problem]:
    y, time = cohort.numeric[spec.outcome], cohort.numeric[spec.time]
    codes = cohort.factors[spec.subject].codes
    observed = ~np.isnan(y)
    if not observed.any():
        yield Problem(found="the outcome is missing in every row", expected="numbers", column=spec.outcome)
        return
    for name, wrong, what, expected in (
        (spec.outcome, np.isinf(y), "an infinite outcome", "a finite outcome, or none"),
        (spec.time, observed & np.isnan(time), "no time", "a time in every row with an outcome"),
        (spec.time, observed & np.isinf(time), "an infinite time", "a finite time in every row with an outcome"),
        (spec.subject, observed & (codes < 0), "no subject", "a subject in every row with an outcome"),
    ):
        if wrong.any():
            rows = np.flatnonzero(wrong) + 1
            named = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
            yield Problem(found=f"{what} in {len(rows)} row(s): {named}", expected=expected, column=name)
    for name, values in ((spec.outcome, y[observed]), (spec.time, time[observed])):
        largest = float(np.abs(values).max())
        if np.isfinite(largest) and not (largest == 0 or 1 / _LARGEST <= largest <= _LARGEST):
            yield Problem(
                found=f"values of up to {largest:g}",
                expected=f"{1 / _LARGEST:g} to {_LARGEST:g} in size",
                column=name,
                advice="Use another unit.",
            )
    if np.ptp(y[observed]) == 0:
        yield Problem(
            found=f"the outcome is {float(y[observed][0])!r} in every row",
            expected="an outcome that varies",
            column=spec.outcome,
        )


def _identification(spec: GbtmSpec, cohort: Cohort) -> Iterator[Problem]:
    observed = ~np.isnan(cohort.numeric[spec.outcome])
    y, time = cohort.numeric[spec.outcome][observed], cohort.numeric[spec.time][observed]
    n_subjects = len(np.unique(cohort.factors[spec.subject].codes[observed]))
    if spec.n_classes > n_subjects:
        yield Problem(
            found=f"{spec.n_classes} classes for {n_subjects} subject(s) with an outcome",
            expected=f"at most {n_subjects} classes",
        )
    n_times = len(np.unique(time))
    highest = max(spec.orders)
    if highest > n_times - 1:
        yield Problem(
            found=f"order {highest} with {n_times} distinct time(s)" + (": time is constant" if n_times == 1 else ""),
            expected=f"orders of at most {n_times - 1}",
            column=spec.time,
        )
        return
    half_range = np.ptp(time) / 2 or 1.0
    X = np.vander((time - time.min()) / half_range - 1, highest + 1, increasing=True)
    residuals = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    # At this level what is left is rounding, and any sigma would be rounding too.
    if np.sqrt(np.mean(residuals**2)) <= 1e-12 * np.max(np.abs(y)):
        yield Problem(
            found=f"the outcome is an exact polynomial of {spec.time!r}, the same for every subject",
            expected="an outcome that varies between or within subjects",
            column=spec.outcome,
        )
