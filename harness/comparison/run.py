"""What one call of the harness found: every comparison, what was not compared, and what lies beyond single pairs."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.comparison.consensus import Consensus
from harness.comparison.traces import Trace
from harness.comparison.triangle import Triangle
from harness.comparison.verdict import Comparison, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A case and reference that were not compared at all, and why."""

    case: str
    reference: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All comparisons of one call. `command` reproduces it; `environment` holds versions by name.

    `triangles` are there where a reference ran live beside its pin, `consensus` where a case has three engines or more,
    `traces` where a history was kept.
    """

    command: str
    started: str
    seconds: float
    environment: Mapping[str, str]
    comparisons: tuple[Comparison, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    triangles: tuple[Triangle, ...] = ()
    consensus: tuple[Consensus, ...] = ()
    traces: tuple[Trace, ...] = ()

    def __repr__(self) -> str:
        """Return the command and the counts; everything else is in the fields."""
        counts = ", ".join(f"{number} {outcome.value}" for outcome in Outcome if (number := self.count(outcome)))
        asked = f"{len(self.comparisons)} comparisons, {len(self.skipped)} skipped"
        return f"{self.command!r:.200} of {self.started}: {asked}; quantities: {counts or 'none'}"

    def count(self, outcome: Outcome) -> int:
        """Return how many verdicts of all comparisons have the outcome."""
        return sum(comparison.count(outcome) for comparison in self.comparisons)
