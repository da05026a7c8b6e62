"""What is given, under which name and as what: quantities lost, renamed, given twice, moved to a neighbour."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from harness.comparison.yardstick import number
from harness.quantities import Kind, Quantity, Reading
from harness.selftest.drawing import drawn
from harness.selftest.mutation import Corruption, Mutation
from harness.selftest.numbers import Number, quantities_by_path, renamed, with_numbers, without
from harness.selftest.pinned import Pinned, relabelled_path


def _own(pinned: Pinned) -> dict[str, Quantity]:
    """Return those quantities of the pin on which both sides agree."""
    found = quantities_by_path(pinned.reading)
    return {each.path: found[each.path] for each in pinned.numbers if each.path in found}


def _drawn(pinned: Pinned, mutation: str) -> tuple[Number, ...]:
    own = _own(pinned)
    return drawn(pinned, mutation, [each for each in pinned.numbers if each.path in own])


def _dropped(pinned: Pinned) -> Iterator[Corruption]:
    paths = tuple(_own(pinned))
    if paths:
        yield Corruption(paths=paths, right=without(pinned.reading, *paths))
    for chosen in _drawn(pinned, "dropped"):
        yield Corruption(paths=(chosen.path,), right=without(pinned.reading, chosen.path))


def _dropped_by_us(pinned: Pinned) -> Iterator[Corruption]:
    for chosen in _drawn(pinned, "dropped by us"):
        lost = relabelled_path(chosen.path, pinned.comparison.permutation)
        left = without(pinned.comparison.left, lost)
        yield Corruption(paths=(chosen.path,), right=pinned.reading, left=left)


def _renamed(pinned: Pinned) -> Iterator[Corruption]:
    names = {path: f"{path}_" for path in _own(pinned)}
    if names:
        yield Corruption(paths=(*names, *names.values()), right=renamed(pinned.reading, names))
    for chosen in _drawn(pinned, "renamed"):
        alone = {chosen.path: f"{chosen.path}_"}
        yield Corruption(paths=(chosen.path, alone[chosen.path]), right=renamed(pinned.reading, alone))


def _doubled(pinned: Pinned) -> Iterator[Corruption]:
    own = _own(pinned)
    if own:
        yield Corruption(paths=tuple(own), right=_with(pinned.reading, *own.values()))
    for chosen in _drawn(pinned, "doubled"):
        yield Corruption(paths=(chosen.path,), right=_with(pinned.reading, own[chosen.path]))


def _of_another_kind(kind: Kind) -> Mutation:
    name = f"judged as {kind.value}"

    def corruptions(pinned: Pinned) -> Iterator[Corruption]:
        own = {path: q for path, q in _own(pinned).items() if q.kind is not kind}
        if own:
            yield Corruption(paths=tuple(own), right=_of_kind(pinned.reading, frozenset(own), kind))
        for chosen in drawn(pinned, name, [each for each in pinned.numbers if each.path in own]):
            alone = frozenset({chosen.path})
            yield Corruption(paths=(chosen.path,), right=_of_kind(pinned.reading, alone, kind))

    return Mutation(name=name, sentence=f"A quantity is declared as {kind.value}.", corruptions=corruptions)


def _neighbours(pinned: Pinned) -> Iterator[Corruption]:
    """Yield each quantity with the value of the next one of its kind, where these differ enough to mislead."""
    sorts: dict[tuple[str, str, str], list[Number]] = {}
    for each in pinned.numbers:
        if not isinstance(each.value, bool | str):
            latent_class = each.path.split(".", 1)[0] if each.path.startswith("class[") else ""
            sorts.setdefault((each.verdict.metric, each.path.rsplit(".", 1)[-1], latent_class), []).append(each)
    swaps = [
        (a, b)
        for alike in sorts.values()
        for a, b in list(pairwise(alike))[::2]
        if abs(number(a.value) - number(b.value)) >= max(a.matters, b.matters)
    ]
    if not swaps:
        return
    everything = {x.path: y.value for a, b in swaps for x, y in ((a, b), (b, a))}
    yield Corruption(paths=tuple(everything), right=with_numbers(pinned.reading, everything))
    for chosen in drawn(pinned, "neighbour", [a for a, _ in swaps]):
        other = next(b for a, b in swaps if a is chosen)
        swapped = {chosen.path: other.value, other.path: chosen.value}
        yield Corruption(paths=tuple(swapped), right=with_numbers(pinned.reading, swapped))


def _empty(pinned: Pinned) -> Iterator[Corruption]:
    paths = tuple(_own(pinned))
    if paths:
        nothing = replace(pinned.reading, quantities=(), objective=(), evidence=None)
        yield Corruption(paths=paths, right=nothing)


def _with(reading: Reading, *more: Quantity) -> Reading:
    return replace(reading, quantities=(*reading.quantities, *more))


def _of_kind(reading: Reading, paths: frozenset[str], kind: Kind) -> Reading:
    quantities = (replace(q, kind=kind) if q.path in paths else q for q in reading.quantities)
    return replace(reading, quantities=tuple(quantities))


PRESENCE_MUTATIONS = (
    Mutation(name="dropped", sentence="The reference loses a quantity.", corruptions=_dropped, of_all_subjects=True),
    Mutation(name="dropped by us", sentence="Our side loses a quantity.", corruptions=_dropped_by_us),
    Mutation(name="renamed", sentence="A quantity comes under another name.", corruptions=_renamed),
    Mutation(name="doubled", sentence="A quantity is given twice.", corruptions=_doubled),
    _of_another_kind(Kind.DIAGNOSTIC),
    Mutation(name="neighbour's value", sentence="Two quantities of one kind are swapped.", corruptions=_neighbours),
    Mutation(name="empty answer", sentence="The reference answers with nothing at all.", corruptions=_empty),
)
"""What may go wrong with names, kinds and whole answers."""
