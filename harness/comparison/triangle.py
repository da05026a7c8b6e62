"""Who moved: ours, the recorded reference and the reference as it runs today, each side of the triangle judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.comparison.verdict import Outcome
from harness.quantities import Value


class Mover(StrEnum):
    """Which corner of the triangle is not where it was when the pin was recorded."""

    NOBODY = "nobody"
    OURS = "ours"
    REFERENCE = "reference"
    BOTH = "both"
    INPUT = "input"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A quantity on which a side of the triangle disagrees; a value is None where a corner does not give it."""

    quantity: str
    ours: Value | None
    pinned: Value | None
    live: Value | None
    mover: Mover


@dataclass(frozen=True, slots=True, kw_only=True)
class Triangle:
    """One case and reference on three sides; `recorded` and `running` are the reference's versions then and now.

    `drift` is by how much the reference moved since, as the largest share of one of its own limits; None where no
    number of the recording was compared with one of today.
    """

    case: str
    engine: str
    recorded: Mapping[str, str]
    running: Mapping[str, str]
    ours_pinned: Outcome
    live_pinned: Outcome
    ours_live: Outcome
    mover: Mover
    sentence: str
    moved: tuple[Moved, ...] = ()
    drift: float | None = None
    next_step: str = ""

    @property
    def blocks(self) -> bool:
        """Whether ours is part of what moved; a reference that moved blocks only where ours disagrees with it."""
        return self.mover in {Mover.OURS, Mover.BOTH}
