"""What arithmetic of many digits says of both engines' log-likelihoods, and of how high they can get."""

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from harness.cases import Engine
from harness.comparison.adjudication import needs_ascent, needs_referee
from harness.comparison.verdict import Adjudication, Comparison, CrossEvidence, Ruling
from harness.engines import OurLmm, OurSide
from harness.evidence.points import optimum_of
from harness.evidence.rounding import rounding_of_cross_products
from harness.quantities import Point, Reading

_DECADES = (1.0, 10.0, 100.0)


def with_referee(ours: OurSide, engine: Engine, comparison: Comparison) -> CrossEvidence | None:  # noqa: ARG001  # as all of them
    """Return the evidence with what arithmetic of many digits says; None where nobody doubts or nobody can tell."""
    if not needs_referee(comparison):
        return None
    adjudication = _adjudicated(ours, comparison.left, comparison.right, comparison.evidence)
    return None if adjudication is None else replace(comparison.evidence, adjudication=adjudication)


def with_ascent(ours: OurSide, engine: Engine, comparison: Comparison) -> CrossEvidence | None:  # noqa: ARG001  # as all of them
    """Return the evidence with the exact log-likelihood further on from the other's end; None where that is none's."""
    theirs = optimum_of(comparison.right)
    if theirs is None or not isinstance(ours, OurLmm) or not needs_ascent(comparison):
        return None
    values = ours.refereed([tuple(times * value for value in theirs) for times in _DECADES])
    return None if values is None else replace(comparison.evidence, ascent=tuple(map(float, values)))


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
                room=rounding_of_cross_products(ours, point) if isinstance(ours, OurLmm) else 0.0,
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
