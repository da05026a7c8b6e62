"""Means and standard deviations that whole-number scores can have (GRIM, Brown and Heathers 2017; GRIMMER, Anaya 2016).

Scores in steps of 1/k, as means of k items are, are whole numbers after multiplication by k. n of them have a mean that
is a whole number over nk, and a variance that follows from two whole numbers, the sum S and the sum of squares Q:
Q and S are both odd or both even, and Q is least where the scores are as equal as whole numbers can be.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

from harness.claims.claim import Claim
from harness.claims.printed import Printed
from harness.claims.span import Span, point
from harness.claims.verdict import Finding, consistent, inconsistent, not_checkable, stands_for_text

MOST_TRIED = 1000
"""So many smaller n are tried as an explanation."""

MOST_SUMS = 10_000
"""So many sums are tried for an SD; a print that allows more allows every SD."""


def check_granularity(claim: Claim) -> Iterator[Finding]:
    """Yield whether whole-number scores can have the mean and SD of a claim, and whether the range allows them."""
    mean = claim.parts.get("mean") or (claim.parts["value"] if claim.kind == "mean" else claim.beside("mean"))
    sd = claim.parts.get("sd") or (claim.parts["value"] if claim.kind == "sd" else None)
    yield from _within_range(claim, mean, sd)
    items, n = claim.beside("items"), claim.beside("n")
    if items is None:
        return
    if n is None or n.value == 0 or items.value == 0:
        yield not_checkable("scores in whole steps", "n and the number of items must be given, and not be 0")
        return
    if mean is not None and claim.kind != "sd":
        yield _mean_of_whole_scores(mean, int(n.value), int(items.value))
    if sd is not None and mean is not None:
        yield _sd_of_whole_scores(mean, sd, int(n.value), int(items.value))
    elif sd is not None:
        yield not_checkable("scores in whole steps", "the mean of these scores must be given too")


def possible_sums(mean: Span, n: int, items: int) -> range:
    """Return the whole sums of n scores (times items) whose mean lies in the span."""
    steps = n * items
    return range(math.ceil(mean.lower * steps), math.floor(mean.upper * steps) + 1)


def _mean_of_whole_scores(mean: Printed, n: int, items: int) -> Finding:
    check = "a mean of whole-number scores"
    span = mean.span()
    said = stands_for_text(mean, span)
    if possible_sums(span, n, items):
        if mean.unit * n * items >= 1:
            return not_checkable(check, f"with {_scores(n, items)} every mean of this precision is possible")
        return consistent(check, f"{said}; {_scores(n, items)} can have it.", stands_for=span)
    below = math.floor(span.lower * n * items)
    near = " and ".join(f"{float(Fraction(total, n * items)):.{mean.decimals + 2}f}" for total in (below, below + 1))
    reason = f"{said}; the nearest means of {_scores(n, items)} are {near}."
    fewer = range(n - 1, n - 1 - min(n // 5, MOST_TRIED), -1)
    others = (other for other in fewer if other and possible_sums(span, other, items))
    causes = [f"it is a mean of {other}, another n" for other in islice(others, 1)]
    return inconsistent(check, reason, stands_for=span, causes=causes)


def _sd_of_whole_scores(mean: Printed, sd: Printed, n: int, items: int) -> Finding:
    check = "an SD of whole-number scores"
    if n < 2:
        return not_checkable(check, "one score has no SD")
    sums = possible_sums(mean.span(), n, items)
    if not sums:
        return not_checkable(check, "no scores have the mean, so none have the SD")
    if sums.stop - sums.start > MOST_SUMS:
        return not_checkable(check, f"with {_scores(n, items)} every SD of this precision is possible")
    span = sd.span(0)
    said = stands_for_text(sd, span)
    divisor = _divisor_that_fits(sums, span, n, items)
    if divisor == n - 1:
        # Between two multiples of 2 lies every Q of the right parity: the test then has no power.
        free = (n - 1) * items**2 * (span.upper**2 - span.lower**2) >= 2
        if free:
            return not_checkable(check, f"with {_scores(n, items)} every SD of this precision is possible")
        return consistent(check, f"{said}; {_scores(n, items)} with this mean can have it.", stands_for=span)
    reason = f"{said}; no {_scores(n, items)} with a mean of {mean.text} have it."
    causes = [] if divisor is None else ["it was divided by n instead of n - 1"]
    return inconsistent(check, reason, stands_for=span, causes=causes)


def _divisor_that_fits(sums: range, sd: Span, n: int, items: int) -> int | None:
    """Return n - 1, or n, whichever lets some sum of squares give the SD; None if neither does."""
    for divisor in (n - 1, n):
        if any(_has_squares(total, sd, n, items, divisor) for total in sums):
            return divisor
    return None


def _has_squares(total: int, sd: Span, n: int, items: int, divisor: int) -> bool:
    """Tell whether a sum of squares gives n whole numbers of this sum an SD in the span, times the number of items."""
    mean_square = Fraction(total * total, n)
    least = math.ceil(divisor * (items * sd.lower) ** 2 + mean_square)
    most = math.floor(divisor * (items * sd.upper) ** 2 + mean_square)
    quotient, rest = divmod(total, n)
    least = max(least, n * quotient**2 + rest * (2 * quotient + 1))
    if (least - total) % 2:
        least += 1
    return least <= most


def _within_range(claim: Claim, mean: Printed | None, sd: Printed | None) -> Iterator[Finding]:
    """Yield whether a location lies in the range of the scores, and whether an SD is at most what the range allows."""
    limits = claim.companions.get("range")
    if limits is None:
        return
    lowest, highest = limits["lower"].value, limits["upper"].value
    scale = f"{limits['lower'].text} to {limits['upper'].text}"
    location = mean if mean is not None or claim.kind == "sd" else claim.parts.get("value")
    if location is not None and claim.kind != "sd":
        span = location.span()
        inside = span.meets(Span(lowest, highest))
        make = consistent if inside else inconsistent
        yield make("the range of the scores", f"{location.text} lies {'with' if inside else 'not with'}in {scale}.")
    n = claim.beside("n")
    if sd is None:
        return
    if n is None or n.value < 2:
        yield not_checkable("the greatest SD of the range", "n must be given, and be at least 2")
        return
    at = Span(lowest, highest) if mean is None else _cut(mean.span(), lowest, highest)
    middle = min(max((lowest + highest) / 2, at.lower), at.upper)
    variance = n.value / (n.value - 1) * (middle - lowest) * (highest - middle)
    greatest = point(max(variance, Fraction(0))).root()
    inside = sd.span(0).lower <= greatest.upper
    reason = (
        f"scores of {scale} have an SD of at most {float(greatest.upper):.{sd.decimals + 1}f}; printed is {sd.text}."
    )
    make = consistent if inside else inconsistent
    yield make("the greatest SD of the range", reason)


def _cut(span: Span, lowest: Fraction, highest: Fraction) -> Span:
    return Span(min(max(span.lower, lowest), highest), max(min(span.upper, highest), lowest))


def _scores(n: int, items: int) -> str:
    return f"{n} whole-number scores" if items == 1 else f"{n} means of {items} whole-number items"
