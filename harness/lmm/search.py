"""What Newton searches of all engines share: when they are at their end, how far a step goes, how a saddle is left."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

ITERATION_LIMIT = 200
# Of the criterion's size: what doubles hold of the square of a relative distance.
_DECREMENT = 1e-17
# Where rounding keeps the decrement from that, it is enough that it is small and has stopped to fall.
NEAR = 1e-10
_STALLS = 4
# Of the criterion's size, or of the number of rows: the rounding of the criterion itself.
_ROUNDING = 1e-12
# Of what the slope promises.
SUFFICIENT = 1e-4
_HALVINGS = 60
# Of the criterion's size: ends this near are one.
_SAME = 1e-12
_ESCAPE_STEP = 0.1

_Place = TypeVar("_Place")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The least decrement g'H^-1 g so far, and how many steps in a row did not halve it."""

    best: float = np.inf
    stalled: int = 0

    def after(self, decrement: float) -> "Progress":
        """Return the progress with one more decrement."""
        return Progress(best=min(self.best, decrement), stalled=self.stalled + 1 if decrement > self.best / 2 else 0)

    def at_the_end(self, decrement: float, value: float, near: float = NEAR) -> bool:
        """Whether the last decrement is nothing beside the criterion's value, or `near` and no longer falling."""
        return decrement < _DECREMENT * max(1.0, abs(value)) or (self.stalled >= _STALLS and decrement < near)


def rounding_of(value: float, n_observations: int) -> float:
    """Return below what differences of the criterion decide nothing; Newton's step is better than a comparison."""
    return _ROUNDING * max(1.0, abs(value), float(n_observations))


def lowered(
    moved: Callable[[float], _Place], value: Callable[[_Place], float], here: float, decrement: float, rounding: float
) -> _Place:
    """Return the place one Newton step away, or half of it, a quarter, ...: the first where the criterion falls enough.

    `moved` returns the place at a share of the step, `value` the criterion of a place, which is `here` before the step.
    """
    share = 1.0
    while True:
        there = moved(share)
        if value(there) <= here - SUFFICIENT * share * decrement or share * decrement < rounding:
            return there
        share /= 2


def escaped(moved: Callable[[float], _Place], value: Callable[[_Place], float], here: float) -> _Place | None:
    """Return a lower place along the descending direction of a saddle, both signs of which are equal; None without one.

    `moved` returns the place so many standard deviations along that direction.
    """
    length = _ESCAPE_STEP
    for _ in range(_HALVINGS):
        there = moved(length)
        if value(there) < here:
            return there
        length /= 2
    return None


def lowest(ends: Sequence[_Place], *, value: Callable[[_Place], float], finished: Callable[[_Place], bool]) -> _Place:
    """Return the lowest end of several searches, of those that finished if any did; of equal ones the first."""
    ended = [end for end in ends if finished(end)] or list(ends)
    least = min(map(value, ended))
    return next(end for end in ended if value(end) <= least + _SAME * max(1.0, abs(least)))
