"""What is left within classes: how skewed and heavy-tailed it is, and how alike within a subject.

Residuals are those of every class, (K, n), each weighted by the probability that its subject is of that class.
"""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Vector
from harness.gbtm.densities.rows import RowsDensity
from harness.gbtm.design import GbtmDesign
from harness.gbtm.mixture import Mixture
from harness.gbtm.panel import Panel


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResidualMoments:
    """Of classes 1..K, then of all together, (K + 1,) each.

    `skewness` and `excess_kurtosis` of the residuals; `lag_one`, their correlation between visits next to each other
    of a subject; `within_subject`, their correlation between any two visits of a subject (an intraclass correlation).
    """

    skewness: Vector
    excess_kurtosis: Vector
    lag_one: Vector
    within_subject: Vector


def class_means(vector: Vector, mixture: Mixture, design: GbtmDesign, number: int = 0) -> Matrix:
    """Return the mean of an outcome as it is observed, by class and row, (K, n), in the user's units."""
    at = design.outcomes[number].density
    density, own = mixture.densities[at], vector[None, mixture.parts[at]]
    response = density.response
    if isinstance(density, RowsDensity):
        means = density.family.mean(*density.predictors(own))[0]
    else:
        means = response.predictor(own)[0]
    return np.asarray(response.X @ response.pooled + response.scale * means)


def residual_moments(residuals: Matrix, posterior: Matrix, panel: Panel) -> ResidualMoments:
    """Return the moments of residuals (K, n) with class probabilities (K, N) of their subjects.

    Each class is scaled by its own standard deviation before all are put together, so that classes of unequal spread
    do not look heavy-tailed.
    """
    weights = posterior[:, panel.subject]
    sizes = weights.sum(axis=1, keepdims=True)
    centred = residuals - np.sum(weights * residuals, axis=1, keepdims=True) / sizes
    z = centred / np.sqrt(np.sum(weights * centred**2, axis=1, keepdims=True) / sizes)
    next_to = np.flatnonzero(panel.subject[1:] == panel.subject[:-1])
    pairs = panel.sizes * (panel.sizes - 1.0)
    products = panel.sum(z) ** 2 - panel.sum(z**2)
    return ResidualMoments(
        skewness=_mean(weights * z**3, weights),
        excess_kurtosis=_mean(weights * z**4, weights) - 3,
        lag_one=_mean(weights[:, next_to] * z[:, next_to] * z[:, next_to + 1], weights[:, next_to]),
        within_subject=_mean(posterior * products, posterior * pairs),
    )


def _mean(values: Matrix, weights: Matrix) -> Vector:
    """Return sums of values over sums of weights, by class and of all, (K + 1,); NaN where there is no weight."""
    above, below = values.sum(axis=1), weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.append(above, above.sum()) / np.append(below, below.sum()))
