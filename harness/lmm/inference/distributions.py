"""Tails of t and F with any degrees of freedom, infinite ones included, NaN in, NaN out; and the level of intervals."""

import numpy as np
from scipy import special

from harness.arrays import Vector
from harness.errors import Problem, SpecError

WALD_95 = 1.959963984540054
"""How many standard errors a Wald interval at 95 % reaches out."""

_FINITE = 1e300


def checked_level(level: float, where: str) -> float:
    """Return the probability with which an interval is to cover, known to be one.

    Raises
    ------
    SpecError
        If it is no number between 0 and 1.
    """
    if not isinstance(level, int | float | np.integer | np.floating) or not 0 < level < 1:
        problem = Problem(found=f"level {level!r:.40}", expected="a number between 0 and 1, such as 0.95")
        raise SpecError(where, [problem])
    return float(level)


def two_sided_p(t: Vector, df: Vector) -> Vector:
    """Return P(abs(T) > abs(t)); ``2 * pt(-abs(t), df)``."""
    tail = -np.abs(t)
    return np.asarray(2 * np.where(np.isinf(df), special.ndtr(tail), special.stdtr(np.minimum(df, _FINITE), tail)))


def t_quantile(level: float, df: Vector) -> Vector:
    """Return q with P(abs(T) < q) = level; ``qt((1 + level) / 2, df)``."""
    upper = (1 + level) / 2
    return np.asarray(
        np.where(np.isinf(df), special.ndtri(upper), special.stdtrit(np.minimum(df, _FINITE), upper)), dtype=float
    )


def f_tail(F: float, df1: float, df2: float) -> float:
    """Return P(F' > F); ``pf(F, df1, df2, lower.tail = FALSE)``."""
    if np.isinf(df2):
        return float(special.chdtrc(df1, df1 * F))
    return float(special.fdtrc(df1, df2, F))
