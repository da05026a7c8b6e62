"""What our engine says at the parameters where the other's search ended: all quantities, and disputed errors alone."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from harness.cases import Engine
from harness.comparison.alignment import relabelled
from harness.comparison.attribution import disputed_errors, needs_retelling
from harness.comparison.judge import judge
from harness.comparison.verdict import Comparison, CrossEvidence, Outcome, RecomputedError, Retelling
from harness.engines import OurSide
from harness.errors import SpecError
from harness.evidence.points import optimum_of
from harness.quantities import Point, Quantity, Reading

MOST_ERRORS = 5
"""So many standard errors, the furthest beyond their limits, are shown by one method at both optima."""


def with_retelling(ours: OurSide, engine: Engine, comparison: Comparison) -> CrossEvidence | None:  # noqa: ARG001  # as all of them
    """Return the evidence with whether ours says the same at the other's end; None where that tells nothing."""
    theirs = optimum_of(comparison.right)
    if theirs is None or not needs_retelling(comparison):
        return None
    quantities = _said_at(ours, theirs)
    if quantities is None:
        return None
    left = replace(comparison.left, quantities=quantities, covariance=None)
    told = {q.path for q in quantities}
    right = replace(
        comparison.right,
        quantities=tuple(q for q in comparison.right.quantities if q.path in told),
        covariance=None,
        objective=(),
    )
    known = CrossEvidence(effect_errors=comparison.evidence.effect_errors)
    again = judge(comparison.case, left, right, known)
    retelling = Retelling(
        agreeing=tuple(v.quantity for v in again.verdicts if v.outcome is Outcome.AGREE),
        differing=tuple(v.quantity for v in again.verdicts if v.outcome is Outcome.DISAGREE),
    )
    return replace(comparison.evidence, retelling=retelling)


def with_errors(ours: OurSide, engine: Engine, comparison: Comparison) -> CrossEvidence | None:  # noqa: ARG001  # as all of them
    """Return the evidence with disputed standard errors by our method at both optima; None without any."""
    disputed, theirs = disputed_errors(comparison), optimum_of(comparison.right)
    if not disputed or theirs is None:
        return None
    at_left, there = _errors(comparison.left), _said_at(ours, theirs)
    if there is None:
        return None
    at_there = replace(comparison.left, quantities=there, covariance=None)
    # The point of the right engine has its own order of classes.
    at_right = _errors(relabelled(at_there, comparison.permutation) if comparison.permutation else at_there)
    worst = sorted(disputed, key=lambda v: -(v.observed or 0.0))
    found = tuple(
        RecomputedError(
            quantity=v.quantity,
            at_left=at_left[v.quantity],
            at_right=at_right[v.quantity],
            said=float(v.right_value or 0.0),
        )
        for v in worst
        if v.quantity in at_left and v.quantity in at_right
    )
    return replace(comparison.evidence, errors=found[:MOST_ERRORS]) if found else None


def _said_at(ours: OurSide, point: Point) -> tuple[Quantity, ...] | None:
    """Return our quantities at a point, None where the model can't have it."""
    try:
        with np.errstate(all="ignore"):
            return ours.quantities_at(point)
    except (SpecError, ValueError, np.linalg.LinAlgError):
        return None


def _errors(reading: Reading) -> Mapping[str, float]:
    """Return the usable standard errors by the path that they have, or would have, of their own."""
    own = {
        f"{q.path.removesuffix('.estimate')}.standard_error": q.standard_error
        for q in reading.quantities
        if q.standard_error is not None
    }
    named = {q.path: float(q.value) for q in reading.quantities if q.path.endswith(".standard_error")}
    return {path: value for path, value in {**own, **named}.items() if math.isfinite(value) and value > 0}
