"""How far groups differ at baseline, in standard deviations: a description of these patients, not a test."""

from collections.abc import Sequence

import numpy as np

from harness.arrays import Vector


def difference_of_means(other: Vector, reference: Vector) -> float:
    """Return the difference of two means by the root of the mean of the two variances; NaN where it has none.

    In R, ``(mean(x) - mean(y)) / sqrt((var(x) + var(y)) / 2)``.

    Parameters
    ----------
    other, reference
        Values of the two groups, (n,) each, without missing ones.
    """
    if min(other.size, reference.size) < 2:
        return float("nan")
    pooled = (other.var(ddof=1) + reference.var(ddof=1)) / 2
    difference = float(other.mean() - reference.mean())
    if pooled == 0:
        return 0.0 if difference == 0 else float("nan")
    return difference / float(np.sqrt(pooled))


def difference_of_shares(other: Sequence[int], reference: Sequence[int]) -> float:
    """Return how far two distributions over levels lie apart (Yang and Dalton 2012); of two levels, with its sign.

    It is the root of (t - c)' S^-1 (t - c), t and c being the shares of all levels but the first and S the mean of
    their multinomial covariances. Of two levels it is the difference of the shares of the second by the root of the
    mean of the two variances p (1 - p), positive where `other` has more of the second. NaN where a group is empty, or
    where the groups have no level in common.

    Parameters
    ----------
    other, reference
        Counts of the levels, in the same order.
    """
    t, c = np.array(other, dtype=np.float64), np.array(reference, dtype=np.float64)
    if t.sum() == 0 or c.sum() == 0:
        return float("nan")
    t, c = t / t.sum(), c / c.sum()
    present = (t + c) > 0
    t, c = t[present][1:], c[present][1:]
    if not t.size:
        return 0.0
    covariance = (np.diag(t) - np.outer(t, t) + np.diag(c) - np.outer(c, c)) / 2
    apart = t - c
    if np.linalg.matrix_rank(covariance) < len(t):
        return 0.0 if not apart.any() else float("nan")
    distance = float(np.sqrt(apart @ np.linalg.solve(covariance, apart)))
    return float(np.copysign(distance, apart[0])) if len(other) == 2 and len(t) == 1 else distance


def skewness(values: Vector) -> float:
    """Return the third central moment by the 3/2th power of the second; NaN without spread.

    In R, ``e1071::skewness(x, type = 1)``.
    """
    centred = values - values.mean()
    spread = float(np.mean(centred**2))
    return float(np.mean(centred**3)) / spread**1.5 if spread > 0 else float("nan")
