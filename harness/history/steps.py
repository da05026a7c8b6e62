"""Warn before a limit breaks: a step upwards of the share of a limit that is used up, or a trend that will cross it.

Shares are taken as logarithms, because a change of an optimiser multiplies them. A step is judged by the median of
the earlier runs and their median absolute deviation, which one odd run does not move, and a trend by Kendall's rank
correlation, whose null distribution depends on no noise. Simulated with series of stationary noise: less than one in
100,000 runs warns where the noise is normal with a standard deviation of a tenth of a decade (26 %) or less; with any
amount of normal noise 8 in 1,000 do after five earlier runs, 3 in 1,000 after ten, 3 in 10,000 after thirty.
"""

from dataclasses import dataclass
from math import exp, log, log10

import numpy as np
from scipy.stats import kendalltau

from harness.arrays import Vector

NEAR = 0.03
"""A share of a limit below this is no reason to worry, however it got there."""

FACTOR = 3.0
"""A smaller step is none: optimisers that stop on another iteration differ by as much."""

LEAST_EARLIER = 5
"""Fewer runs can't tell how much a series varies."""

AHEAD = 5
"""A trend that crosses the limit within so many runs is told."""

_NOTHING = 1e-6
_CHANCE = 2e-4  # seven runs in order have it
_TREND = 10
_DEVIATION = 1.4826  # a normal distribution's standard deviation in median absolute deviations
# (runs in the recent window, deviations that are too many, what few earlier runs add: their deviation is ill known)
_WINDOWS = ((1, 6.0, 5.0), (3, 4.0, 8.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The share of a limit rose by a factor, `runs` runs ago."""

    factor: float
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The share of a limit rises by a factor with each run, and reaches the limit in so many runs."""

    factor: float
    runs: int


def step(ratios: Vector) -> Step | None:
    """Return the step upwards at the end of a series of shares of a limit; None if there is none that matters.

    The median of the last run, or of the last three, is compared with the median of those before.
    """
    if not _matters(ratios):
        return None
    x = np.log10(np.maximum(ratios, _NOTHING))
    for window, deviations, few in _WINDOWS:
        earlier = x[:-window]
        if len(earlier) < LEAST_EARLIER:
            continue
        level = float(np.median(earlier))
        spread = _DEVIATION * float(np.median(np.abs(earlier - level)))
        rise = float(np.median(x[-window:])) - level
        if rise >= max(log10(FACTOR), deviations * (1 + few / len(earlier)) * spread) and rise > 0:
            return Step(factor=10**rise, runs=_since(x, level + rise / 2))
    return None


def trend(ratios: Vector) -> Trend | None:
    """Return the rising trend of the last ten runs if it reaches the limit within five more; None if there is none.

    The slope is Theil and Sen's: the median of the slopes between all pairs of runs.
    """
    if not _matters(ratios):
        return None
    x = np.log(np.maximum(ratios[-_TREND:], _NOTHING))
    i, j = np.triu_indices(len(x), 1)
    slope = float(np.median((x[j] - x[i]) / (j - i)))
    if slope <= 0 or x[-1] + AHEAD * slope < 0:
        return None
    found = kendalltau(np.arange(len(x)), x, alternative="greater")
    if not found.pvalue <= _CHANCE:
        return None
    return Trend(factor=exp(slope), runs=max(1, int(np.ceil(-log(float(ratios[-1])) / slope))))


def _matters(ratios: Vector) -> bool:
    """Whether a series is long enough, near its limit, and not beyond it already, which is a disagreement."""
    return len(ratios) > LEAST_EARLIER and bool(NEAR < ratios[-1] <= 1)


def _since(x: Vector, level: float) -> int:
    """Return how many runs at the end lie above the level."""
    below = np.flatnonzero(x <= level)
    return len(x) - (int(below[-1]) + 1 if len(below) else 0)
