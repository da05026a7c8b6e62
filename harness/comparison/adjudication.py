"""What a referee in arithmetic of many digits adds: which optimum is higher, and whose own criterion is off."""

from collections.abc import Sequence
from math import isfinite
from sys import float_info

from harness.comparison.findings import Findings
from harness.comparison.verdict import Adjudication, Comparison, Outcome
from harness.comparison.yardstick import LOG_LIKELIHOOD
from harness.quantities import Kind

# Half of a double's digits: a function that is right to these is the same function, computed badly.
ROUNDING_SHARE = float_info.epsilon**0.5
# A third of them, if it is right at some points: another function would be another one there too.
_WORST_SHARE = float_info.epsilon ** (1 / 3)
_RIGHT_POINTS = 3

_DIFFERING = {Outcome.DISAGREE, Outcome.KNOWN}


def needs_referee(comparison: Comparison) -> bool:
    """Return whether the engines disagree on a log-likelihood, beyond its limit, and nobody has been asked yet."""
    return comparison.evidence.adjudication is None and any(
        verdict.outcome in _DIFFERING and verdict.observed is not None
        for verdict in comparison.verdicts
        if verdict.kind is Kind.OBJECTIVE or verdict.quantity == LOG_LIKELIHOOD
    )


def is_rounding(found: Findings) -> bool:
    """Return whether the referee found both engines to have the same function, one of them computed badly."""
    adjudication = found.evidence.adjudication
    if adjudication is None:
        return False
    scaled = [(ruling, max(1.0, abs(ruling.exact))) for ruling in adjudication.rulings]
    left = [abs(ruling.left_error) / scale for ruling, scale in scaled if ruling.left_error is not None]
    right = [abs(ruling.right_error) / scale for ruling, scale in scaled if ruling.right_error is not None]
    return bool(left and right) and all(_is_exact_but_for_rounding(shares) for shares in (left, right))


def adjudication_sentence(adjudication: Adjudication, left: str, right: str) -> str:
    """Return which engine ended higher, and whose criterion is furthest from the exact one, in words."""
    return " ".join(filter(None, (_gap(adjudication, left, right), _worst(adjudication, left, right))))


def _gap(adjudication: Adjudication, left: str, right: str) -> str:
    gap = adjudication.gap
    if gap is None:
        return ""
    if gap == 0:
        return "By the referee both ended at the same log-likelihood."
    higher, lower = (left, right) if gap > 0 else (right, left)
    return f"By the referee {higher} ended {abs(gap):.3g} higher than {lower}."


def _worst(adjudication: Adjudication, left: str, right: str) -> str:
    errors = [
        (abs(error), error, engine, ruling.label)
        for ruling in adjudication.rulings
        for error, engine in ((ruling.left_error, left), (ruling.right_error, right))
        if error is not None and isfinite(error)
    ]
    if not errors:
        return ""
    _, error, engine, label = max(errors)
    other = right if engine == left else left
    rest = max((size for size, _, who, _ in errors if who == other), default=None)
    better = "" if rest is None else f"; {other} is off by {rest:.2g} at most"
    side = "above" if error > 0 else "below"
    return f"{engine}'s own log-likelihood at {label} is {abs(error):.2g} {side} the exact one{better}."


def _is_exact_but_for_rounding(shares: Sequence[float]) -> bool:
    """Return whether errors, as shares of the exact values, can be rounding; NaN can't."""
    right = sum(share <= ROUNDING_SHARE for share in shares)
    return right == len(shares) or (right >= _RIGHT_POINTS and all(share <= _WORST_SHARE for share in shares))
