"""How wide bands are: for each time on its own, or so that a whole curve lies within."""

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
from scipy.special import ndtri

from harness.arrays import Matrix, Vector
from harness.errors import Problem, SpecError

Bands = Literal["pointwise", "simultaneous"]

_DRAWS = 20_000


def standard_errors(slopes: Matrix, covariance: Matrix) -> Vector:
    """Return the standard errors (T,) of functions with these slopes (T, P) by the delta method."""
    return np.asarray(np.sqrt(np.maximum(np.einsum("tp,pq,tq->t", slopes, covariance, slopes, optimize=True), 0.0)))


def critical_value(slopes: Matrix, covariance: Matrix, level: float, bands: Bands, seed: int) -> float:
    """Return how many standard errors a band reaches out.

    Parameters
    ----------
    slopes
        Of the functions by the parameters, (T, P).
    covariance
        Of the parameters, (P, P).
    level
        With which each function ("pointwise"), or all of them at once ("simultaneous"), are to be covered.
    bands
        The latter is the quantile of the largest of T correlated |z| (sup-t; Montiel Olea & Plagborg-Moller 2019),
        from 20 000 draws: its own error is about 0.01.
    seed
        Of the draws. R: ``mvtnorm::qmvnorm(level, tail = "both.tails", corr = C)``.
    """
    if bands == "pointwise":
        return float(ndtri(0.5 + level / 2))
    error = standard_errors(slopes, covariance)
    values, axes = np.linalg.eigh(covariance)
    root = axes * np.sqrt(np.maximum(values, 0.0))
    varying = error > 0
    loadings = (slopes[varying] @ root) / error[varying, None]
    z = np.random.default_rng(seed).standard_normal((_DRAWS, loadings.shape[1]))
    return float(np.quantile(np.abs(z @ loadings.T).max(axis=1, initial=0.0), level))


def checked_level(level: float, where: str) -> float:
    """Return the probability with which an interval is to cover, or raise a SpecError if it is none."""
    problems = list(level_problems(level))
    if problems:
        raise SpecError(where, problems)
    return float(level)


def level_problems(level: object) -> Iterator[Problem]:
    """Yield the complaint about a level that is no probability between 0 and 1."""
    if not isinstance(level, int | float | np.integer | np.floating) or not 0 < level < 1:
        yield Problem(found=f"level {level!r:.40}", expected="a number between 0 and 1, such as 0.95")


def check_bands(level: float, bands: str, scale: str) -> None:
    """Raise a SpecError with what is wrong with the settings of bands."""
    problems = list(level_problems(level))
    if bands not in get_args(Bands):
        problems.append(Problem(found=f"bands {bands!r:.40}", expected="'pointwise' or 'simultaneous'"))
    if scale not in {"predictor", "response"}:
        problems.append(Problem(found=f"scale {scale!r:.40}", expected="'predictor' or 'response'"))
    if problems:
        raise SpecError("curves", problems)
