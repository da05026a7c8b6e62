"""Events of subjects: the pair of counts that every rate begins with."""

from dataclasses import dataclass
from numbers import Integral

from harness.errors import Problem, ScoringError


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    """`events` of `n` subjects.

    Raises
    ------
    ScoringError
        Counts that are no whole numbers, or not 0 <= events <= n.
    """

    events: int
    n: int

    def __post_init__(self) -> None:
        if not (is_count(self.events) and is_count(self.n) and self.events <= self.n):
            found = f"{self.events!r:.40} events of {self.n!r:.40}"
            raise ScoringError("a proportion", [Problem(found=found, expected="whole numbers, 0 <= events <= n")])
        # Counts that numpy made would overflow in products.
        object.__setattr__(self, "events", int(self.events))
        object.__setattr__(self, "n", int(self.n))

    @property
    def others(self) -> int:
        """Subjects without the event."""
        return self.n - self.events


def is_count(value: object) -> bool:
    """Tell whether a value is a whole number >= 0; a truth value is none."""
    return not isinstance(value, bool) and isinstance(value, Integral) and int(value) >= 0
