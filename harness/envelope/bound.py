"""The bounds of one limit: the largest difference without a cause below it, the smallest that misleads above it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf, isnan

from harness.comparison.verdict import Comparison, Outcome, Verdict
from harness.envelope.ceiling import ceiling

TIGHT = 2.0
"""A limit that is less than this many times its floor is named: another BLAS may break it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What was measured of one engine's limit in one metric.

    `floor` is the largest difference seen, `share` the largest as a share of the limit that held for it, `where` its
    case and quantity and what was varied. `limit` and `largest_limit` are the least and the largest that held,
    `ceiling` the smallest difference that misleads, `room` the least ratio of a ceiling to its limit. `known` counts
    known differences, which are left out: where there are any, the floor holds for the rest alone.
    """

    engine: str
    measure: str
    floor: float
    share: float
    where: str
    limit: float
    largest_limit: float
    ceiling: float
    room: float
    count: int
    known: int = 0

    @property
    def inside(self) -> bool:
        """Whether every limit lay between what was seen and what misleads."""
        return self.share < 1 < self.room

    @property
    def is_tight(self) -> bool:
        """Whether the limit is less than twice what was seen."""
        return self.share * TIGHT > 1


def bounds_of(comparison: Comparison, engine: str, varied: str) -> Iterator[Bound]:
    """Yield the bound that each verdict with a limit gives the engine; `varied` says what lay between the two sides."""
    for verdict in comparison.verdicts:
        size = ceiling(verdict)
        if verdict.observed is None or verdict.limit is None or size is None:
            continue
        observed = inf if isnan(verdict.observed) else abs(verdict.observed)
        known = verdict.outcome is Outcome.KNOWN
        yield Bound(
            engine=engine,
            measure=verdict.metric,
            floor=0.0 if known else observed,
            share=0.0 if known else _share(observed, verdict),
            where="" if known else f"{comparison.case} {verdict.quantity}, {varied}",
            limit=verdict.limit,
            largest_limit=verdict.limit,
            ceiling=size,
            room=size / verdict.limit if verdict.limit > 0 else inf,
            count=0 if known else 1,
            known=int(known),
        )


def merged(bounds: Iterable[Bound]) -> tuple[Bound, ...]:
    """Return one bound for each engine and metric, sorted by both."""
    found: dict[tuple[str, str], Bound] = {}
    for bound in bounds:
        key = (bound.engine, bound.measure)
        found[key] = bound if key not in found else _both(found[key], bound)
    return tuple(found[key] for key in sorted(found))


def _both(one: Bound, other: Bound) -> Bound:
    worse = other if (other.share, other.floor) > (one.share, one.floor) else one
    return Bound(
        engine=one.engine,
        measure=one.measure,
        floor=max(one.floor, other.floor),
        share=worse.share,
        where=worse.where,
        limit=min(one.limit, other.limit),
        largest_limit=max(one.largest_limit, other.largest_limit),
        ceiling=min(one.ceiling, other.ceiling),
        room=min(one.room, other.room),
        count=one.count + other.count,
        known=one.known + other.known,
    )


def _share(observed: float, verdict: Verdict) -> float:
    if not verdict.limit:
        return inf if observed else 0.0
    return observed / verdict.limit
