"""p values and quantiles of z, t, F and chi-square for arguments that are known within spans."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from scipy.special import chdtrc, fdtrc, ndtr, ndtri, stdtr, stdtrit

from harness.claims.span import Span, mapped, point

TestName = Literal["z", "t", "F", "chi-square"]

LEAST_DF = 0.01
_STEPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Degrees:
    """Degrees of freedom within spans: those of t, or those of F above and below; None where there are none."""

    first: Span | None = None
    second: Span | None = None


def p_of(statistic: Span, test: TestName, degrees: Degrees) -> Span:
    """Return the two-sided p values (z, t) or upper tails (F, chi-square) of statistics.

    In R: ``2 * pnorm(-abs(z))``, ``2 * pt(-abs(t), df)``, ``pf(F, df1, df2, lower.tail = FALSE)``,
    ``pchisq(x, df, lower.tail = FALSE)``.
    """
    size = statistic.magnitude()
    if test == "z":
        return _probability(mapped(lambda z: 2 * float(ndtr(-z)), size))
    if degrees.first is None:
        raise ValueError(test)  # whoever calls has asked for them
    first = _positive(degrees.first)
    if test == "t":
        return _probability(mapped(lambda t, df: 2 * float(stdtr(df, -t)), size, first))
    if test == "chi-square":
        return _probability(mapped(lambda x, df: float(chdtrc(df, x)), size, first))
    if degrees.second is None:
        raise ValueError(test)
    second = _positive(degrees.second)
    # Near F = 1 the tail is not monotone in the second degrees of freedom: it is followed in steps.
    steps = [second.lower + second.width * k / _STEPS for k in range(_STEPS + 1)]
    parts = [mapped(lambda f, a, b: float(fdtrc(a, b, f)), size, first, point(step)) for step in steps]
    return _probability(Span(min(part.lower for part in parts), max(part.upper for part in parts)))


def critical(level: Span, df: Span | None) -> Span:
    """Return how many standard errors an interval of a level reaches out: normal, or t with df.

    In R: ``qnorm((1 + level) / 2)``, ``qt((1 + level) / 2, df)``.
    """
    if df is None:
        return mapped(lambda share: float(ndtri((1 + share) / 2)), level)
    return mapped(lambda share, degrees: float(stdtrit(degrees, (1 + share) / 2)), level, _positive(df))


def one_sided(two_sided: Span) -> Span:
    """Return the p values of the test in the direction of the effect."""
    return Span(two_sided.lower / 2, two_sided.upper / 2)


def logarithm(numbers: Span) -> Span:
    """Return natural logarithms of positive numbers."""
    return mapped(math.log, numbers)


def exponential(numbers: Span) -> Span:
    """Return e to numbers."""
    return mapped(math.exp, numbers)


def _positive(df: Span) -> Span:
    least = Fraction(LEAST_DF)
    return Span(max(df.lower, least), max(df.upper, least))


def _probability(p: Span) -> Span:
    return Span(max(p.lower, Fraction(0)), min(p.upper, Fraction(1)))
