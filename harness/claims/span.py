"""Closed intervals of rational numbers: what a printed number may stand for, and what follows from several of them.

The result of an operation contains every number that numbers of its operands can give. So a claim that is true is never
found inconsistent; where an operand occurs twice the result may be wider than it need be.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

ROOT_DIGITS = 30
"""Decimals to which a square root is enclosed."""

FLOAT_NOISE = Fraction(1, 10**9)
"""Relative error allowed to a function that is evaluated in doubles: tails of scipy.special keep 12 digits or more."""


@dataclass(frozen=True, slots=True)
class Span:
    """All numbers from `lower` to `upper`, both included."""

    lower: Fraction
    upper: Fraction

    def __contains__(self, number: Fraction) -> bool:
        return self.lower <= number <= self.upper

    def __add__(self, other: "Span") -> "Span":
        return Span(self.lower + other.lower, self.upper + other.upper)

    def __sub__(self, other: "Span") -> "Span":
        return Span(self.lower - other.upper, self.upper - other.lower)

    def __mul__(self, other: "Span") -> "Span":
        ends = [a * b for a, b in product((self.lower, self.upper), (other.lower, other.upper))]
        return Span(min(ends), max(ends))

    def __truediv__(self, other: "Span") -> "Span":
        """Return the quotients; the divisor must not contain zero (see `holds_zero`)."""
        return self * Span(1 / other.upper, 1 / other.lower)

    @property
    def is_point(self) -> bool:
        """Whether it is one number."""
        return self.lower == self.upper

    @property
    def middle(self) -> Fraction:
        """The number halfway."""
        return (self.lower + self.upper) / 2

    @property
    def width(self) -> Fraction:
        """Upper less lower."""
        return self.upper - self.lower

    @property
    def holds_zero(self) -> bool:
        """Whether 0 is one of the numbers."""
        return self.lower <= 0 <= self.upper

    def meets(self, other: "Span") -> bool:
        """Tell whether a number is in both."""
        return self.lower <= other.upper and other.lower <= self.upper

    def widened(self, by: Fraction) -> "Span":
        """Return the span with its ends moved out."""
        return Span(self.lower - by, self.upper + by)

    def times(self, factor: Fraction | int) -> "Span":
        """Return every number multiplied by a factor."""
        return self * point(factor)

    def magnitude(self) -> "Span":
        """Return the absolute values."""
        ends = (abs(self.lower), abs(self.upper))
        return Span(Fraction(0) if self.holds_zero else min(ends), max(ends))

    def square(self) -> "Span":
        """Return the squares."""
        size = self.magnitude()
        return Span(size.lower**2, size.upper**2)

    def root(self) -> "Span":
        """Return the square roots; below zero there is none."""
        return Span(_root(max(self.lower, Fraction(0))), _root(max(self.upper, Fraction(0)), up=1))


def point(number: Fraction | int) -> Span:
    """Return the span of one number."""
    return Span(Fraction(number), Fraction(number))


def around(number: float, tolerance: float = 0.0) -> Span:
    """Return the span of a double and of all within a tolerance of it."""
    return point(Fraction(number)).widened(Fraction(tolerance))


class OutOfReachError(Exception):
    """A function has no finite value in doubles."""


def enclosed(numbers: Sequence[float]) -> Span:
    """Return the span of doubles, which a function has rounded.

    Raises
    ------
    OutOfReachError
        One of them is not finite.
    """
    if not all(map(math.isfinite, numbers)):
        raise OutOfReachError
    lower, upper = Fraction(min(numbers)), Fraction(max(numbers))
    return Span(lower - abs(lower) * FLOAT_NOISE, upper + abs(upper) * FLOAT_NOISE)


def mapped(function: Callable[..., float], *spans: Span) -> Span:
    """Return what a function, monotone in each argument, gives at the corners of its arguments' spans.

    Raises
    ------
    OutOfReachError
        A value is not finite.
    """
    corners = product(*({span.lower, span.upper} for span in spans))
    try:
        return enclosed([function(*map(float, corner)) for corner in corners])
    except OverflowError:
        raise OutOfReachError from None


def _root(number: Fraction, up: int = 0) -> Fraction:
    scale = 10**ROOT_DIGITS
    return Fraction(math.isqrt(number.numerator * scale**2 // number.denominator) + up, scale)
