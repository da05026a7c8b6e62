"""A mean, and the difference of two means, with intervals of the t distribution."""

import numpy as np
from scipy.special import stdtr, stdtrit

from harness.arrays import Vector
from harness.rates import Interval


def mean_interval(values: Vector, level: float = 0.95) -> Interval:
    """Return a mean with the interval of the t distribution; in R, ``t.test(x)$conf.int``."""
    method = "mean, t distribution"
    if values.size < 2:
        nan = float("nan")
        return Interval(estimate=nan, lower=nan, upper=nan, level=level, method=method, remark="fewer than two values")
    error = float(values.std(ddof=1)) / float(np.sqrt(values.size))
    half = float(stdtrit(values.size - 1, 0.5 + level / 2)) * error
    mean = float(values.mean())
    return Interval(estimate=mean, lower=mean - half, upper=mean + half, level=level, method=method)


def welch(other: Vector, reference: Vector, level: float = 0.95) -> tuple[Interval, float]:
    """Return the difference of two means with Welch's interval and p value; in R, ``t.test(x, y)``."""
    method = "difference of means, Welch"
    parts = [float(values.var(ddof=1)) / values.size if values.size > 1 else 0.0 for values in (other, reference)]
    error = sum(parts)
    if min(other.size, reference.size) < 2 or error == 0:
        nan, remark = float("nan"), "too few values, or no spread"
        return Interval(estimate=nan, lower=nan, upper=nan, level=level, method=method, remark=remark), nan
    df = error**2 / sum(part**2 / (v.size - 1) for part, v in zip(parts, (other, reference), strict=True))
    difference = float(other.mean() - reference.mean())
    half = float(stdtrit(df, 0.5 + level / 2)) * float(np.sqrt(error))
    p = 2 * float(stdtr(df, -abs(difference) / np.sqrt(error)))
    return (
        Interval(estimate=difference, lower=difference - half, upper=difference + half, level=level, method=method),
        p,
    )
