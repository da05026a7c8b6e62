"""How far a withheld count may differ from the true one, given all that is shown.

Counts and their margins are a circulation: a total flows to the margins of rows, from there through the cells to the
margins of columns and back to the total; at each node what flows in flows out, which is what sums mean. The tables that
fit to what is shown are the circulations within the bounds of the withheld counts. Bounds and flows are whole numbers,
so the values that one count takes over all such tables are all whole numbers of an interval (total unimodularity), and
the interval's ends are found by augmenting the true table, which is one of them.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Arc:
    """One count, flowing from node `tail` to node `head`; withheld, it may be from `lower` to `upper` (None: any)."""

    tail: int
    head: int
    count: int
    lower: int
    upper: int | None


class Step(NamedTuple):
    """A way over arc `place`, +1 along it or -1 against it, by at most `room`."""

    place: int
    sign: int
    room: int


def interval(arcs: Sequence[Arc], withheld: frozenset[int], target: int, most: int) -> tuple[int, int]:
    """Return the smallest and largest value of a withheld count, as far as `most`, over all tables that fit.

    Parameters
    ----------
    arcs
        All counts of the table with its margins.
    withheld
        Which of them are not shown; the others keep their count.
    target
        Which one is asked for; it is one of those withheld.
    most
        Values above it are not looked for.
    """
    arc = arcs[target]
    up = max(0, (most if arc.upper is None else min(arc.upper, most)) - arc.count)
    down = arc.count - arc.lower
    others = withheld - {target}
    return (
        arc.count - _flow(arcs, others, arc.tail, arc.head, down),
        arc.count + _flow(arcs, others, arc.head, arc.tail, up),
    )


def _flow(arcs: Sequence[Arc], free: frozenset[int], source: int, sink: int, wanted: int) -> int:
    """Return how much more can flow from source to sink over the free arcs, at most what is wanted."""
    counts = {place: arcs[place].count for place in free}
    around: dict[int, list[tuple[int, int, int]]] = {}
    for place in sorted(free):
        arc = arcs[place]
        around.setdefault(arc.tail, []).append((arc.head, place, 1))
        around.setdefault(arc.head, []).append((arc.tail, place, -1))
    sent = 0
    while sent < wanted and (path := _path(arcs, counts, around, source, sink)):
        size = min(wanted - sent, *(step.room for step in path))
        for step in path:
            counts[step.place] += step.sign * size
        sent += size
    return sent


def _path(
    arcs: Sequence[Arc],
    counts: Mapping[int, int],
    around: Mapping[int, Sequence[tuple[int, int, int]]],
    source: int,
    sink: int,
) -> list[Step]:
    """Return a shortest way from source to sink, no steps if there is none."""
    came: dict[int, tuple[int, Step]] = {}
    waiting = deque([source])
    while waiting and sink not in came:
        node = waiting.popleft()
        for onward, place, sign in around.get(node, ()):
            room = _room(arcs[place], counts[place], sign)
            if room > 0 and onward not in came and onward != source:
                came[onward] = (node, Step(place, sign, room))
                waiting.append(onward)
    return _walked(came, source, sink) if sink in came else []


def _walked(came: Mapping[int, tuple[int, Step]], source: int, sink: int) -> list[Step]:
    """Return the steps that led from source to sink."""
    steps, node = [], sink
    while node != source:
        node, step = came[node]
        steps.append(step)
    return steps


def _room(arc: Arc, count: int, sign: int) -> int:
    if sign < 0:
        return count - arc.lower
    # Without an upper end there is always room; how much at once does not matter.
    return count + 1 if arc.upper is None else arc.upper - count
