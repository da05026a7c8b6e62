"""What a referee in arithmetic of many digits adds: which optimum is higher, and whose own criterion is off."""

from math import isfinite
from sys import float_info

from harness.comparison.findings import Findings
from harness.comparison.verdict import Adjudication, Comparison, Outcome, Ruling
from harness.comparison.yardstick import LOG_LIKELIHOOD
from harness.quantities import Kind

# Half of a double's digits: a function that is right to these is the same function, computed badly.
ROUNDING_SHARE = float_info.epsilon**0.5

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
    errors = [(error, ruling) for ruling in adjudication.rulings for error in _errors(ruling)]
    return bool(errors) and all(
        isfinite(error) and abs(error) <= ROUNDING_SHARE * max(1.0, abs(ruling.exact)) for error, ruling in errors
    )


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


def _errors(ruling: Ruling) -> list[float]:
    return [error for error in (ruling.left_error, ruling.right_error) if error is not None]
