"""How far a campaign is, and how long the rest will take at the pace so far."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.reports.words import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a run is: replicates of all cells at most, those that are there, and those that this run computed.

    `spared` are replicates that cells with narrow intervals do without.
    """

    total: int
    there: int
    computed: int
    spared: int
    agreeing: int
    seconds: float

    @property
    def left(self) -> int:
        """Replicates that may still be needed."""
        return max(self.total - self.there - self.spared, 0)

    @property
    def pace(self) -> float | None:
        """Replicates a second, None before the first one."""
        return self.computed / self.seconds if self.computed and self.seconds > 0 else None

    @property
    def remaining(self) -> float | None:
        """Seconds that the rest takes at this pace, if no further cell ends early; None before there is a pace."""
        return None if self.pace is None else self.left / self.pace

    def __str__(self) -> str:
        """Return one line."""
        parts = [f"{self.there} of {self.total} replicates, {self.agreeing} agree"]
        if self.spared:
            parts.append(f"{self.spared} spared by early stops")
        if self.pace is not None and self.remaining is not None:
            parts += [f"{self.pace:.3g} a second", f"about {duration(self.remaining)} left"]
        return ", ".join(parts)


Told = Callable[[Standing], None]


def duration(seconds: float) -> str:
    """Return a time in words: "40 s", "3 min", "2 h 5 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return counted(minutes, "min", "min") if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
