"""Every quantity of either side gets a verdict, also those that only one side has."""

from collections import Counter
from collections.abc import Iterator
from math import isnan

from harness.comparison.rules import judge_pair, unjudged
from harness.comparison.verdict import Outcome, Verdict
from harness.comparison.yardstick import Yardstick, number
from harness.quantities import Kind, Quantity, Reading


def judge_quantities(left: Reading, right: Reading, scales: Yardstick) -> Iterator[Verdict]:
    """Yield a verdict for each path of either side, in the order of the left side."""
    ours, theirs = _by_path(left), _by_path(right)
    repeated = _repeated(right) | _repeated(left)
    for path in dict.fromkeys((*ours, *theirs)):
        a, b = ours.get(path), theirs.get(path)
        if path in repeated:
            yield unjudged(path, a, b, Outcome.DISAGREE, f"{repeated[path]} gives it more than once")
        elif a is None:
            yield _one_sided(path, a, b, left, "our side")
        elif b is None:
            yield _one_sided(path, a, b, right, "the reference")
        else:
            excuse = _excuse_for_nan(left, a) or _excuse_for_nan(right, b)
            yield unjudged(path, a, b, Outcome.NOT_COMPARED, excuse) if excuse else judge_pair(a, b, scales)


def judge_companion_errors(left: Reading, right: Reading, scales: Yardstick) -> Iterator[Verdict]:
    """Yield verdicts on standard errors that travel with an estimate and have no path of their own."""
    ours, theirs = _by_path(left), _by_path(right)
    for path, a in ours.items():
        b, own = theirs.get(path), f"{path.removesuffix('.estimate')}.standard_error"
        if a.kind is not Kind.OPTIMUM or b is None or own in ours or own in theirs:
            continue
        mine, yours = _companion(a, own), _companion(b, own)
        if mine is not None and yours is not None:
            yield judge_pair(mine, yours, scales)
        elif mine is not None or yours is not None:
            silent = left.engine if mine is None else right.engine
            reason = f"{silent} gives no standard error of this estimate"
            yield unjudged(own, mine, yours, Outcome.NOT_COMPARED, reason)


def _one_sided(path: str, a: Quantity | None, b: Quantity | None, silent: Reading, role: str) -> Verdict:
    """Return the verdict on a quantity that one side doesn't give: excused by what it declared, else a disagreement."""
    given = a if a is not None else b
    if given is not None and given.kind is Kind.DIAGNOSTIC:
        return unjudged(path, a, b, Outcome.NOT_COMPARED, "a diagnostic is shown, never judged")
    excuse = silent.reason_not_given(path)
    if excuse is not None:
        return unjudged(path, a, b, Outcome.NOT_COMPARED, excuse)
    return unjudged(path, a, b, Outcome.DISAGREE, f"{role} does not have it")


def _excuse_for_nan(reading: Reading, quantity: Quantity) -> str | None:
    """Return why an engine put NaN where it had said that it gives nothing."""
    is_nan = not isinstance(quantity.value, bool | str) and isnan(number(quantity.value))
    return reading.reason_not_given(quantity.path) if is_nan else None


def _companion(quantity: Quantity, path: str) -> Quantity | None:
    if quantity.standard_error is None:
        return None
    return Quantity(path=path, kind=Kind.CURVATURE, value=quantity.standard_error)


def _by_path(reading: Reading) -> dict[str, Quantity]:
    return {quantity.path: quantity for quantity in reading.quantities}


def _repeated(reading: Reading) -> dict[str, str]:
    counts = Counter(quantity.path for quantity in reading.quantities)
    return {path: reading.engine for path, count in counts.items() if count > 1}
