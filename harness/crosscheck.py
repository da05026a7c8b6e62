"""The loop around the judge: our engine once a case, each reference on it, the evidence between them, a comparison."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from harness.cases import Case, Engine
from harness.comparison.adjudication import needs_referee
from harness.comparison.attribution import needs_restart
from harness.comparison.judge import judge
from harness.comparison.known import KnownDifference
from harness.comparison.run import Skipped
from harness.comparison.verdict import Adjudication, Comparison, CrossEvidence, ObjectivePair, Restart, Ruling
from harness.curves import curves_of
from harness.engines import NAME, OurSide, solve
from harness.errors import SpecError
from harness.quantities import Point, Reading

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Where reference results come from: R's engines that can be run now, and pins for those that can't.

    `live` is None where R was not looked for.
    """

    live: Mapping[str, Engine] | None = None
    pinned: Mapping[str, Engine] = field(default_factory=dict)

    def engine(self, name: str) -> Engine | None:
        """Return the live engine where there is one, else the pinned one."""
        return (self.live or {}).get(name) or self.pinned.get(name)


def cross_check(
    cases: Iterable[Case],
    references: References,
    known: Sequence[KnownDifference] = (),
    progress: Progress = lambda _: None,
) -> tuple[tuple[Comparison, ...], tuple[Skipped, ...]]:
    """Fit each case with our engine and compare it with each of the case's references."""
    comparisons: list[Comparison] = []
    skipped: list[Skipped] = []
    for case in cases:
        progress(f"{case.name}: harness")
        ours = solve(case)
        for name in case.references:
            progress(f"{case.name}: {name}")
            found = compare_with(ours, name, references, known)
            if isinstance(found, Skipped):
                skipped.append(found)
            else:
                comparisons.append(found)
    return tuple(comparisons), tuple(skipped)


def compare_with(
    ours: OurSide, name: str, references: References, known: Sequence[KnownDifference] = ()
) -> Comparison | Skipped:
    """Compare our fit of one case with one reference engine."""
    case = ours.case
    engine = references.engine(name)
    if engine is None:
        return Skipped(case=case.name, reference=name, reason=f"{name} is neither installed nor recorded")
    right = engine.read(case, ours.probes())
    if right.failure is not None and right.failure.reason == "absent":
        return Skipped(case=case.name, reference=name, reason=right.failure.sentence)
    left = ours.reading(against=name)
    evidence = evidence_between(ours, right)
    comparison = judge(case.name, left, right, evidence, known)
    if needs_restart(comparison):
        restart = _restart_of_the_loser(ours, engine, left, right)
        if restart is not None:
            evidence = replace(evidence, restart=restart)
            comparison = judge(case.name, left, right, evidence, known)
    if needs_referee(comparison):
        adjudication = _adjudicated(ours, left, right, evidence)
        if adjudication is not None:
            comparison = judge(case.name, left, right, replace(evidence, adjudication=adjudication), known)
    return replace(comparison, curves=curves_of(ours, comparison))


def evidence_between(ours: OurSide, right: Reading) -> CrossEvidence:
    """Return our log-likelihood wherever the other engine gives its own, and how far its optimum is from ours."""
    optimum = _optimum(right)
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


def _adjudicated(ours: OurSide, left: Reading, right: Reading, evidence: CrossEvidence) -> Adjudication | None:
    """Return what the referee says at every point where both were evaluated, and at our optimum; None without one."""
    asked: list[tuple[str, Point, float, float | None]] = [
        (f"{right.engine}'s optimum" if pair.label == "optimum" else pair.label, pair.point, pair.left, pair.right)
        for pair in evidence.objectives
        if math.isfinite(pair.left)  # so it is a point that the model can have
    ]
    mine, theirs = _optimum(left), _optimum(right)
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
    our_point, their_point = _optimum(left), _optimum(right)
    if our_point is None or their_point is None:
        return None
    if ours.log_likelihood(our_point) < ours.log_likelihood(their_point):
        return Restart(engine=NAME, log_likelihood=ours.restarted(their_point))
    if right.source != "live":
        return None
    again = engine.read(ours.case, start=our_point)
    reached = _optimum(again)
    return None if reached is None else Restart(engine=right.engine, log_likelihood=ours.log_likelihood(reached))


def _optimum(reading: Reading) -> Point | None:
    """Return the parameters at which the engine's own search ended."""
    return next((value.point for value in reading.objective if value.label == "optimum"), None)
