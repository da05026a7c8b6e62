"""What means the same must not be flagged: a last digit, another numbering of classes, another order or layout."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import permutations
from math import inf, nextafter

from harness.comparison.alignment import relabelled
from harness.comparison.verdict import Attribution, Comparison, Outcome
from harness.comparison.yardstick import number
from harness.quantities import Kind, Reading, Value
from harness.references.pins import pin_path
from harness.selftest.class_mutations import classes_of
from harness.selftest.numbers import numbers_of, with_numbers
from harness.selftest.pin_mutations import read_text
from harness.selftest.pinned import Pinned

NUMBERINGS = 3
"""So many other numberings of the classes of a pin are tried; two classes have one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmlessChange:
    """A change that changes no result: `readings` yields nothing for a pin to which it does not apply."""

    name: str
    sentence: str
    readings: Callable[[Pinned], Iterator[Reading]]


def is_flagged(before: Comparison, after: Comparison) -> bool:
    """Return whether a harmless change altered what the judge says, or there is a disagreement anyway.

    That classes were renamed may be said.
    """
    if after.outcome not in {Outcome.AGREE, Outcome.KNOWN}:
        return True
    cause = None if after.attribution is Attribution.LABELS else after.attribution
    usual = None if before.attribution is Attribution.LABELS else before.attribution
    return after.outcome is not before.outcome or cause is not usual


def _unchanged(pinned: Pinned) -> Iterator[Reading]:
    yield pinned.reading


def _last_digit(towards: float) -> Callable[[Pinned], Iterator[Reading]]:
    def readings(pinned: Pinned) -> Iterator[Reading]:
        moved: dict[str, Value] = {
            path: nextafter(number(value), towards)
            for path, (kind, value) in numbers_of(pinned.reading).items()
            if kind is not Kind.EXACT and not isinstance(value, bool | str)
        }
        if moved:
            yield with_numbers(pinned.reading, moved)

    return readings


def _renumbered(pinned: Pinned) -> Iterator[Reading]:
    classes = classes_of(pinned.reading)
    others = [dict(zip(classes, order, strict=True)) for order in permutations(classes)][1:]
    chance = random.Random(pinned.name)  # noqa: S311  # a sample, not a secret
    for names in chance.sample(others, min(len(others), NUMBERINGS)):
        yield relabelled(pinned.reading, names)


def _backwards(pinned: Pinned) -> Iterator[Reading]:
    reading = pinned.reading
    evidence = reading.evidence
    if evidence is not None:
        evidence = replace(evidence, design_sums=dict(list(evidence.design_sums.items())[::-1]))
    yield replace(
        reading,
        quantities=reading.quantities[::-1],
        objective=reading.objective[::-1],
        evidence=evidence,
        conventions=reading.conventions[::-1],
        warnings=reading.warnings[::-1],
        versions=dict(list(reading.versions.items())[::-1]),
    )


def _another_layout(pinned: Pinned) -> Iterator[Reading]:
    """Yield what the pin says with its keys backwards, other indentation, line ends of Windows and its mark."""
    path = pin_path(pinned.engine.folder, pinned.case.name, pinned.reference)
    document = _keys_backwards(json.loads(path.read_text(encoding="utf-8")))
    yield read_text(pinned, json.dumps(document, indent=3).replace("\n", "\r\n"), encoding="utf-8-sig")


def _keys_backwards(node: object) -> object:
    return {key: _keys_backwards(node[key]) for key in reversed(node)} if isinstance(node, dict) else node


def _other_times(pinned: Pinned) -> Iterator[Reading]:
    """Yield the reading with other seconds and other sentences, which are no results."""
    versions: Mapping[str, str] = {**pinned.reading.versions, "BLAS": "another one"}
    yield replace(pinned.reading, seconds=1e9, warnings=("a warning",), versions=versions)


HARMLESS_CHANGES: tuple[HarmlessChange, ...] = (
    HarmlessChange(name="unchanged", sentence="The pin as it is.", readings=_unchanged),
    HarmlessChange(
        name="last digit up",
        sentence="Every number but counts is the next larger double.",
        readings=_last_digit(inf),
    ),
    HarmlessChange(
        name="last digit down",
        sentence="Every number but counts is the next smaller double.",
        readings=_last_digit(-inf),
    ),
    HarmlessChange(name="classes renumbered", sentence="Latent classes carry other numbers.", readings=_renumbered),
    HarmlessChange(
        name="order reversed", sentence="Quantities, points and columns come backwards.", readings=_backwards
    ),
    HarmlessChange(
        name="another layout of the pin",
        sentence="The pin's file has other line ends, indentation, order of keys and a byte-order mark.",
        readings=_another_layout,
    ),
    HarmlessChange(
        name="another machine", sentence="Seconds, warnings and the BLAS are others.", readings=_other_times
    ),
)
"""What is tried on every pin."""
