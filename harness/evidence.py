"""What is measured between two engines, beyond what each says of itself, so that a disagreement gets its cause."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from harness.cases import Case, Engine
from harness.comparison.adjudication import needs_referee
from harness.comparison.alignment import relabelled
from harness.comparison.attribution import disputed_errors, needs_direction, needs_restart
from harness.comparison.verdict import (
    Adjudication,
    Comparison,
    CrossEvidence,
    ObjectivePair,
    RecomputedError,
    Restart,
    Ruling,
)
from harness.engines import NAME, OurSide
from harness.errors import SpecError
from harness.quantities import Point, Reading

MOST_ERRORS = 5
"""So many standard errors, the furthest beyond their limits, are shown by one method at both optima."""


def evidence_between(ours: OurSide, right: Reading) -> CrossEvidence:
    """Return our log-likelihood wherever the other engine gives its own, and how far its optimum is from ours."""
    optimum = optimum_of(right)
    return CrossEvidence(
        objectives=tuple(
            ObjectivePair(
                label=value.label,
                point=value.point,
                left=_or_nan(ours.log_likelihood, value.point),
                right=value.log_likelihood,
            )
            for value in right.objective
        ),
        gradient_at_right=None if optimum is None else _or_nan(ours.distance, optimum),
    )


def evidence_of(left: Reading, right: Reading) -> CrossEvidence:
    """Return what two engines of which neither is ours say of the same parameters: where both gave an objective."""
    theirs = {value.point: value for value in right.objective}
    shared = ((value, theirs[value.point]) for value in left.objective if value.point in theirs)
    return CrossEvidence(
        objectives=tuple(
            ObjectivePair(
                # Each calls its own optimum by this name; what is judged is the right one's.
                label=other.label if value.label == "optimum" else value.label,
                point=value.point,
                left=value.log_likelihood,
                right=other.log_likelihood,
            )
            for value, other in shared
        )
    )


Further = Callable[[OurSide, Engine, Comparison], CrossEvidence | None]


def with_restart(ours: OurSide, engine: Engine, comparison: Comparison) -> CrossEvidence | None:
    """Return the evidence with where the loser goes from the winner's estimates; None where that tells nothing."""
    if not needs_restart(comparison):
        return None
    restart = _restart_of_the_loser(ours, engine, comparison.left, comparison.right)
    return None if restart is None else replace(comparison.evidence, restart=restart)


def with_direction(ours: OurSide, engine: Engine, comparison: Comparison) -> CrossEvidence | None:  # noqa: ARG001  # as all of them
    """Return the evidence with the direction in which our log-likelihood bends least, at a bound or on a ridge."""
    flat = ours.flattest() if needs_direction(comparison) else None
    return None if flat is None else replace(comparison.evidence, flat=flat)


def with_errors(ours: OurSide, engine: Engine, comparison: Comparison) -> CrossEvidence | None:  # noqa: ARG001  # as all of them
    """Return the evidence with disputed standard errors by our method at both optima; None without any."""
    disputed, theirs = disputed_errors(comparison), optimum_of(comparison.right)
    if not disputed or theirs is None:
        return None
    at_left = _errors(comparison.left)
    try:
        with np.errstate(all="ignore"):
            there = ours.quantities_at(theirs)
    except (SpecError, ValueError, np.linalg.LinAlgError):
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


def with_referee(ours: OurSide, engine: Engine, comparison: Comparison) -> CrossEvidence | None:  # noqa: ARG001  # as all of them
    """Return the evidence with what arithmetic of many digits says; None where nobody doubts or nobody can tell."""
    if not needs_referee(comparison):
        return None
    adjudication = _adjudicated(ours, comparison.left, comparison.right, comparison.evidence)
    return None if adjudication is None else replace(comparison.evidence, adjudication=adjudication)


FURTHER: tuple[Further, ...] = (with_restart, with_direction, with_errors, with_referee)
"""What is measured only where a disagreement asks for it, in this order."""


def _errors(reading: Reading) -> Mapping[str, float]:
    """Return the usable standard errors by the path that they have, or would have, of their own."""
    own = {
        f"{q.path.removesuffix('.estimate')}.standard_error": q.standard_error
        for q in reading.quantities
        if q.standard_error is not None
    }
    named = {q.path: float(q.value) for q in reading.quantities if q.path.endswith(".standard_error")}
    return {path: value for path, value in {**own, **named}.items() if math.isfinite(value) and value > 0}


def _adjudicated(ours: OurSide, left: Reading, right: Reading, evidence: CrossEvidence) -> Adjudication | None:
    """Return what the referee says at every point where both were evaluated, and at our optimum; None without one."""
    asked: list[tuple[str, Point, float, float | None]] = [
        (f"{right.engine}'s optimum" if pair.label == "optimum" else pair.label, pair.point, pair.left, pair.right)
        for pair in evidence.objectives
        if math.isfinite(pair.left)  # so it is a point that the model can have
    ]
    mine, theirs = optimum_of(left), optimum_of(right)
    own = next((value.log_likelihood for value in left.objective if value.label == "optimum"), None)
    if mine is not None and own is not None:
        asked.append((f"{left.engine}'s optimum", mine, own, None))
    values = ours.refereed([point for _, point, _, _ in asked])
    if values is None:
        return None
    exact = {point: value for (_, point, _, _), value in zip(asked, values, strict=True)}
    return Adjudication(
        rulings=tuple(
            Ruling(
                label=label,
                exact=float(exact[point]),
                left_error=_error(left_value, exact[point]),
                right_error=_error(right_value, exact[point]),
            )
            for label, point, left_value, right_value in asked
        ),
        gap=_gap(exact, mine, theirs),
    )


def _gap(exact: Mapping[Point, Fraction], mine: Point | None, theirs: Point | None) -> float | None:
    if mine is None or theirs is None or not {mine, theirs} <= exact.keys():
        return None
    return float(exact[mine] - exact[theirs])


def _error(value: float | None, exact: Fraction) -> float | None:
    if value is None:
        return None
    return float(Fraction(value) - exact) if math.isfinite(value) else math.nan


def _or_nan(function: Callable[[Point], float], point: Point) -> float:
    """Return NaN, which agrees with nothing, where an engine gives parameters that the model can't have."""
    if not all(map(math.isfinite, point)):
        return math.nan
    try:
        with np.errstate(all="ignore"):  # parameters far out of reach may overflow on the way to NaN or infinity
            return function(point)
    except (SpecError, ValueError):
        return math.nan


def _restart_of_the_loser(ours: OurSide, engine: Engine, left: Reading, right: Reading) -> Restart | None:
    """Start the engine with the lower log-likelihood at the other's estimates; None where it can't be run."""
    our_point, their_point = optimum_of(left), optimum_of(right)
    if our_point is None or their_point is None:
        return None
    if ours.log_likelihood(our_point) < ours.log_likelihood(their_point):
        return Restart(engine=NAME, log_likelihood=ours.restarted(their_point))
    if right.source != "live":
        return None
    again = engine.read(ours.case, start=our_point)
    reached = optimum_of(again)
    return None if reached is None else Restart(engine=right.engine, log_likelihood=ours.log_likelihood(reached))


def restarted(case: Case, engine: Engine, reading: Reading, start: Point) -> Restart | None:
    """Return where an engine that is not ours goes from another's estimates; None where it can't be run."""
    if reading.source != "live":
        return None
    again = engine.read(case, start=start)
    reached = next((q.value for q in again.quantities if q.path == "log_likelihood"), None)
    return Restart(engine=reading.engine, log_likelihood=reached) if isinstance(reached, float) else None


def optimum_of(reading: Reading) -> Point | None:
    """Return the parameters at which the engine's own search ended."""
    return next((value.point for value in reading.objective if value.label == "optimum"), None)
