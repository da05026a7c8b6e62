"""Fitted curves by class with their bands, differences between classes, and what was observed beside them."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness.arrays import Matrix, Vector
from harness.convergence import Stop
from harness.errors import Problem, SpecError
from harness.gbtm.account import GbtmFit
from harness.gbtm.design import GbtmDesign, Outcome
from harness.gbtm.estimation import covariance_refusal
from harness.gbtm.inference.bands import Bands, check_bands, critical_value, standard_errors
from harness.gbtm.inference.mean_curves import MeanCurves, mean_curves
from harness.gbtm.inference.observed_scale import Scale, bounded, bounds, unbounded
from harness.gbtm.uncertainty import CovarianceKind, free_covariance

_POINTS = 101
_MOST_TIMES = 15


def class_curves(
    fit: GbtmFit,
    design: GbtmDesign,
    times: Vector | None = None,
    level: float = 0.95,
    kind: CovarianceKind = "observed information",
    *,
    scale: Scale = "predictor",
    bands: Bands = "pointwise",
    outcome: int = 0,
    seed: int = 1,
) -> pd.DataFrame:
    """Return curves by class with bands from the full covariance (delta method).

    Parameters
    ----------
    fit, design
        Of one model.
    times
        In the user's units; by default 101 points from the first to the last observed time.
    level
        Of the bands.
    kind
        Of the covariance that the bands use.
    scale
        "predictor": the mean of a gaussian outcome (the latent one where it is censored), the log-odds of a logit or
        beta outcome, the logarithm of a count's rate. "response": the mean of the outcome as it is observed; limits
        are symmetric on a scale without bounds (logarithm of a count, log-odds of a share), so that they stay in range.
    bands
        "pointwise", for each time on its own, or "simultaneous" over the times of each class (sup-t).
    outcome
        Number of the outcome, from 0.
    seed
        Of simultaneous bands.

    Returns
    -------
    DataFrame
        `latent_class` (from 1), the time column, `fitted`, `standard_error`, `lower`, `upper`; the last three are NaN
        where the fit has no standard errors, or the class a parameter without a maximum. Covariates are at their means
        over the rows, an exposure is 1.

    Raises
    ------
    SpecError
        For a level, bands or a scale that do not exist; for times without a sigma, where the mean depends on it.
    """
    check_bands(level, bands, scale)
    own = design.outcomes[outcome]
    times = default_times(own) if times is None else np.asarray(times, dtype=np.float64)
    found = mean_curves(fit.vector, design.mixture_of(fit.class_kinds), own, times, scale=scale)
    covariance = _covariance(fit, design, kind)
    unbounded_classes = set(_classes_without_maximum(fit, design))
    frames = []
    for g in range(design.n_classes):
        fitted, error = found.fitted[g], np.full(len(times), np.nan)
        lower = upper = error
        if covariance is not None and g + 1 not in unbounded_classes:
            error = standard_errors(found.slopes[g], covariance)
            half = critical_value(found.slopes[g], covariance, level, bands, seed) * error
            lower, upper = _within(fitted, half, bounds(own.spec, scale))
        frames.append(
            pd.DataFrame(
                {
                    "latent_class": g + 1,
                    str(own.spec.time): times,
                    "fitted": fitted,
                    "standard_error": error,
                    "lower": lower,
                    "upper": upper,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def curve_differences(
    fit: GbtmFit,
    design: GbtmDesign,
    g: int,
    h: int,
    times: Vector | None = None,
    *,
    level: float = 0.95,
    kind: CovarianceKind = "observed information",
    scale: Scale = "predictor",
    bands: Bands = "pointwise",
    outcome: int = 0,
    seed: int = 1,
) -> pd.DataFrame:
    """Return the curve of class g less that of class h, with bands that know how both curves covary.

    Parameters
    ----------
    g, h
        Classes, from 1.
    fit, design, times, level, kind, scale, bands, outcome, seed
        As for `class_curves`; limits are symmetric.

    Returns
    -------
    DataFrame
        The time column, `difference`, `standard_error`, `lower`, `upper`.

    Raises
    ------
    SpecError
        As `class_curves`; or if g or h is no class, or both are the same.
    """
    check_bands(level, bands, scale)
    _check_classes(g, h, design.n_classes)
    own = design.outcomes[outcome]
    times = default_times(own) if times is None else np.asarray(times, dtype=np.float64)
    found = mean_curves(fit.vector, design.mixture_of(fit.class_kinds), own, times, scale=scale)
    difference, slopes = _difference(found, g, h)
    covariance = _covariance(fit, design, kind)
    error, half = np.full(len(times), np.nan), np.full(len(times), np.nan)
    if covariance is not None and not {g, h} & set(_classes_without_maximum(fit, design)):
        error = standard_errors(slopes, covariance)
        half = critical_value(slopes, covariance, level, bands, seed) * error
    return pd.DataFrame(
        {
            str(own.spec.time): times,
            "difference": difference,
            "standard_error": error,
            "lower": difference - half,
            "upper": difference + half,
        }
    )


def default_times(outcome: Outcome) -> Vector:
    """Return 101 times from the first to the last observed one."""
    return np.linspace(outcome.rows.time.min(), outcome.rows.time.max(), _POINTS)


def observed_means(posterior: Matrix, outcome: Outcome, weights: Vector | None = None) -> pd.DataFrame:
    """Return means of the outcome weighted by posterior probabilities, by class and time.

    With more than 15 distinct times, rows fall into 10 bins of equal size, shown at their mean time. `weights` (N,) are
    those of subjects, 1 by default.
    """
    y, time, panel = outcome.rows.y, outcome.rows.time, outcome.rows.panel
    distinct = np.unique(time)
    if len(distinct) <= _MOST_TIMES:
        place = np.searchsorted(distinct, time)
    else:
        cuts = np.quantile(time, np.linspace(0, 1, 11)[1:-1])
        place = np.searchsorted(cuts, time, side="right")
    by_row = (posterior if weights is None else posterior * weights[:, None])[panel.subject]
    found = []
    for g in range(posterior.shape[1]):
        size = np.bincount(place, weights=by_row[:, g])
        for b in np.flatnonzero(size > 0):
            here = place == b
            found.append(
                {
                    "latent_class": g + 1,
                    str(outcome.spec.time): float(time[here].mean()),
                    "weight": float(size[b]),
                    "mean": float(np.average(y[here], weights=by_row[here, g])),
                }
            )
    return pd.DataFrame(found)


def _within(fitted: Vector, half: Vector, limits: tuple[float, float]) -> tuple[Vector, Vector]:
    """Return limits that reach out by `half` on the scale without bounds, and so stay within these."""
    centre, slope = unbounded(fitted, limits)
    inside = np.isfinite(centre) & np.isfinite(slope)
    centre, reach = np.where(inside, centre, 0.0), np.where(inside, half * np.where(inside, slope, 0.0), 0.0)
    # A mean that rounding has put on a bound has no place on that scale, and next to no standard error.
    return (
        np.where(inside, bounded(centre - reach, limits), np.clip(fitted - half, *limits)),
        np.where(inside, bounded(centre + reach, limits), np.clip(fitted + half, *limits)),
    )


def _covariance(fit: GbtmFit, design: GbtmDesign, kind: CovarianceKind) -> Matrix | None:
    if covariance_refusal(fit):
        return None
    return free_covariance(fit.vector, design.mixture_of(fit.class_kinds), kind)


def _classes_without_maximum(fit: GbtmFit, design: GbtmDesign) -> Iterator[int]:
    """Yield the classes (from 1) whose curve depends on a parameter that has no maximum."""
    if fit.convergence.stop != Stop.BOUNDARY:
        return
    parameters = design.mixture_of(fit.class_kinds).parameters
    for k in fit.best.boundary:
        if parameters[k].role != "log_odds":
            yield from [parameters[k].latent_class] if parameters[k].latent_class else range(1, design.n_classes + 1)


def _difference(found: MeanCurves, g: int, h: int) -> tuple[Vector, Matrix]:
    return found.fitted[g - 1] - found.fitted[h - 1], found.slopes[g - 1] - found.slopes[h - 1]


def _check_classes(g: int, h: int, n_classes: int) -> None:
    wrong = [c for c in (g, h) if c not in range(1, n_classes + 1)]
    problems = [Problem(found=f"class {c!r:.20}", expected=f"a class from 1 to {n_classes}") for c in wrong]
    if not problems and g == h:
        problems.append(Problem(found=f"class {g} twice", expected="two classes"))
    if problems:
        raise SpecError("difference of curves", problems)
