"""A rate, a difference, a ratio and an odds ratio of two rates, each with its interval."""

import math
from dataclasses import dataclass

from scipy.special import ndtri

from harness.errors import Problem, ScoringError
from harness.rates.proportion import Proportion


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with the limits of its interval, and by which method; NaN where undefined, `remark` says why."""

    estimate: float
    lower: float
    upper: float
    level: float
    method: str
    remark: str = ""


def wilson(rate: Proportion, level: float = 0.95) -> Interval:
    """Return a rate with Wilson's score interval, without a correction for continuity.

    In R, ``prop.test(events, n, correct = FALSE)$conf.int``.
    """
    z, method = _quantile(level), "Wilson"
    if rate.n == 0:
        return _undefined(level, method, "no subjects")
    p, n = rate.events / rate.n, rate.n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # At the ends the limits are 0 and 1 by algebra, which rounding misses.
    lower = 0.0 if rate.events == 0 else middle - half
    upper = 1.0 if rate.others == 0 else middle + half
    return Interval(estimate=p, lower=lower, upper=upper, level=level, method=method)


def risk_difference(other: Proportion, reference: Proportion, level: float = 0.95) -> Interval:
    """Return the rate of `other` minus that of `reference`, with Newcombe's hybrid score interval.

    Method 10 of Newcombe (1998), without a correction for continuity. In R, with p, l and u from two calls of
    ``prop.test(events, n, correct = FALSE)``: ``d - sqrt((p1 - l1)^2 + (u2 - p2)^2)`` and
    ``d + sqrt((u1 - p1)^2 + (p2 - l2)^2)``.
    """
    method = "Newcombe (score, from Wilson intervals)"
    if other.n == 0 or reference.n == 0:
        return _undefined(level, method, "no subjects on one side")
    a, b = wilson(other, level), wilson(reference, level)
    difference = (other.events * reference.n - reference.events * other.n) / (other.n * reference.n)
    return Interval(
        estimate=difference,
        lower=difference - math.hypot(a.estimate - a.lower, b.upper - b.estimate),
        upper=difference + math.hypot(a.upper - a.estimate, b.estimate - b.lower),
        level=level,
        method=method,
    )


def risk_ratio(other: Proportion, reference: Proportion, level: float = 0.95) -> Interval:
    """Return the rate of `other` by that of `reference`, with the interval of its logarithm (Katz).

    A count of 0 leaves the interval undefined; nothing is added to it. In R, ``epitools::riskratio.wald``.
    """
    method = "risk ratio, Wald interval of the logarithm"
    if other.n == 0 or reference.n == 0:
        return _undefined(level, method, "no subjects on one side")
    estimate = _quotient(other.events * reference.n, reference.events * other.n)
    if other.events == 0 or reference.events == 0:
        return _undefined(level, method, "no events on one side", estimate)
    variance = other.others / (other.events * other.n) + reference.others / (reference.events * reference.n)
    remark = "" if variance > 0 else "nothing but events on both sides: an interval without width"
    return _wald(estimate, variance, level, method, remark)


def odds_ratio(other: Proportion, reference: Proportion, level: float = 0.95) -> Interval:
    """Return the odds of `other` by those of `reference`, with the interval of their logarithm (Woolf).

    A count of 0 leaves the interval undefined; nothing is added to it. In R, ``epitools::oddsratio.wald``, or
    ``glm(family = binomial)`` with the Wald interval of its coefficient.
    """
    method = "odds ratio, Wald interval of the logarithm"
    cells = (other.events, other.others, reference.events, reference.others)
    estimate = _quotient(other.events * reference.others, other.others * reference.events)
    if 0 in cells:
        return _undefined(level, method, "no events, or nothing but events, on one side", estimate)
    return _wald(estimate, sum(1 / cell for cell in cells), level, method)


def _quotient(above: int, below: int) -> float:
    if below == 0:
        return math.inf if above else math.nan
    return above / below


def _wald(estimate: float, variance: float, level: float, method: str, remark: str = "") -> Interval:
    factor = math.exp(_quantile(level) * math.sqrt(variance))
    lower, upper = estimate / factor, estimate * factor
    return Interval(estimate=estimate, lower=lower, upper=upper, level=level, method=method, remark=remark)


def _undefined(level: float, method: str, remark: str, estimate: float = math.nan) -> Interval:
    _quantile(level)  # a level that can't be is refused whatever the counts are
    return Interval(estimate=estimate, lower=math.nan, upper=math.nan, level=level, method=method, remark=remark)


def _quantile(level: float) -> float:
    """Return the standard normal quantile that leaves (1 - level) / 2 above it."""
    if not 0 < level < 1:
        problem = Problem(found=f"level {level!r:.40}", expected="a number between 0 and 1, such as 0.95")
        raise ScoringError("an interval", [problem])
    return float(ndtri(0.5 + level / 2))
