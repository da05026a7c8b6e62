"""Fitted curves by class with their bands, and what was observed beside them."""

import numpy as np
import pandas as pd
from scipy.special import ndtri

from harness.arrays import Matrix, Vector
from harness.gbtm.design import GbtmDesign
from harness.gbtm.estimation import covariance_refusal, free_covariance
from harness.gbtm.fit import GbtmFit
from harness.gbtm.parameters import layout_of

_POINTS = 101
_MOST_TIMES = 15


def class_curves(fit: GbtmFit, design: GbtmDesign, times: Vector | None = None, level: float = 0.95) -> pd.DataFrame:
    """Return mean curves by class with pointwise bands from the full covariance (delta method).

    Parameters
    ----------
    fit, design
        Of one model.
    times
        In the user's units; by default 101 points from the first to the last observed time.
    level
        Of the bands, for each time on its own.

    Returns
    -------
    DataFrame
        `latent_class` (from 1), the time column, `fitted`, `standard_error`, `lower`, `upper`; the last three are NaN
        where the fit has no standard errors.
    """
    if times is None:
        times = np.linspace(design.time.min(), design.time.max(), _POINTS)
    times = np.asarray(times, dtype=np.float64)
    layout = layout_of(design, fit.orders)
    refused = bool(covariance_refusal(fit))
    vector = fit.vector
    covariance = None if refused else free_covariance(vector, design, layout)
    basis = design.basis_at(times)
    width = ndtri(0.5 + level / 2)
    frames = []
    for g, (block, order) in enumerate(zip(layout.blocks(), layout.orders, strict=True), start=1):
        X = basis[:, : order + 1]
        fitted = X @ (design.scale * vector[block] + design.pooled[: order + 1])
        # By the basis: the covariance of raw powers of a year or of days since 1970 has no digits left for this.
        error = np.full(len(times), np.nan)
        if covariance is not None:
            error = design.scale * np.sqrt(np.einsum("tj,jk,tk->t", X, covariance[block, block], X))
        frames.append(
            pd.DataFrame(
                {
                    "latent_class": g,
                    design.spec.time: times,
                    "fitted": fitted,
                    "standard_error": error,
                    "lower": fitted - width * error,
                    "upper": fitted + width * error,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def observed_means(posterior: Matrix, design: GbtmDesign) -> pd.DataFrame:
    """Return means of the outcome weighted by posterior probabilities, by class and time.

    With more than 15 distinct times, rows fall into 10 bins of equal size, shown at their mean time.
    """
    distinct = np.unique(design.time)
    if len(distinct) <= _MOST_TIMES:
        place = np.searchsorted(distinct, design.time)
    else:
        cuts = np.quantile(design.time, np.linspace(0, 1, 11)[1:-1])
        place = np.searchsorted(cuts, design.time, side="right")
    rows = np.diff(np.append(design.subject_starts, len(design.y)))
    weights = np.repeat(posterior, rows, axis=0)
    found = []
    for g in range(posterior.shape[1]):
        size = np.bincount(place, weights=weights[:, g])
        for b in np.flatnonzero(size > 0):
            here = place == b
            found.append(
                {
                    "latent_class": g + 1,
                    design.spec.time: float(design.time[here].mean()),
                    "weight": float(size[b]),
                    "mean": float(np.average(design.y[here], weights=weights[here, g])),
                }
            )
    return pd.DataFrame(found)
