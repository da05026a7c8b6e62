"""Judge one printed number against the numbers that a check allows, and look for what would explain it if it fails."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from harness.claims.printed import Printed
from harness.claims.span import Span
from harness.claims.verdict import Finding, computed_text, consistent, inconsistent, stands_for_text

Alternative = tuple[str, Span]
"""Another reading: a sentence that names it, and the numbers that it allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Between which numbers a quantity lies; None where it has no bound."""

    lowest: Fraction | int | None = None
    highest: Fraction | int | None = None


ANY = Bounds()
PROBABILITY = Bounds(lowest=0, highest=1)
PERCENTAGE = Bounds(lowest=0, highest=100)
NOT_NEGATIVE = Bounds(lowest=0)


def judge(
    check: str,
    printed: Printed,
    computed: Span,
    giving: str,
    *,
    bounds: Bounds = ANY,
    exact: bool = False,
    alternatives: Iterable[Alternative] = (),
) -> Finding:
    """Return the finding that a print can, or can't, stand for one of the computed numbers.

    Parameters
    ----------
    check
        What is checked.
    printed, bounds, exact
        The print, and the bounds of what it is of; an exact one, a count, stands for itself alone.
    computed
        All numbers that the check allows.
    giving
        What gives them, as the beginning of a sentence: "36 of 94 give".
    alternatives
        Other readings, which are tried in turn if the print fails.
    """
    stands_for = printed.exact if exact else printed.span(bounds.lowest, bounds.highest)
    reason = f"{stands_for_text(printed, stands_for)}; {giving} {computed_text(printed, computed)}."
    if exact:
        reason = f"{giving} {computed_text(printed, computed)}; printed is {printed.text}."
    if stands_for.meets(computed):
        return consistent(check, reason, stands_for=stands_for, computed=computed)
    causes = [sentence for sentence, other in alternatives if stands_for.meets(other)]
    causes += misprints(printed, computed, exact=exact)
    return inconsistent(check, reason, stands_for=stands_for, computed=computed, causes=causes)


def misprints(printed: Printed, computed: Span, *, exact: bool = False) -> Iterator[str]:
    """Yield the slips of rounding and typing under which the print would hold."""
    if printed.relation != "=":
        return
    if not exact:
        yield from _roundings(printed, computed)
        if not printed.value:
            return
        for factor, words in ((10, "too far to the left"), (Fraction(1, 10), "too far to the right")):
            moved = replace(printed, value=printed.value * factor, unit=printed.unit * factor)
            if moved.span().meets(computed):
                yield f"its decimal point is one place {words}"
    if _allowed(printed, -printed.value, computed, exact=exact):
        yield "its sign is turned"
    for value, text in _transposed(printed):
        if _allowed(printed, value, computed, exact=exact):
            yield f"two digits are transposed, for {text}"


def _roundings(printed: Printed, computed: Span) -> Iterator[str]:
    if printed.cut_off().meets(computed):
        yield "its last digits were cut off instead of rounded"
    elif _raised(printed).meets(computed):
        yield "it was rounded up"
    zeros = len(printed.text) - len(printed.text.rstrip("0")) if "." in printed.text else 0
    for added in range(1, zeros + 1):
        if replace(printed, unit=printed.unit * 10**added).span().meets(computed):
            yield "it was rounded to fewer digits, and zeros were added"
            return


def _allowed(printed: Printed, value: Fraction, computed: Span, *, exact: bool) -> bool:
    other = replace(printed, value=value)
    return (other.exact if exact else other.span()).meets(computed)


def _raised(printed: Printed) -> Span:
    """Return which numbers give the print where every rest is rounded away from zero."""
    nearer = printed.value - (printed.unit if printed.value > 0 else -printed.unit)
    return Span(min(nearer, printed.value), max(nearer, printed.value))


def _transposed(printed: Printed) -> Iterator[tuple[Fraction, str]]:
    """Yield the values and texts that the print has after two neighbouring digits change places."""
    text = printed.text.removesuffix(" %")
    if "e" in text:
        return
    places = [place for place, sign in enumerate(text) if sign.isdigit()]
    scale = printed.value / Fraction(text) if Fraction(text) else Fraction(1)
    for left, right in pairwise(places):
        if text[left] != text[right]:
            swapped = [*text]
            swapped[left], swapped[right] = text[right], text[left]
            other = "".join(swapped)
            yield Fraction(other) * scale, other
