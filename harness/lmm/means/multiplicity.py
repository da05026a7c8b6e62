"""p values and critical values for several comparisons at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy import optimize, stats
from scipy.stats import qmc

from harness.arrays import Matrix, Vector
from harness.errors import Problem, SpecError
from harness.lmm.inference.distributions import t_quantile, two_sided_p

Adjustment = Literal["none", "bonferroni", "holm", "tukey", "dunnett"]
"""`dunnett` is the single-step adjustment by the joint multivariate t distribution of the statistics themselves."""

_POINTS = 2**15
_SEED = 1955
_SINGULAR = 1e-10
# Above so many degrees of freedom the studentized range is that of normal means; scipy's integral needs a number.
_NORMAL_DF = 1e6


def check_adjustment(adjust: str) -> None:
    """Raise SpecError if there is no such adjustment."""
    if adjust not in get_args(Adjustment):
        expected = f"one of {', '.join(get_args(Adjustment))}"
        raise SpecError("contrasts", [Problem(found=f"adjust = {adjust!r:.40}", expected=expected)])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Simultaneous:
    """How k statistics are judged at once.

    `n_means` is of how many means they are all pairs; only "tukey" uses it. `correlation` (k, k), possibly singular, is
    that of the estimates; only "dunnett" uses it. R: ``emmeans::contrast(..., adjust = )``, where "dunnett" is "mvt",
    random to about 1e-4 there and deterministic here.
    """

    adjust: Adjustment
    n_means: int
    correlation: Matrix

    def p_values(self, statistics: Vector, df: Vector) -> Vector:
        """Return two-sided p values (k,) of t statistics with df (k,), infinite for z; NaN where df are NaN."""
        single, k = two_sided_p(statistics, df), len(df)
        if self.adjust == "none" or k <= 1:
            return single
        if self.adjust == "bonferroni":
            return np.minimum(k * single, 1.0)
        if self.adjust == "holm":
            order = np.argsort(single, kind="stable")
            adjusted = np.empty(k)
            adjusted[order] = np.minimum(np.maximum.accumulate(single[order] * np.arange(k, 0, -1)), 1.0)
            return adjusted
        if self.adjust == "tukey":
            ranges = np.sqrt(2) * np.abs(statistics)
            return np.asarray(stats.studentized_range.sf(ranges, self.n_means, np.minimum(df, _NORMAL_DF)))
        joint = _Joint(self.correlation)
        return np.array([joint.exceeded(abs(t), nu) for t, nu in zip(statistics.tolist(), df.tolist(), strict=True)])

    def critical_values(self, df: Vector, level: float) -> Vector:
        """Return by how many standard errors (k,) intervals reach out, so that all k hold at once at `level`.

        Holm's procedure has no intervals of its own: Bonferroni's stand in, as in emmeans.
        """
        k, single = len(df), t_quantile(level, df)
        if self.adjust == "none" or k <= 1:
            return single
        bonferroni = t_quantile(1 - (1 - level) / k, df)
        if self.adjust in {"bonferroni", "holm"}:
            return bonferroni
        if self.adjust == "tukey":
            exceeded = self._range_exceeded
            bonferroni = t_quantile(1 - (1 - level) / (self.n_means * (self.n_means - 1) / 2), df)
        else:
            exceeded = _Joint(self.correlation).exceeded
        distinct, first, place = np.unique(df, return_index=True, return_inverse=True)
        brackets = zip(0.99 * single[first], 1.01 * bonferroni[first], strict=True)
        found = [_critical(exceeded, level, nu, ends) for nu, ends in zip(distinct.tolist(), brackets, strict=True)]
        return np.array(found)[place.reshape(-1)]

    def _range_exceeded(self, bound: float, df: float) -> float:
        """Return the probability that the largest of all pairs' statistics exceeds the bound."""
        return float(stats.studentized_range.sf(np.sqrt(2) * bound, self.n_means, min(df, _NORMAL_DF)))


class _Joint:
    """The largest of k correlated statistics: r |w'C| for a direction w, uniform on the sphere, and a radius r.

    CC' is the correlation. For each of many directions (a Sobol sequence) the radius, whose square over the rank has an
    F distribution, is integrated exactly, so that small p values keep their digits (Deak 1980; Genz and Bretz 2002).
    """

    def __init__(self, correlation: Matrix) -> None:
        values, axes = np.linalg.eigh(correlation)
        kept = values > _SINGULAR * values[-1]
        root = axes[:, kept] * np.sqrt(values[kept])
        self._rank = int(kept.sum())
        directions = qmc.MultivariateNormalQMC(np.zeros(self._rank), rng=_SEED).random(_POINTS)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        self._reaches = np.abs(directions @ root.T).max(axis=1)

    def exceeded(self, bound: float, df: float) -> float:
        """Return the probability that the largest of the statistics exceeds the bound."""
        if np.isnan(df):
            return df
        squares = (bound / self._reaches) ** 2
        tail = (
            stats.f.sf(squares / self._rank, self._rank, df) if np.isfinite(df) else stats.chi2.sf(squares, self._rank)
        )
        return float(tail.mean())


def _critical(
    exceeded: Callable[[float, float], float], level: float, df: float, bracket: tuple[float, float]
) -> float:
    """Return the bound that is exceeded with probability 1 - level; NaN without degrees of freedom."""
    if np.isnan(df):
        return df
    return float(optimize.brentq(lambda bound: exceeded(bound, df) - (1 - level), *bracket, xtol=1e-10))
