"""What two engines say of the same parameters, and what is known of the design that both were given."""

import math
from collections.abc import Callable

import numpy as np

from harness.comparison.verdict import CrossEvidence, ObjectivePair
from harness.engines import OurSide
from harness.errors import SpecError
from harness.evidence.design import effect_errors, told_twice
from harness.quantities import Point, Reading


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
        effect_errors=effect_errors(ours),
        told_twice=told_twice(ours),
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


def optimum_of(reading: Reading) -> Point | None:
    """Return the parameters at which the engine's own search ended."""
    return next((value.point for value in reading.objective if value.label == "optimum"), None)


def _or_nan(function: Callable[[Point], float], point: Point) -> float:
    """Return NaN, which agrees with nothing, where an engine gives parameters that the model can't have."""
    if not all(map(math.isfinite, point)):
        return math.nan
    try:
        with np.errstate(all="ignore"):  # parameters far out of reach may overflow on the way to NaN or infinity
            return function(point)
    except (SpecError, ValueError):
        return math.nan
