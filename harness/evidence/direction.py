"""The direction in which our log-likelihood bends least."""

from dataclasses import replace

from harness.cases import Engine
from harness.comparison.attribution import needs_direction
from harness.comparison.verdict import Comparison, CrossEvidence
from harness.engines import OurSide


def with_direction(ours: OurSide, engine: Engine, comparison: Comparison) -> CrossEvidence | None:  # noqa: ARG001  # as all of them
    """Return the evidence with the direction in which our log-likelihood bends least, at a bound or on a ridge."""
    flat = ours.flattest() if needs_direction(comparison) else None
    return None if flat is None else replace(comparison.evidence, flat=flat)
