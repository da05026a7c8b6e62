"""The predictive distribution of an outcome: a mixture over classes, and over draws of the parameters."""

import numpy as np

from harness.arrays import Tensor, Vector
from harness.gbtm.families.rows import second
from harness.gbtm.prediction.outcome_laws import Law, cumulative, mean
from harness.gbtm.spec import GbtmSpec

_HALVINGS = 80
_FAR = 12.0  # standard deviations: beyond them a normal has no share that counts


def predictive_mean(spec: GbtmSpec, found: Law, weights: Tensor, trials: Vector | None) -> Vector:
    """Return the mean (n,) of the mixture of laws with weights (S, K, n) that sum to 1 over both."""
    return np.asarray(np.sum(weights * mean(spec, found, trials), axis=(0, 1)))


def predictive_quantile(spec: GbtmSpec, found: Law, weights: Tensor, share: float, trials: Vector | None) -> Vector:
    """Return the smallest outcomes (n,) with at least a share of the mixture at or below them.

    A count or a number of successes is whole; a censored outcome is cut at its limits.
    """
    low, high = _bracket(spec, found, trials)
    whole = spec.family in {"logit", "poisson", "zip"}
    for _ in range(_HALVINGS):
        middle = np.floor((low + high) / 2) if whole else (low + high) / 2
        enough = np.sum(weights * cumulative(spec, found, middle, trials), axis=(0, 1)) >= share
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        if np.all(high - low <= (1.0 if whole else 0.0)):
            break
    if spec.family == "censored_normal" and spec.limits is not None:
        return np.clip(high, *spec.limits)
    return high


def _bracket(spec: GbtmSpec, found: Law, trials: Vector | None) -> tuple[Vector, Vector]:
    """Return values (n,) between which the quantiles lie: the lower one has none of the mixture, the upper one all."""
    n = found.eta.shape[-1]
    match spec.family:
        case "gaussian" | "censored_normal":
            reach = _FAR * np.exp(second(found.zeta))
            return (found.eta - reach).min(axis=(0, 1)), (found.eta + reach).max(axis=(0, 1))
        case "logit":
            return np.full(n, -1.0), np.ones(n) if trials is None else trials.copy()
        case "poisson" | "zip":
            rate = np.exp(found.eta).max(axis=(0, 1))
            return np.full(n, -1.0), np.ceil(rate + _FAR * np.sqrt(rate) + 4 * _FAR)
        case "beta":
            return np.zeros(n), np.ones(n)
