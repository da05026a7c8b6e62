"""The difference of two rates if both groups had the covariates of all: logistic regression, averaged."""

import math

import numpy as np
from scipy.special import expit, ndtri

from harness.arrays import Mask, Matrix, Vector
from harness.errors import Problem, ScoringError
from harness.rates.intervals import Interval

_MOST_STEPS = 50
_STILL = 1e-12
_SEPARATED = 1e-8


def adjusted_difference(events: Mask, treated: Mask, covariates: Matrix, level: float = 0.95) -> Interval:
    """Return the mean predicted rate of all with the treatment minus that of all without it (g-computation).

    The model is logistic with an intercept, the treatment and the covariates, without interaction; the interval comes
    from the covariance of its coefficients by the delta method, the covariates being taken as they are. In R,
    ``marginaleffects::avg_comparisons(glm(y ~ x + ..., binomial), variables = "x")``; by hand, with `V` of ``vcov``,
    ``g <- colMeans(p1 * (1 - p1) * X1 - p0 * (1 - p0) * X0)`` and ``sqrt(g %*% V %*% g)``.

    Parameters
    ----------
    events
        Whether each patient had the event, (n,).
    treated
        Whether each patient belongs to the group whose rate comes first, (n,).
    covariates
        Columns without an intercept, (n, p), finite.
    level
        Of the interval.

    Returns
    -------
    Interval
        NaN with a remark where the coefficients have no finite maximum: columns that determine each other, or that tell
        events from others without error.

    Raises
    ------
    ScoringError
        Arrays of different lengths, or covariates that are missing.
    """
    n = len(events)
    if treated.shape != (n,) or covariates.shape[:1] != (n,) or covariates.ndim != 2:
        problem = Problem(found="arrays of different lengths", expected="one row a patient in each")
        raise ScoringError("an adjusted difference", [problem])
    if not np.isfinite(covariates).all():
        problem = Problem(found="missing covariates", expected="patients with all of them")
        raise ScoringError("an adjusted difference", [problem])
    method = "logistic regression, averaged over all patients; delta method"
    spread = covariates.std(axis=0) if n else np.zeros(covariates.shape[1])
    scaled = (covariates - covariates.mean(axis=0)) / np.where(spread > 0, spread, 1.0) if n else covariates
    X = np.column_stack([np.ones(n), treated.astype(np.float64), scaled])
    if n == 0 or np.linalg.matrix_rank(X) < X.shape[1]:
        return _none(level, method, "columns that determine each other")
    beta, vcov = _logistic(events.astype(np.float64), X)
    if vcov is None:
        return _none(level, method, "events that the columns tell from others without error")
    sides = [np.column_stack([X[:, :1], np.full(n, side), X[:, 2:]]) for side in (1.0, 0.0)]
    rates = [expit(side @ beta) for side in sides]
    gradient = np.mean([p[:, None] * (1 - p[:, None]) * side for p, side in zip(rates, sides, strict=True)], axis=1)
    along = gradient[0] - gradient[1]
    half = float(ndtri(0.5 + level / 2)) * math.sqrt(float(along @ vcov @ along))
    estimate = float(rates[0].mean() - rates[1].mean())
    return Interval(estimate=estimate, lower=estimate - half, upper=estimate + half, level=level, method=method)


def _logistic(y: Vector, X: Matrix) -> tuple[Vector, Matrix | None]:
    """Return the coefficients and their covariance by Newton's method, None where there is no finite maximum."""
    beta = np.zeros(X.shape[1])
    for _ in range(_MOST_STEPS):
        p = expit(X @ beta)
        weight = p * (1 - p)
        if weight.max() < _SEPARATED:
            return beta, None
        information = X.T @ (weight[:, None] * X)
        if np.linalg.cond(information) > 1 / np.finfo(np.float64).eps:
            return beta, None
        step = np.linalg.solve(information, X.T @ (y - p))
        beta = beta + step
        if np.abs(step).max() < _STILL * (1 + np.abs(beta).max()):
            # Where one column separates the others stand still, but its weights vanish.
            fitted = expit(X @ beta)
            certain = np.minimum(fitted, 1 - fitted).min() < _SEPARATED
            return beta, None if certain else np.asarray(np.linalg.inv(information), dtype=np.float64)
    return beta, None


def _none(level: float, method: str, remark: str) -> Interval:
    nan = math.nan
    return Interval(estimate=nan, lower=nan, upper=nan, level=level, method=method, remark=remark)
