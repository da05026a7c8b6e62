"""A pin with fewer subjects in its class probabilities and conditional modes, of which one rule judges hundreds.

Some mutations are tried on all of them; most would only try the same rule again, for minutes.
"""

from collections.abc import Callable
from dataclasses import replace

from harness.quantities import Reading
from harness.selftest.pinned import Pinned, agreeing, relabelled_path

KEPT = 12
"""So many subjects stay of each class and random effect."""


def thinned(pinned: Pinned) -> Pinned:
    """Return the pin with a sample of its subjects on both sides, or as it is where that would change the verdict."""
    kept = _kept(pinned.comparison.left)
    left = _with_only(pinned.comparison.left, kept)
    names = pinned.comparison.permutation
    right = _with_only(pinned.reading, lambda path: kept(relabelled_path(path, names)))
    if len(right.quantities) == len(pinned.reading.quantities):
        return pinned
    comparison = pinned.judged(right, left)
    before = pinned.comparison
    same = (comparison.outcome, comparison.attribution, comparison.permutation)
    if same != (before.outcome, before.attribution, before.permutation):
        return pinned
    return replace(pinned, reading=right, comparison=comparison, numbers=agreeing(comparison))


def _with_only(reading: Reading, keeps: Callable[[str], bool]) -> Reading:
    return replace(reading, quantities=tuple(q for q in reading.quantities if keeps(q.path)))


def _kept(reading: Reading) -> Callable[[str], bool]:
    """Return which paths stay: all that belong to no single subject, and of the others every so manieth."""
    groups: dict[str, list[str]] = {}
    for quantity in reading.quantities:
        group = _group(quantity.path)
        if group:
            groups.setdefault(group, []).append(quantity.path)
    staying = {path for paths in groups.values() for path in paths[:: max(len(paths) // KEPT, 1)]}
    return lambda path: not _group(path) or path in staying


def _group(path: str) -> str:
    """Return what the quantity of a subject has in common with those of other subjects; empty for no subject's."""
    if ".posterior[" in path:
        return path.split(".posterior[", 1)[0]
    return path.rsplit(",", 1)[-1] if path.startswith("mode[") else ""
