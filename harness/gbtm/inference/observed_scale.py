"""The mean of an outcome as it is observed, as a function of the predictors, and a scale on which it has no bounds."""

from typing import Literal

import numpy as np
from scipy.special import expit, ndtr

from harness.arrays import Matrix
from harness.errors import Problem, SpecError
from harness.gbtm.families.build import row_family
from harness.gbtm.families.gaussian import HALF_LOG_2PI
from harness.gbtm.families.rows import second
from harness.gbtm.spec import GbtmSpec

Scale = Literal["predictor", "response"]

_HIGHEST = 300.0  # of a log mean, whose exponential still has a square


def mean_and_slopes(spec: GbtmSpec, eta: Matrix, zeta: Matrix | None) -> tuple[Matrix, Matrix, Matrix]:
    """Return the mean of an outcome and its slopes by eta and zeta, all of the shape of eta, in the user's units.

    Of "censored_normal" that is lower Phi(a) + upper Phi(-b) + eta (Phi(b) - Phi(a)) + sigma (phi(a) - phi(b)) with
    a = (lower - eta) / sigma, b = (upper - eta) / sigma; of "logit" a share of the trials.

    Raises
    ------
    SpecError
        If a mean count is too large to be a number, far from the times of the data.
    """
    if spec.family in {"poisson", "zip"} and np.max(eta, initial=0.0) > _HIGHEST:
        found = f"a mean count of 1e{float(np.max(eta)) / np.log(10):.0f}"
        raise SpecError("curves", [Problem(found=found, expected="times at which the mean is a number")])
    mean = row_family(spec.family, np.full(eta.shape[-1], np.nan), spec.limits).mean(eta, zeta)
    zero = np.zeros_like(mean)
    match spec.family:
        case "gaussian":
            return mean, np.ones_like(mean), zero
        case "logit" | "beta":
            return mean, mean * expit(-eta), zero
        case "poisson":
            return mean, mean, zero
        case "zip":
            return mean, mean, -expit(second(zeta)) * mean
        case "censored_normal":
            sigma = np.exp(second(zeta))
            lower, upper = _limits(spec)
            a, b = (lower - eta) / sigma, (upper - eta) / sigma
            # A mean that is a limit but for rounding must not lie beyond it.
            return np.clip(mean, lower, upper), ndtr(b) - ndtr(a), sigma * (_phi(a) - _phi(b))


def bounds(spec: GbtmSpec, scale: Scale) -> tuple[float, float]:
    """Return between which bounds the curves of a family lie on a scale."""
    if scale == "predictor" or spec.family == "gaussian":
        return -np.inf, np.inf
    if spec.family == "censored_normal":
        return _limits(spec)
    return (0.0, 1.0) if spec.family in {"logit", "beta"} else (0.0, np.inf)


def unbounded(mean: Matrix, limits: tuple[float, float]) -> tuple[Matrix, Matrix]:
    """Return a function of a mean that has no bounds, and its slope.

    Without bounds the mean itself; with one the logarithm of the distance from it; with two the log-odds of the place
    between them.
    """
    lower, upper = limits
    with np.errstate(divide="ignore", invalid="ignore"):
        below = (np.log(mean - lower), 1 / (mean - lower)) if np.isfinite(lower) else (0.0, 0.0)
        above = (-np.log(upper - mean), 1 / (upper - mean)) if np.isfinite(upper) else (0.0, 0.0)
    if not np.isfinite(lower) and not np.isfinite(upper):
        return mean, np.ones_like(mean)
    return np.asarray(below[0] + above[0]), np.asarray(below[1] + above[1])


def bounded(values: Matrix, limits: tuple[float, float]) -> Matrix:
    """Return the means that `unbounded` makes these values of."""
    lower, upper = limits
    if np.isfinite(lower) and np.isfinite(upper):
        return np.asarray(lower + (upper - lower) * expit(values))
    with np.errstate(over="ignore"):
        if np.isfinite(lower):
            return np.asarray(lower + np.exp(values))
        if np.isfinite(upper):
            return np.asarray(upper - np.exp(-values))
    return values


def _limits(spec: GbtmSpec) -> tuple[float, float]:
    return (-np.inf, np.inf) if spec.limits is None else spec.limits


def _phi(x: Matrix) -> Matrix:
    return np.asarray(np.exp(-0.5 * x * x - HALF_LOG_2PI))
