"""What a selftest found: how often each mutation was caught and each harmless change left alone."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One mutation or harmless change on one pin.

    `tried` counts altered numbers (for a mutation) or readings (for a harmless change), none where it does not apply;
    `wrong` names those that the judge got wrong.
    """

    name: str
    pin: str
    tried: int
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """What the judge got wrong in one pin: a quantity whose corruption survived, or what it said of no change."""

    pin: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One mutation or harmless change on all pins: to how many it applies, how often it was tried, what went wrong."""

    name: str
    sentence: str
    pins: int
    tried: int
    wrong: tuple[Wrong, ...]

    @property
    def right(self) -> int:
        """How many mutations were caught, or harmless changes left alone."""
        return self.tried - len(self.wrong)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """The judge, tested: `is_whole` if on all pins of the project.

    `idle_entries` are known differences that are no longer there; what is tried on them shows nothing.
    """

    pins: tuple[str, ...]
    mutations: tuple[Tally, ...]
    harmless: tuple[Tally, ...]
    idle_entries: tuple[str, ...]
    is_whole: bool
    seconds: float

    @property
    def kill_rate(self) -> float:
        """The share of tried corruptions that were caught; 0 if none was tried."""
        tried = sum(tally.tried for tally in self.mutations)
        return sum(tally.right for tally in self.mutations) / tried if tried else 0.0

    @property
    def false_alarm_rate(self) -> float:
        """The share of harmless changes that were flagged; 1 if none was tried."""
        tried = sum(tally.tried for tally in self.harmless)
        return sum(len(tally.wrong) for tally in self.harmless) / tried if tried else 1.0

    @property
    def without_a_pin(self) -> tuple[str, ...]:
        """Mutations and changes that apply to no pin, and so show nothing."""
        return tuple(tally.name for tally in (*self.mutations, *self.harmless) if not tally.pins)

    @property
    def has_passed(self) -> bool:
        """Whether all was caught, nothing was flagged and, on all pins, nothing was left untried."""
        complete = not (self.is_whole and (self.without_a_pin or self.idle_entries))
        return complete and self.kill_rate == 1 and self.false_alarm_rate == 0


def tallied(name: str, sentence: str, trials: Sequence[Trial]) -> Tally:
    """Return the trials of one mutation or harmless change together."""
    return Tally(
        name=name,
        sentence=sentence,
        pins=sum(trial.tried > 0 for trial in trials),
        tried=sum(trial.tried for trial in trials),
        wrong=tuple(Wrong(pin=trial.pin, what=what) for trial in trials for what in trial.wrong),
    )
