"""The third side of each comparison: what a reference says today against what was recorded of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.cases import Engine
from harness.comparison.alignment import relabelled
from harness.comparison.judge import judge, outcome_of
from harness.comparison.known import KnownDifference, in_force, with_known
from harness.comparison.movement import triangle
from harness.comparison.triangle import Triangle
from harness.comparison.verdict import Attribution, Comparison, CrossEvidence, ObjectivePair
from harness.crosscheck import judged
from harness.engines import OurSide
from harness.evidence import evidence_between
from harness.quantities import Reading

NOISE = (Attribution.FLOAT, Attribution.NOT_CONVERGED, Attribution.OPTIMISER_NOISE)
"""Causes for which an engine differs from itself too; a definition stays what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifts:
    """The triangles of a run, found as its comparisons are made."""

    pinned: Mapping[str, Engine]
    known: Sequence[KnownDifference] = ()
    found: list[Triangle] = field(default_factory=list)

    def see(self, ours: OurSide, comparison: Comparison) -> None:
        """Add the triangle of a comparison, if it has one."""
        triangle_here = drift_of(ours, comparison, self.pinned.get(comparison.right.engine), self.known)
        if triangle_here is not None:
            self.found.append(triangle_here)


def drift_of(
    ours: OurSide, ours_live: Comparison, pinned: Engine | None, known: Sequence[KnownDifference] = ()
) -> Triangle | None:
    """Return who moved since the pin was recorded; None without a live answer or without a pin.

    Nothing is fitted and R is not asked again: our fit and the reference's live reading are those of the comparison.
    """
    live = ours_live.right
    if pinned is None or live.source != "live":
        return None
    pin = pinned.read(ours.case)
    if pin.failure is not None and pin.failure.reason == "absent":
        return None
    ours_pinned = _with_pin(ours, ours_live.left, pinned, pin, known)
    return triangle(ours_live, ours_pinned, _across(ours_live, ours_pinned, known))


def _with_pin(
    ours: OurSide, left: Reading, pinned: Engine, pin: Reading, known: Sequence[KnownDifference]
) -> Comparison:
    """Compare ours with the pin; its cause is looked for only where a known difference depends on it."""
    case = ours.case.name
    if pin.failure is None and in_force(known, case, pin.engine):
        return judged(ours, pinned, pin, known, left=left)
    return judge(case, left, pin, evidence_between(ours, pin))


def _across(ours_live: Comparison, ours_pinned: Comparison, known: Sequence[KnownDifference]) -> Comparison:
    """Compare the live reading with the pin under the engine's own limits, classes of both labelled as ours are.

    An engine that is known to stop in its noise may lie as far from its own recording as it may from ours.
    """
    live = relabelled(ours_live.right, ours_live.permutation)
    pin = relabelled(ours_pinned.right, ours_pinned.permutation)
    found = judge(ours_live.case, live, pin, CrossEvidence(objectives=_at_same_points(live, pin)))
    return as_known_noise(found, known)


def as_known_noise(comparison: Comparison, known: Sequence[KnownDifference]) -> Comparison:
    """Return a comparison of an engine with itself in which it may move as much as it is known to."""
    entries, verdicts = in_force(known, comparison.case, comparison.left.engine), comparison.verdicts
    for cause in NOISE:
        verdicts = with_known(verdicts, cause, entries)
    return replace(comparison, verdicts=verdicts, outcome=outcome_of(verdicts) if verdicts else comparison.outcome)


def _at_same_points(live: Reading, pin: Reading) -> tuple[ObjectivePair, ...]:
    """Return both log-likelihoods wherever both were asked at the same parameters, to the last bit."""
    then = {value.point: value.log_likelihood for value in pin.objective}
    return tuple(
        ObjectivePair(label=value.label, point=value.point, left=value.log_likelihood, right=then[value.point])
        for value in live.objective
        if value.point in then
    )
