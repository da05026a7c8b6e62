"""Which numbers of a pin are altered alone: chosen by name, so that every run alters the same ones."""

from collections.abc import Sequence
from zlib import crc32

from harness.selftest.numbers import Number
from harness.selftest.pinned import Pinned

OTHERS = 4
"""Of pins without an accepted difference one in so many has a number altered alone, besides all at once."""


def drawn(pinned: Pinned, mutation: str, numbers: Sequence[Number]) -> tuple[Number, ...]:
    """Return numbers to be altered alone: one of each metric where differences of the pin are accepted, else one.

    Where the judge accepts something, a number that is wrong by itself could be accepted with it. Elsewhere verdicts
    do not depend on each other, and every fourth pin shows that. The metric is drawn first, so that hundreds of class
    probabilities do not leave the few standard errors untried.
    """
    metrics = sorted({number.verdict.metric for number in numbers})
    if not metrics:
        return ()
    if not pinned.known:
        if _place(OTHERS, "alone", pinned.name, mutation):
            return ()
        metrics = [metrics[_place(len(metrics), pinned.name, mutation)]]
    found = []
    for metric in metrics:
        fitting = [number for number in numbers if number.verdict.metric == metric]
        found.append(fitting[_place(len(fitting), pinned.name, mutation, metric)])
    return tuple(found)


def _place(length: int, *names: str) -> int:
    return crc32(" ".join(names).encode()) % length
