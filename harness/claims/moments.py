"""The standard error of a mean, its standard deviation and n: se = sd / sqrt(n)."""

import math
from collections.abc import Iterator
from fractions import Fraction

from harness.claims.claim import Claim
from harness.claims.judge import NOT_NEGATIVE, Alternative, judge
from harness.claims.printed import Printed
from harness.claims.span import Span, point
from harness.claims.verdict import Finding, not_checkable


def check_spread(claim: Claim) -> Iterator[Finding]:
    """Yield whether an SD and a standard error agree, given n."""
    n = claim.beside("n")
    own = claim.parts.get("sd") or claim.parts.get("value")
    other = claim.beside("sd" if claim.kind == "se" else "se")
    if own is None or other is None:
        return
    check = "the standard error, the SD and n"
    if n is None or n.value == 0:
        yield not_checkable(check, "n must be given, and not be 0")
        return
    root = point(n.value).root()
    span = other.span(0)
    to_se = claim.kind == "se"
    computed = span / root if to_se else span * root
    said = f"{'an SD' if to_se else 'a standard error'} of {other.text} with n = {n.text} gives"
    yield judge(check, own, computed, said, bounds=NOT_NEGATIVE, alternatives=_others(own, span, root, to_se=to_se))


def _others(own: Printed, other: Span, root: Span, *, to_se: bool) -> Iterator[Alternative]:
    yield ("it is the SD itself" if to_se else "it is the standard error itself"), other
    yield "they are swapped", other * root if to_se else other / root
    mine = own.span(0)
    ratio = _ratio(other, mine) if to_se else _ratio(mine, other)
    if ratio is not None:
        least, most = math.ceil(ratio.lower**2), math.floor(ratio.upper**2)
        if 1 < least <= most:
            yield f"n is {least}" + (f" to {most}" if most > least else "") + ", another n", mine


def _ratio(above: Span, below: Span) -> Span | None:
    return None if below.lower <= Fraction(0) else above / below
