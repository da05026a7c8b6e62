"""Values that lie at a given share of the limit from ours: the metrics once more, and turned around.

They are written here a second time, from their definitions and not from the judge's rules, because a test that asks the
judge how large its limit is would follow it wherever it goes.
"""

from collections.abc import Mapping
from math import exp, log

from harness.comparison.rules import LEAST_P
from harness.comparison.tolerances import Measure
from harness.comparison.yardstick import number
from harness.quantities import Value
from harness.selftest.numbers import Number, with_numbers
from harness.selftest.pinned import Pinned, relabelled_path

_ABSOLUTE = frozenset({Measure.PROBABILITY, Measure.CORRELATION, "log-likelihood gap"})
_SCALED = frozenset({Measure.DISTANCE, f"moment {Measure.DISTANCE}", Measure.PREDICTION, Measure.CONDITIONAL_VARIANCE})
_RELATIVE: Mapping[str, float] = {
    Measure.RELATIVE: 0.0,
    Measure.ALGEBRAIC: 0.0,
    Measure.OBJECTIVE: 0.0,
    Measure.STANDARD_ERROR: 0.0,
    Measure.DF: 0.0,
    Measure.STATISTIC: 1.0,
}
"""Metrics that are relative to the larger value, with the least that they are relative to."""


def at_share_of_limit(pinned: Pinned, share: float) -> dict[str, Value]:
    """Return the values at which each number is `share` limits above ours (below where negative), by path.

    Left out are counts, which have no limit but zero, and p-values where there is no room for it.
    """
    scales, evidence = _scales(pinned), pinned.comparison.left.evidence
    n = 0.0 if evidence is None else float(evidence.n_observations)
    found: dict[str, Value] = {}
    for each in pinned.numbers:
        value = _moved(each, share, scales.get(each.path), n)
        if value is not None:
            found[each.path] = value
    return found


def _scales(pinned: Pinned) -> Mapping[str, float]:
    """Return the unit of each metric that depends on other quantities: what the judge makes of a move of known size."""
    moved = {
        each.path: number(each.ours) + max(abs(number(each.ours)) * 1e-4, each.matters * 1e-3)
        for each in pinned.numbers
        if each.verdict.metric in _SCALED and each.ours is not None
    }
    if not moved:
        return {}
    comparison = pinned.judged(with_numbers(pinned.reading, moved))
    observed = {verdict.quantity: verdict for verdict in comparison.verdicts}
    found = {}
    for path, value in moved.items():
        verdict = observed.get(relabelled_path(path, comparison.permutation))
        if verdict is not None and verdict.observed and verdict.left_value is not None:
            found[path] = abs(value - number(verdict.left_value)) / verdict.observed
    return found


def _moved(each: Number, share: float, scale: float | None, n_observations: float) -> Value | None:
    metric, limit = each.verdict.metric, each.verdict.limit
    if limit is None or each.ours is None:
        return None
    ours, by = number(each.ours), share * limit
    if metric in _ABSOLUTE:
        return ours + by
    if metric in _SCALED:
        return None if scale is None else ours + by * scale
    if metric == Measure.P_VALUE:
        return _p_moved(ours, by)
    floor = n_observations if metric == Measure.INPUT_SUM else _RELATIVE.get(metric)
    return None if floor is None or not (ours or floor) else _relatively_moved(ours, by, floor)


def _relatively_moved(ours: float, by: float, floor: float) -> float:
    """Return the value at |value - ours| = |by| max(|ours|, |value|, floor), above for a positive `by`."""
    share = abs(by)
    grows = (by > 0) == (ours > 0)
    step = abs(ours) * (share / (1 - share) if grows else share)
    return ours + max(step, share * floor) * (1 if by > 0 else -1)


def _p_moved(ours: float, by: float) -> float | None:
    if not LEAST_P < ours <= 1:
        return None
    moved = _relatively_moved(log(ours), by, 1.0)
    return exp(moved) if log(LEAST_P) < moved < 0 else None
