"""Counts and percentages that must agree with each other: a count of n, its percentage, sums over groups."""

import math
from collections.abc import Iterator
from fractions import Fraction

from harness.claims.claim import Claim
from harness.claims.judge import NOT_NEGATIVE, PERCENTAGE, Alternative, judge
from harness.claims.printed import Printed, span_text
from harness.claims.span import Span, point
from harness.claims.verdict import Finding, consistent, inconsistent, not_checkable, stands_for_text

HUNDRED = Fraction(100)
MOST_TRIED = 1000
"""So many smaller n are tried as an explanation."""


def check_proportion(claim: Claim) -> Iterator[Finding]:
    """Yield what a count, its n and its percentage say about each other, and the sum of the counts of groups.

    With a percentage and n alone the question is whether any count gives it.
    """
    parts = dict(claim.parts)
    for column in ("count", "n"):
        beside = claim.beside(column)
        if beside is None:
            continue
        if column in parts:
            yield judge(
                f"the {column}, printed twice", parts[column], beside.exact, f"the column {column} has", exact=True
            )
        else:
            parts[column] = beside
    count, n, percent = parts.get("count"), parts.get("n"), parts.get("percent")
    if count is not None and n is not None and count.value > n.value:
        yield inconsistent("the count of n", f"{count.text} are more than all {n.text}.")
    elif percent is not None and n is not None and n.value == 0:
        yield inconsistent("the percentage of n", f"No percentage of {n.text} exists.")
    elif percent is not None and n is not None and count is not None:
        yield _percentage_of_counts(percent, count, n)
    elif percent is not None and n is not None:
        yield _percentage_of_some_count(percent, n)
    if "parts" in claim.companions:
        yield check_sum(claim, percent if claim.kind == "percent" else count)


def check_sum(claim: Claim, total: Printed | None) -> Finding:
    """Return whether a total is the sum of its printed parts; counts are exact, percentages are rounded."""
    parts = list(claim.companions["parts"].values())
    exact = claim.kind == "count"
    if total is None:
        return not_checkable("the sum of its parts", "no total is printed")
    spans = [part.exact if exact else part.span(0) for part in parts]
    computed = spans[0]
    for span in spans[1:]:
        computed += span
    written = " + ".join(part.text for part in parts)
    without = (
        (f"the part {part.text} was left out", _less(computed, span)) for part, span in zip(parts, spans, strict=True)
    )
    return judge(
        "the sum of its parts",
        total,
        computed,
        f"{written} give",
        exact=exact,
        bounds=NOT_NEGATIVE,
        alternatives=without,
    )


def check_percentages(claim: Claim) -> Iterator[Finding]:
    """Yield whether percentages of all groups add up: to 100, and with n to whole counts that add up to n."""
    percents = list(claim.parts.values())
    spans = [percent.span(0, 100) for percent in percents]
    total = Span(sum(span.lower for span in spans), sum(span.upper for span in spans))  # type: ignore[arg-type]
    written = " + ".join(percent.text for percent in percents)
    printed_sum = sum((percent.value for percent in percents), Fraction(0))
    places = max(percent.decimals for percent in percents)
    reason = f"{written} give {span_text(point(printed_sum), places)}, with rounding {span_text(total, places)}"
    if not total.meets(point(100)):
        yield inconsistent("the sum of percentages", f"{reason}; all are 100.", computed=total)
        return
    yield consistent("the sum of percentages", f"{reason}; all are 100.", computed=total)
    n = claim.beside("n")
    if n is None:
        return
    ranges = [_counts(span, n.value) for span in spans]
    impossible = [percent.text for percent, (least, most) in zip(percents, ranges, strict=True) if least > most]
    if impossible:
        reason = f"No whole count of {n.text} gives {' or '.join(impossible)} %."
        yield inconsistent("whole counts of n", reason)
        return
    least, most = (sum(one[end] for one in ranges) for end in (0, 1))
    reason = f"The percentages allow {least} to {most} subjects in all; n is {n.text}."
    make = consistent if least <= n.value <= most else inconsistent
    yield make("whole counts of n", reason)


def check_difference(claim: Claim) -> Iterator[Finding]:
    """Yield whether a difference is that of the two printed numbers."""
    parts = list(claim.companions.get("parts", {}).values())
    if len(parts) != 2:
        if parts:
            yield not_checkable("the difference", f"{len(parts)} numbers have no difference; two have")
        return
    first, second = (part.span() for part in parts)
    yield judge(
        "the difference of two numbers",
        claim.parts["value"],
        first - second,
        f"{parts[0].text} less {parts[1].text} gives",
        alternatives=[("the second is taken from the first", second - first)],
    )


def _percentage_of_counts(percent: Printed, count: Printed, n: Printed) -> Finding:
    computed = point(HUNDRED * count.value / n.value)
    return judge(
        "the percentage of n",
        percent,
        computed,
        f"{count.text} of {n.text} give",
        bounds=PERCENTAGE,
        alternatives=_other_counts(percent, count, n),
    )


def _other_counts(percent: Printed, count: Printed, n: Printed) -> Iterator[Alternative]:
    """Yield the complement, and the n or the count with which the percentage would be right."""
    yield (
        f"it is the percentage of the other {n.value - count.value}",
        point(HUNDRED * (n.value - count.value) / n.value),
    )
    span = percent.span(0, 100)
    if count.value and span.lower > 0:
        least, most = math.ceil(HUNDRED * count.value / span.upper), math.floor(HUNDRED * count.value / span.lower)
        if least <= most:
            yield f"it is {count.text} of {_whole(least, most)}, another n", span
    least, most = _counts(span, n.value)
    if least <= most:
        yield f"it is {_whole(least, most)} of {n.text}, another count", span


def _percentage_of_some_count(percent: Printed, n: Printed) -> Finding:
    check = "a whole count of n"
    span = percent.span(0, 100)
    least, most = _counts(span, n.value)
    said = stands_for_text(percent, span)
    if least > most:
        below = math.floor(span.lower * n.value / 100)
        around = [span_text(point(HUNDRED * c / n.value), percent.decimals) for c in (below, below + 1) if c <= n.value]
        reason = f"{said}; {below} of {n.text} give {' and one more '.join(around)}, and no count lies between."
        return inconsistent(check, reason, stands_for=span, causes=_possible_n(span, int(n.value)))
    if percent.relation != "=" or percent.unit * n.value >= 100:
        return not_checkable(check, f"with {n.text} subjects some count gives every percentage of this precision")
    reason = f"{said}; {_whole(least, most)} of {n.text} give it."
    return consistent(check, reason, stands_for=span)


def _possible_n(span: Span, n: int) -> Iterator[str]:
    """Yield the nearest smaller n, as missing values leave it, that has a count with this percentage."""
    for other in range(n - 1, max(n - 1 - min(n // 5, MOST_TRIED), 0), -1):
        least, most = _counts(span, Fraction(other))
        if least <= most:
            yield f"it is {_whole(least, most)} of {other}, another n"
            return


def _counts(span: Span, n: Fraction) -> tuple[int, int]:
    """Return the least and the greatest whole count whose percentage of n lies in the span."""
    return math.ceil(span.lower * n / 100), math.floor(span.upper * n / 100)


def _whole(least: int, most: int) -> str:
    return f"{least}" if least == most else f"{least} to {most}"


def _less(total: Span, part: Span) -> Span:
    return Span(total.lower - part.lower, total.upper - part.upper)
