"""What both engines' estimates look like over time, for people to see."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePair:
    """The fitted means of one class or protocol by both engines at the same times, and what was observed.

    `observed` are pairs of time and mean outcome: of the protocol's rows, or of all rows weighted by the posterior.
    `along` names the column of the times and `outcome` that of the means. Where `along` is a factor, times number its
    `levels` from 0.
    """

    label: str
    times: tuple[float, ...]
    left: tuple[float, ...]
    right: tuple[float, ...]
    observed: tuple[tuple[float, float], ...] = ()
    along: str = "time"
    outcome: str = "outcome"
    levels: tuple[str, ...] = ()
