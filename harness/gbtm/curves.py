"""Fitted curves by class with their bands, and what was observed beside them."""

import numpy as np
import pandas as pd
from scipy.special import ndtri

from harness.arrays import Codes, Matrix, Vector
from harness.gbtm.design import GbtmDesign, Outcome
from harness.gbtm.estimation import covariance_refusal
from harness.gbtm.fit import GbtmFit
from harness.gbtm.mixture import Mixture
from harness.gbtm.uncertainty import CovarianceKind, free_covariance

_POINTS = 101
_MOST_TIMES = 15


def class_curves(
    fit: GbtmFit,
    design: GbtmDesign,
    times: Vector | None = None,
    level: float = 0.95,
    kind: CovarianceKind = "observed information",
) -> pd.DataFrame:
    """Return curves of the linear predictor by class with pointwise bands from the full covariance (delta method).

    Parameters
    ----------
    fit, design
        Of one model.
    times
        In the user's units; by default 101 points from the first to the last observed time.
    level
        Of the bands, for each time on its own.
    kind
        Of the covariance that the bands use.

    Returns
    -------
    DataFrame
        `latent_class` (from 1), the time column, `fitted`, `standard_error`, `lower`, `upper`; the last three are NaN
        where the fit has no standard errors. Covariates are at their means over the rows, an exposure is 1. The
        predictor is the mean of a gaussian outcome (the latent one where it is censored), the log-odds of a logit or
        beta outcome, the logarithm of a count's rate.
    """
    outcome, mixture = design.outcomes[0], design.mixture_of(fit.class_kinds)
    times = default_times(outcome) if times is None else np.asarray(times, dtype=np.float64)
    covariance = None if covariance_refusal(fit) else free_covariance(fit.vector, mixture, kind)
    width = ndtri(0.5 + level / 2)
    frames = []
    X = outcome.columns.at(times)
    for g, (place, used) in enumerate(coefficient_places(mixture), start=1):
        response = mixture.densities[0].response
        fitted = X[:, used] @ (response.scale * fit.vector[place] + response.pooled[used])
        # By the basis: the covariance of raw powers of a year or of days since 1970 has no digits left for this.
        error = np.full(len(times), np.nan)
        if covariance is not None:
            variance = np.einsum("tj,jk,tk->t", X[:, used], covariance[np.ix_(place, place)], X[:, used])
            error = response.scale * np.sqrt(np.maximum(variance, 0.0))
        frames.append(
            pd.DataFrame(
                {
                    "latent_class": g,
                    str(design.spec.time): times,
                    "fitted": fitted,
                    "standard_error": error,
                    "lower": fitted - width * error,
                    "upper": fitted + width * error,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def default_times(outcome: Outcome) -> Vector:
    """Return 101 times from the first to the last observed one."""
    return np.linspace(outcome.rows.time.min(), outcome.rows.time.max(), _POINTS)


def coefficient_places(mixture: Mixture, number: int = 0) -> list[tuple[Codes, Codes]]:
    """Return, by class, the places of an outcome's coefficients in the free vector and the columns they are of."""
    response, start = mixture.densities[number].response, mixture.parts[number].start
    found = []
    for g in range(mixture.n_classes):
        used = response.used(g)
        found.append((start + response.index[g, used], used))
    return found


def observed_means(posterior: Matrix, outcome: Outcome) -> pd.DataFrame:
    """Return means of the outcome weighted by posterior probabilities, by class and time.

    With more than 15 distinct times, rows fall into 10 bins of equal size, shown at their mean time.
    """
    y, time, panel = outcome.rows.y, outcome.rows.time, outcome.rows.panel
    distinct = np.unique(time)
    if len(distinct) <= _MOST_TIMES:
        place = np.searchsorted(distinct, time)
    else:
        cuts = np.quantile(time, np.linspace(0, 1, 11)[1:-1])
        place = np.searchsorted(cuts, time, side="right")
    weights = posterior[panel.subject]
    found = []
    for g in range(posterior.shape[1]):
        size = np.bincount(place, weights=weights[:, g])
        for b in np.flatnonzero(size > 0):
            here = place == b
            found.append(
                {
                    "latent_class": g + 1,
                    str(outcome.spec.time): float(time[here].mean()),
                    "weight": float(size[b]),
                    "mean": float(np.average(y[here], weights=weights[here, g])),
                }
            )
    return pd.DataFrame(found)
