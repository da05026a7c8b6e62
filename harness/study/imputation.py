"""Scores of one group of patients as draws of a normal distribution: maximum likelihood, Little's test, imputations.

Rows are patients, columns visits, missing scores NaN. Imputations are those of Schafer (1997, ch. 5): in turn missing
scores given the parameters, and parameters given all scores, under the prior |Sigma|^(-(q + 1) / 2).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from harness.arrays import Codes, Mask, Matrix, Tensor, Vector, read_only

BURN_IN = 60
_EM_STEPS = 2_000
_SETTLED = 1e-11


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NormalScores:
    """Mean (q,) and covariance (q, q) of scores, by maximum likelihood under missingness at random."""

    mean: Vector
    covariance: Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class LittleTest:
    """Little's test that scores are missing completely at random: the means of patterns differ by chance alone."""

    statistic: float
    df: int
    p: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pattern:
    """Patients with the same scores missing: their rows, the visits rated, and those missing."""

    rows: Codes
    seen: Codes
    missing: Codes


def maximum_likelihood(scores: Matrix) -> NormalScores:
    """Return mean and covariance of scores (n, q) by EM; patients without any are left out.

    In R ``norm::em.norm``, or ``nlme::gls(y ~ visit, correlation = corSymm(form = ~ visit | subject), weights =
    varIdent(form = ~ 1 | visit), method = "ML")``.
    """
    scores = scores[~np.isnan(scores).all(axis=1)]
    n, q = scores.shape
    mean, covariance = np.nanmean(scores, axis=0), np.diag(np.nanvar(scores, axis=0))
    patterns = tuple(_patterns(scores))
    for _ in range(_EM_STEPS):
        filled, spread = scores.copy(), np.zeros((q, q))
        for pattern in patterns:
            slope, left = _regression(covariance, pattern)
            found = mean[pattern.missing] + (scores[np.ix_(pattern.rows, pattern.seen)] - mean[pattern.seen]) @ slope.T
            filled[np.ix_(pattern.rows, pattern.missing)] = found
            spread[np.ix_(pattern.missing, pattern.missing)] += len(pattern.rows) * left
        new_mean = filled.mean(axis=0)
        new_covariance = ((filled - new_mean).T @ (filled - new_mean) + spread) / n
        step = max(np.abs(new_mean - mean).max(), np.abs(new_covariance - covariance).max() / covariance.max())
        mean, covariance = new_mean, new_covariance
        if step < _SETTLED:
            break
    return NormalScores(mean=read_only(mean), covariance=read_only(covariance))


def little_test(scores: Matrix) -> LittleTest:
    """Return Little's test (1988) of scores (n, q); in R ``naniar::mcar_test``, whose EM stops earlier."""
    scores = scores[~np.isnan(scores).all(axis=1)]
    found, df, statistic = maximum_likelihood(scores), -scores.shape[1], 0.0
    for pattern in _patterns(scores):
        seen = pattern.seen
        apart = scores[np.ix_(pattern.rows, seen)].mean(axis=0) - found.mean[seen]
        statistic += len(pattern.rows) * float(apart @ np.linalg.solve(found.covariance[np.ix_(seen, seen)], apart))
        df += len(seen)
    return LittleTest(statistic=statistic, df=df, p=float(chi2.sf(statistic, df)) if df > 0 else float("nan"))


def imputations(scores: Matrix, draws: int, seed: int) -> Tensor:
    """Return scores with the missing ones drawn, (draws, n, q): the ends of as many independent chains.

    Parameters
    ----------
    scores
        Of one group, (n, q); patients without any score are drawn from the whole distribution.
    draws, seed
        How many imputations, and the seed from which they follow.
    """
    generator = np.random.default_rng(seed)
    start = maximum_likelihood(scores)
    n, q = scores.shape
    mean = np.tile(start.mean, (draws, 1))
    covariance = np.tile(start.covariance, (draws, 1, 1))
    filled = np.tile(scores, (draws, 1, 1))
    patterns = [pattern for pattern in _patterns(scores) if len(pattern.missing)]
    for _ in range(BURN_IN):
        for pattern in patterns:
            _draw_missing(filled, pattern, mean, covariance, generator)
        centre = filled.mean(axis=1)
        apart = filled - centre[:, None]
        root = np.linalg.cholesky(np.swapaxes(apart, 1, 2) @ apart)
        turned = root @ np.linalg.inv(np.swapaxes(_bartlett(draws, q, n - 1, generator), 1, 2))
        covariance = turned @ np.swapaxes(turned, 1, 2)
        shift = np.linalg.cholesky(covariance / n) @ generator.standard_normal((draws, q, 1))
        mean = centre + shift[..., 0]
    return filled


def _draw_missing(
    filled: Tensor, pattern: _Pattern, mean: Matrix, covariance: Tensor, generator: np.random.Generator
) -> None:
    """Draw the missing scores of a pattern in every chain, in place."""
    rows, seen, missing = pattern.rows, pattern.seen, pattern.missing
    of_missing = covariance[:, missing[:, None], missing]
    expected = np.repeat(mean[:, None, missing], len(rows), axis=1)
    if len(seen):
        across = covariance[:, missing[:, None], seen]
        slope = np.swapaxes(np.linalg.solve(covariance[:, seen[:, None], seen], np.swapaxes(across, 1, 2)), 1, 2)
        expected += (filled[:, rows[:, None], seen] - mean[:, None, seen]) @ np.swapaxes(slope, 1, 2)
        of_missing = of_missing - slope @ np.swapaxes(across, 1, 2)
    noise = generator.standard_normal(expected.shape)
    filled[:, rows[:, None], missing] = expected + noise @ np.swapaxes(np.linalg.cholesky(of_missing), 1, 2)


def _bartlett(draws: int, q: int, df: int, generator: np.random.Generator) -> Tensor:
    """Return lower triangles A (draws, q, q) whose A A' are Wishart with unit scale."""
    lower = np.tril(generator.standard_normal((draws, q, q)), -1)
    each = np.arange(q)
    lower[:, each, each] = np.sqrt(generator.chisquare(df - each, (draws, q)))
    return np.asarray(lower)


def _regression(covariance: Matrix, pattern: _Pattern) -> tuple[Matrix, Matrix]:
    """Return the slopes of missing scores on those seen, and the covariance that is left."""
    seen, missing = pattern.seen, pattern.missing
    slope: Matrix = np.asarray(
        np.linalg.solve(covariance[np.ix_(seen, seen)], covariance[np.ix_(seen, missing)]).T, dtype=np.float64
    )
    return slope, covariance[np.ix_(missing, missing)] - slope @ covariance[np.ix_(seen, missing)]


def _patterns(scores: Matrix) -> Iterator[_Pattern]:
    missing: Mask = np.isnan(scores)
    kinds, belongs = np.unique(missing, axis=0, return_inverse=True)
    for k, kind in enumerate(kinds):
        yield _Pattern(
            rows=np.flatnonzero(belongs.ravel() == k), seen=np.flatnonzero(~kind), missing=np.flatnonzero(kind)
        )
