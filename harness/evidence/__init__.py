"""What is measured between two engines, beyond what each says of itself, so that a disagreement gets its cause."""

from collections.abc import Callable

from harness.cases import Engine
from harness.comparison.verdict import Comparison, CrossEvidence
from harness.engines import OurSide
from harness.evidence.direction import with_direction
from harness.evidence.points import evidence_between, evidence_of, optimum_of
from harness.evidence.refereed import with_ascent, with_referee
from harness.evidence.restarts import restarted, with_restart
from harness.evidence.theirs import with_errors, with_retelling

__all__ = ["FURTHER", "evidence_between", "evidence_of", "optimum_of", "restarted"]

Further = Callable[[OurSide, Engine, Comparison], CrossEvidence | None]

FURTHER: tuple[Further, ...] = (
    with_referee,
    with_ascent,
    with_restart,
    with_errors,
    with_retelling,
    with_direction,
)
"""What is measured only where a disagreement asks for it, in this order: where the log-likelihoods are rounded, the
others go on from what is left."""
