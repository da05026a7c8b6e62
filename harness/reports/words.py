"""How names, numbers and counts look in every report."""

import math
import re

from harness.quantities import Value

ABSENT = "—"
"""What stands where there is no number."""

NAME_LENGTH = 80
SENTENCE_LENGTH = 600
_FORMULA_STARTS = ("=", "+", "-", "@")


def visible(text: str) -> str:
    """Return the text on one line, with every character that hides or moves others written as an escape.

    That is: control characters (line ends, terminal sequences), direction overrides, zero-width characters, lone
    surrogates and unassigned code points.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def shorten(text: str, length: int) -> str:
    """Return the text, with its middle replaced by an ellipsis if it is longer than `length` characters."""
    if len(text) <= length:
        return text
    tail = (length - 1) // 3
    head = length - 1 - tail
    return f"{text[:head]}…{text[len(text) - tail :]}"


def name(text: str, length: int = NAME_LENGTH) -> str:
    """Return a name as it is shown; the JSON report alone has all of a long one.

    A name that a spreadsheet would run as a formula gets the apostrophe that stops it, because people paste tables.
    """
    shown = shorten(visible(text[: 4 * length] + text[-length:] if len(text) > 5 * length else text), length)
    return f"'{shown}" if shown.startswith(_FORMULA_STARTS) else shown


def sentence(text: str, length: int = SENTENCE_LENGTH) -> str:
    """Return free text of an engine or of the judge as one line of bounded length."""
    return shorten(visible(" ".join(text[: 20 * length].split())), length)


def number(value: Value | None, digits: int = 6) -> str:
    """Return a value with so many significant digits; an absent one is a dash and NaN is said."""
    match value:
        case None:
            return ABSENT
        case bool():
            return "true" if value else "false"
        case float() if math.isnan(value):
            return "NaN"
        case float():
            return _plain_exponent(f"{value:.{digits}g}")
        case int():
            return shorten(str(value), 24)
        case str():
            return name(value, 40)


def both(left: Value | None, right: Value | None) -> tuple[str, str]:
    """Return two values with as many digits as it takes to see their difference, and two more."""
    if not (_is_finite_float(left) and _is_finite_float(right)):
        return number(left), number(right)
    for digits in range(6, 18):
        if number(left, digits) != number(right, digits):
            enough = min(digits + 2, 17) if digits > 6 else 6
            return number(left, enough), number(right, enough)
    return number(left), number(right)


def log_likelihood(value: float) -> str:
    """Return a log-likelihood to the sixth decimal, where the optima of two engines part."""
    return f"{value:.6f}" if abs(value) < 1e9 else number(value, 15)


def signed(value: float) -> str:
    """Return a difference with its sign and two digits; exactly nothing is 0."""
    if math.isnan(value):
        return "NaN"
    return "0" if value == 0 else _plain_exponent(f"{value:+.2g}")


def times(ratio: float | None) -> str:
    """Return how many times the limit was reached, as in "x 0.02"."""
    if ratio is None:
        return ABSENT
    return f"x {ratio:.0f}" if 10 <= ratio < 1e6 else f"x {number(ratio, 2)}"


def seconds(value: float | None) -> str:
    """Return a duration."""
    if value is None:
        return ABSENT
    return f"{value:.3g} s" if value < 100 else f"{value:.0f} s"


def counted(n: int, noun: str, plural: str = "") -> str:
    """Return "1 comparison" or "3 comparisons"."""
    return f"{n} {noun if n == 1 else plural or f'{noun}s'}"


def listed(items: list[str], at_most: int) -> str:
    """Return the items joined by commas, the rest counted."""
    rest = len(items) - at_most
    return ", ".join(items[:at_most]) + (f" and {rest} more" if rest > 0 else "")


def _plain_exponent(text: str) -> str:
    """Return 6.4e-5 for 6.4e-05."""
    return re.sub(r"e([+-])0*(?=\d)", lambda found: "e" + found[1].replace("+", ""), text)


def _is_finite_float(value: Value | None) -> bool:
    return isinstance(value, float) and math.isfinite(value)
