"""Wrong classes: estimates of one class with the members of another."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from harness.comparison.yardstick import number
from harness.quantities import Quantity, Reading
from harness.selftest.misleading import THIRD_DECIMAL
from harness.selftest.mutation import Corruption, Mutation
from harness.selftest.numbers import quantities_by_path, with_numbers, without
from harness.selftest.pinned import Pinned

POSTERIOR = ".posterior["


def classes_of(reading: Reading) -> tuple[int, ...]:
    """Return the labels of the latent classes of a reading, sorted."""
    return tuple(sorted({q.latent_class for q in reading.quantities if q.latent_class is not None}))


def _posteriors(pinned: Pinned) -> dict[str, dict[int, Quantity]]:
    """Return the class probabilities by subject and class."""
    found: dict[str, dict[int, Quantity]] = {}
    agreeing = {each.path for each in pinned.numbers}
    for quantity in pinned.reading.quantities:
        if POSTERIOR in quantity.path and quantity.latent_class is not None and quantity.path in agreeing:
            found.setdefault(quantity.path.split(POSTERIOR, 1)[1], {})[quantity.latent_class] = quantity
    return found


def _first_two(pinned: Pinned) -> Mapping[int, int] | None:
    classes = classes_of(pinned.reading)
    if len(classes) < 2 or not _posteriors(pinned):
        return None
    a, b, *rest = classes
    return {a: b, b: a, **{label: label for label in rest}}


def _swapped(pinned: Pinned, *, posteriors: bool) -> Iterator[Corruption]:
    """Yield the reading with two classes swapped in its probabilities alone, or in everything else alone.

    Either contradicts itself; which of the two is wrong depends on how the judge matches classes.
    """
    names = _first_two(pinned)
    if names is None:
        return
    quantities = tuple(
        q.relabelled(names) if q.latent_class is not None and (POSTERIOR in q.path) is posteriors else q
        for q in pinned.reading.quantities
    )
    differing = tuple(q.path for q in pinned.reading.quantities if q.latent_class is not None)
    yield Corruption(paths=differing, right=replace(pinned.reading, quantities=quantities), any_of_them=True)


def _swapped_estimates(pinned: Pinned) -> Iterator[Corruption]:
    yield from _swapped(pinned, posteriors=False)


def _swapped_posteriors(pinned: Pinned) -> Iterator[Corruption]:
    yield from _swapped(pinned, posteriors=True)


def _permuted_row(pinned: Pinned) -> Iterator[Corruption]:
    """Yield the reading with one subject's probabilities given to other classes: of the clearest subject."""
    rows = [list(row.values()) for row in _posteriors(pinned).values() if len(row) > 1]
    if not rows:
        return
    row = max(rows, key=lambda values: max(number(q.value) for q in values))
    moved = dict(zip((q.path for q in row), (q.value for q in (*row[1:], row[0])), strict=True))
    yield from _if_far_enough(pinned, moved)


def _another_subject(pinned: Pinned) -> Iterator[Corruption]:
    """Yield the reading in which all subjects have the probabilities of the subject before them.

    Classes may then be matched in another way, in which some of these agree by chance.
    """
    rows = list(_posteriors(pinned).values())
    if len(rows) < 2 or len({frozenset(row) for row in rows}) > 1:
        return
    moved = {
        row[label].path: before[label].value
        for row, before in zip(rows, (rows[-1], *rows[:-1]), strict=True)
        for label in row
    }
    yield from _if_far_enough(pinned, moved, any_of_them=True)


def _if_far_enough(pinned: Pinned, moved: Mapping[str, object], *, any_of_them: bool = False) -> Iterator[Corruption]:
    before = quantities_by_path(pinned.reading)
    far = {
        path: value
        for path, value in moved.items()
        if isinstance(value, float | int) and abs(value - number(before[path].value)) >= THIRD_DECIMAL
    }
    if far:
        yield Corruption(paths=tuple(far), right=with_numbers(pinned.reading, far), any_of_them=any_of_them)


def _class_lost(pinned: Pinned) -> Iterator[Corruption]:
    classes = classes_of(pinned.reading)
    if len(classes) < 2:
        return
    lost = [q.path for q in pinned.reading.quantities if q.latent_class == classes[-1]]
    counted = without(with_numbers(pinned.reading, {"n_classes": len(classes) - 1}), *lost)
    yield Corruption(paths=("n_classes",), right=counted)


CLASS_MUTATIONS = (
    Mutation(
        name="classes swapped in estimates",
        sentence="Two classes are swapped in the estimates, but not in the class probabilities.",
        corruptions=_swapped_estimates,
    ),
    Mutation(
        name="classes swapped in probabilities",
        sentence="Two classes are swapped in the class probabilities, but not in the estimates.",
        corruptions=_swapped_posteriors,
    ),
    Mutation(
        name="probabilities permuted",
        sentence="One subject's class probabilities belong to other classes.",
        corruptions=_permuted_row,
        of_all_subjects=True,
    ),
    Mutation(
        name="probabilities of another subject",
        sentence="All subjects have the class probabilities of the one before them.",
        corruptions=_another_subject,
        of_all_subjects=True,
    ),
    Mutation(name="class lost", sentence="A class is missing altogether.", corruptions=_class_lost),
)
"""What may go wrong with latent classes."""
