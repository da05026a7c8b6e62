"""A number as it was printed, and which numbers it can stand for.

A number printed to d decimals stands for everything within half a unit of its last decimal, both ends included: at an
end "half up" gives one neighbour and "half to even" may give the other, and a program that rounds the double nearest to
a tie may give either. What was cut off instead of rounded lies outside, unless it lies exactly on the tie.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from harness.claims.span import Span, point

Relation = Literal["=", "<", ">"]

NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:e[+-]?[0-9]+)?"
LONGEST = 40
MOST_EXPONENT = 30

_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u200a\u202f"), " ")
_SIGNS = {ord("\u2264"): "<", ord("\u2265"): ">", ord("\u00b7"): "."}
_TIMES_TEN = re.compile(r"\s*[x\u00d7]\s*10\s*\^?\s*(?=[+-]?[0-9])")
_PLAIN = re.compile(NUMBER)


class UnreadableError(Exception):
    """A text that can't be read as it should be; `advice` may say what to write."""

    def __init__(self, advice: str = "") -> None:
        super().__init__(advice)
        self.advice = advice


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A printed number: its value, the unit of its last digit, how many decimals it has, and = or an inequality."""

    text: str
    value: Fraction
    unit: Fraction
    decimals: int
    relation: Relation = "="

    @property
    def exact(self) -> Span:
        """The value itself, for numbers that nobody rounds: counts."""
        return point(self.value)

    def span(self, lowest: Fraction | int | None = None, highest: Fraction | int | None = None) -> Span:
        """Return which numbers it stands for, within the bounds of what it is of.

        An inequality stands for all on its side, up to the bound, which it needs.
        """
        lower, upper = self.value - self.unit / 2, self.value + self.unit / 2
        if self.relation != "=":
            lower = upper = self.value
        if self.relation == "<" and lowest is not None:
            lower = min(Fraction(lowest), upper)
        if self.relation == ">" and highest is not None:
            upper = max(Fraction(highest), lower)
        # A print that lies outside the bounds stands for nothing possible, and must not come to lie on one.
        if lowest is not None and upper >= lowest:
            lower = max(lower, Fraction(lowest))
        if highest is not None and lower <= highest:
            upper = min(upper, Fraction(highest))
        return Span(lower, upper)

    def cut_off(self) -> Span:
        """Return which numbers give this print where digits are cut off."""
        away = self.unit if self.value >= 0 else -self.unit
        ends = sorted((self.value, self.value + away))
        return Span(ends[0], ends[1])


def plain(text: str) -> str:
    """Return a printed text with one kind of minus, space and decimal point."""
    tidy = text.translate(_DASHES | _SPACES | _SIGNS).strip()
    return _TIMES_TEN.sub("e", tidy)


def number(text: str, relation: Relation = "=") -> Printed:
    """Return a number from its digits alone.

    Raises
    ------
    UnreadableError
        It is no number in plain digits, or too long for one.
    """
    digits = text.strip()
    if re.fullmatch(r"[+-]?[0-9]+(?:,[0-9]+)+(?:\.[0-9]+)?", digits):
        raise UnreadableError("Write 12.3 with a decimal point, and 1234 without a comma.")
    if not _PLAIN.fullmatch(digits) or len(digits) > LONGEST:
        raise UnreadableError
    mantissa, _, exponent = digits.partition("e")
    power = int(exponent or "0")
    if abs(power) > MOST_EXPONENT:
        raise UnreadableError
    decimals = len(mantissa.partition(".")[2])
    scale = Fraction(10) ** power
    return Printed(
        text=digits,
        value=Fraction(mantissa) * scale,
        unit=Fraction(1, 10**decimals) * scale,
        decimals=max(decimals - power, 0),
        relation=relation,
    )


def in_hundredths(percent: Printed) -> Printed:
    """Return a percentage as a share."""
    return Printed(
        text=f"{percent.text} %",
        value=percent.value / 100,
        unit=percent.unit / 100,
        decimals=percent.decimals + 2,
        relation=percent.relation,
    )


def at_precision(value: Fraction, unit: Fraction, decimals: int) -> str:
    """Return a number as it is printed in multiples of a unit, halves away from zero."""
    steps = _rounded(value / unit)
    return decimal_text(steps * unit, decimals)


def decimal_text(value: Fraction, decimals: int) -> str:
    """Return a number with so many decimals, halves away from zero."""
    scaled = _rounded(value * 10**decimals)
    whole, rest = divmod(abs(scaled), 10**decimals)
    sign = "-" if scaled < 0 else ""
    return f"{sign}{whole}.{rest:0{decimals}d}" if decimals else f"{sign}{whole}"


def _rounded(value: Fraction) -> int:
    size = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return size if value.numerator >= 0 else -size


def span_text(span: Span, decimals: int) -> str:
    """Return a span in words, with three decimals more than were printed."""
    lower = _shortest(span.lower, decimals + 3)
    if span.is_point:
        return lower
    upper = _shortest(span.upper, decimals + 3)
    return lower if lower == upper else f"{lower} to {upper}"


def _shortest(value: Fraction, decimals: int) -> str:
    if value and abs(value) < Fraction(1, 10**decimals):
        return f"{float(value):.3g}"
    text = decimal_text(value, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text
