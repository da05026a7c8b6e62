"""Limits of confidence against the estimate and standard error printed beside them."""

from collections.abc import Iterator
from fractions import Fraction

from harness.claims.claim import Claim
from harness.claims.judge import Alternative, judge
from harness.claims.significance import degrees_of, level_of, logged, within_limits
from harness.claims.span import Span, point
from harness.claims.tails import critical, exponential
from harness.claims.verdict import Finding, inconsistent, not_checkable

LEVELS = ("0.5", "0.68", "0.8", "0.9", "0.95", "0.99", "0.999")
"""Levels at which an interval is tried if it fails at its own."""


def check_interval(claim: Claim) -> Iterator[Finding]:
    """Yield whether limits are in order, around the estimate, and as far from it as its standard error asks for."""
    lower, upper = claim.parts["lower"], claim.parts["upper"]
    beside = claim.beside("level")
    if "level" in claim.parts and beside is not None and claim.parts["level"].value != beside.value:
        yield inconsistent("the level, printed twice", f"{claim.parts['level'].text} and {beside.text} differ.")
    if lower.span().lower > upper.span().upper:
        yield inconsistent("the order of the limits", f"{lower.text} is above {upper.text}.")
        return
    estimate, se = claim.beside("estimate"), claim.beside("se")
    if estimate is None:
        return
    scale = claim.word("scale")
    if se is None:
        yield from within_limits(estimate, claim.parts, scale)
        return
    check = "the estimate and its standard error"
    level, size, df = level_of(claim, claim.parts), logged(estimate.span(), scale), degrees_of(claim, "t").first
    if level is None:
        yield not_checkable(check, "the level of the interval is not given")
    elif size is None:
        yield not_checkable(check, f"{estimate.text} has no logarithm")
    else:
        error = se.span(0)
        said = f"{estimate.text} with standard error {se.text} gives"
        for end, sign in (("lower", -1), ("upper", 1)):
            computed = _limit(size, error, critical(level, df), sign, scale)
            others = _others(size, error, df, sign, scale)
            yield judge(f"the {end} limit", claim.parts[end], computed, said, alternatives=others)


def _limit(size: Span, error: Span, reach: Span, sign: int, scale: str) -> Span:
    limit = size + (reach * error).times(sign)
    return exponential(limit) if scale == "log" else limit


def _others(size: Span, error: Span, df: Span | None, sign: int, scale: str) -> Iterator[Alternative]:
    for level in LEVELS:
        share = point(Fraction(level))
        name = f"it is a limit at {float(100 * share.lower):g} %"
        yield name, _limit(size, error, critical(share, df), sign, scale)
        if df is not None:
            yield f"{name}, without degrees of freedom", _limit(size, error, critical(share, None), sign, scale)
    yield "it is one standard error away", _limit(size, error, point(1), sign, scale)
    if scale == "log":
        yield "its scale is not the logarithm", size + error.times(sign)
