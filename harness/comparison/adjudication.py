"""What a referee in arithmetic of many digits adds: which optimum is higher, and whose own criterion is off."""

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite, log
from sys import float_info

from harness.comparison.verdict import Adjudication, Comparison, Outcome, Ruling
from harness.comparison.yardstick import LOG_LIKELIHOOD, number
from harness.quantities import Kind

# Half of a double's digits: a function that is right to these is the same function, computed badly.
ROUNDING_SHARE = float_info.epsilon**0.5
# A third of them, if it is right at some points: another function would be another one there too.
_WORST_SHARE = float_info.epsilon ** (1 / 3)
_RIGHT_POINTS = 3
_STEPS = 2
# So near are the multiples to whole numbers where the variance ratio is a thousand; two at once are so by no chance.
_WHOLE = 1e-2

_DIFFERING = {Outcome.DISAGREE, Outcome.KNOWN}


def needs_referee(comparison: Comparison) -> bool:
    """Return whether the engines disagree on a log-likelihood, beyond its limit, and nobody has been asked yet."""
    return comparison.evidence.adjudication is None and any(
        verdict.outcome in _DIFFERING and verdict.observed is not None
        for verdict in comparison.verdicts
        if verdict.kind is Kind.OBJECTIVE or verdict.quantity == LOG_LIKELIHOOD
    )


def needs_ascent(comparison: Comparison) -> bool:
    """Return whether the right engine ended higher, so that it may be on a way without an end; nobody has looked."""
    return not comparison.evidence.ascent and any(
        verdict.outcome in _DIFFERING and number(verdict.right_value or 0.0) > number(verdict.left_value or 0.0)
        for verdict in comparison.verdicts
        if verdict.quantity == LOG_LIKELIHOOD and verdict.observed is not None
    )


def rises_without_end(ascent: Sequence[float]) -> bool:
    """Return whether log-likelihoods further and further on say that there is no maximum.

    Where random effects reproduce the outcome, sigma runs to zero, and from one power of ten of their ratio to the next
    the log-likelihood rises by a whole multiple of log(10): one for each row beyond the rank of Z.
    """
    multiples = [(after - before) / log(10) for before, after in pairwise(ascent)]
    return len(multiples) >= _STEPS and all(m > _WHOLE and abs(m - round(m)) < _WHOLE for m in multiples)


def is_rounding(adjudication: Adjudication | None) -> bool:
    """Return whether the referee found both engines to have the same function, one of them computed badly."""
    if adjudication is None:
        return False
    left = [(abs(r.left_error), r) for r in adjudication.rulings if r.left_error is not None]
    right = [(abs(r.right_error), r) for r in adjudication.rulings if r.right_error is not None]
    return bool(left and right) and all(map(_is_exact_but_for_rounding, (left, right)))


def gap_is_rounding(adjudication: Adjudication | None, limit: float) -> bool:
    """Return whether the lower end is lower by no more than the limit, and what its own engine rounds.

    An engine can't see a rise below its rounding, at either of two points; what the other rounds does not stop it.
    """
    if adjudication is None or adjudication.gap is None:
        return True
    gap, rulings = adjudication.gap, adjudication.rulings
    errors = (ruling.right_error if gap > 0 else ruling.left_error for ruling in rulings)
    return abs(gap) <= limit + 2 * max((abs(error) for error in errors if error is not None), default=0.0)


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


def _is_exact_but_for_rounding(errors: Sequence[tuple[float, Ruling]]) -> bool:
    """Return whether errors beside the exact values can be rounding; NaN can't."""
    right = sum(error <= ROUNDING_SHARE * _size(ruling) for error, ruling in errors)
    return right == len(errors) or (
        right >= _RIGHT_POINTS
        and all(error <= max(_WORST_SHARE * _size(ruling), ruling.room) for error, ruling in errors)
    )


def _size(ruling: Ruling) -> float:
    return max(1.0, abs(ruling.exact))
