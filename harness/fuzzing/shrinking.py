"""Make a counterexample smaller while it stays the same counterexample.

Works on the concrete rows, not on the choices that made them: subjects go first, in halves, quarters and one by one,
then rows, then terms of the model, then digits; again and again until nothing more can go.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from harness.counterexamples.specimen import Specimen
from harness.fuzzing.simpler_models import simpler

Alike = Callable[[Specimen], bool]
"""Whether a smaller specimen still shows what the first one showed."""

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """The smallest specimen that was found, after how many tries; `finished` unless the tries ran out."""

    specimen: Specimen
    tries: int
    finished: bool


def shrink(specimen: Specimen, is_alike: Alike, tries: int = 500) -> Shrunk:
    """Return a specimen that `is_alike` still holds for and that no single step makes smaller.

    Parameters
    ----------
    specimen
        For which `is_alike` holds.
    is_alike
        Asked of each candidate; what it costs is all that shrinking costs.
    tries
        How often it may be asked.
    """
    budget = _Budget(is_alike, tries)
    smallest, before = specimen, None
    while before is not smallest and budget.left:
        before = smallest
        for step in (_fewer_subjects, _fewer_rows, _simplest_model, _fewer_digits, _plain_names):
            smallest = step(smallest, budget)
    return Shrunk(specimen=smallest, tries=tries - budget.left, finished=budget.left > 0)


class _Budget:
    """Counts how often the question is asked, and answers no once it may not be asked again."""

    def __init__(self, is_alike: Alike, tries: int) -> None:
        self._is_alike = is_alike
        self.left = tries

    def __call__(self, specimen: Specimen) -> bool:
        if self.left <= 0:
            return False
        self.left -= 1
        return self._is_alike(specimen)


def _fewer_subjects(specimen: Specimen, is_alike: Alike) -> Specimen:
    def without(dropped: Sequence[str]) -> Callable[[Specimen], Specimen]:
        return lambda one: one.without_subjects(dropped)

    return _dropped(specimen, lambda one: one.subjects, without, is_alike)


def _fewer_rows(specimen: Specimen, is_alike: Alike) -> Specimen:
    def without(dropped: Sequence[int]) -> Callable[[Specimen], Specimen]:
        return lambda one: one.rows([row for row in range(one.n_rows) if row not in dropped])

    return _dropped(specimen, lambda one: range(one.n_rows), without, is_alike)


def _dropped(
    specimen: Specimen,
    parts_of: Callable[[Specimen], Sequence[Part]],
    without: Callable[[Sequence[Part]], Callable[[Specimen], Specimen]],
    is_alike: Alike,
) -> Specimen:
    """Return the specimen without as many parts as can go, tried in halves, quarters and so on."""
    size = len(parts_of(specimen)) // 2
    while size >= 1:
        start = 0
        while start < len(parts := parts_of(specimen)) and len(parts) > 1:
            smaller = without(parts[start : start + size])(specimen)
            if smaller.n_rows and is_alike(smaller):
                specimen = smaller
            else:
                start += size
        size //= 2
    return specimen


def _simplest_model(specimen: Specimen, is_alike: Alike) -> Specimen:
    while (found := next((one for one in simpler(specimen) if is_alike(one)), None)) is not None:
        specimen = found
    return specimen


def _fewer_digits(specimen: Specimen, is_alike: Alike) -> Specimen:
    for column in specimen.numbers:
        for values in _rounder(specimen.numbers[column]):
            candidate = replace(specimen, numbers={**specimen.numbers, column: values})
            if is_alike(candidate):
                specimen = candidate
                break
    return specimen


def _rounder(values: tuple[float, ...]) -> Iterator[tuple[float, ...]]:
    """Yield the values as ranks, and rounded to 1 to 6 digits from the leading one of the largest."""
    known = sorted({value for value in values if not math.isnan(value)})
    largest = max(map(abs, known), default=0.0)
    if largest == 0:
        return
    candidates = [tuple(value if math.isnan(value) else float(known.index(value)) for value in values)]
    leading = -math.floor(math.log10(largest))
    candidates += [
        tuple(value if math.isnan(value) else round(value, leading + digits) + 0.0 for value in values)
        for digits in range(6)
    ]
    yield from (candidate for candidate in candidates if _differ(candidate, values))


def _differ(candidate: tuple[float, ...], values: tuple[float, ...]) -> bool:
    return any(a != b and not (math.isnan(a) and math.isnan(b)) for a, b in zip(candidate, values, strict=True))


def _plain_names(specimen: Specimen, is_alike: Alike) -> Specimen:
    names = {label: f"s{k}" for k, label in enumerate(specimen.subjects, start=1)}
    if all(label == name for label, name in names.items()):
        return specimen
    labels = tuple(None if label is None else names[label] for label in specimen.labels[specimen.subject])
    candidate = replace(specimen, labels={**specimen.labels, specimen.subject: labels})
    return candidate if is_alike(candidate) else specimen
