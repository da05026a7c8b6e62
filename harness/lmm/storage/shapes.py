"""What a JSON document must look like, and every place where it does not: for files that anybody may have written."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from harness.errors import Problem

_LARGEST_INTEGER = 2**53
_SHOWN = 40


class Shape(Protocol):
    """A rule for one value of a document."""

    def problems(self, value: object, place: str) -> Iterator[Problem]:
        """Yield what is wrong with the value that stands at `place`."""
        ...


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number."""

    def problems(self, value: object, place: str) -> Iterator[Problem]:
        """Yield a problem unless it is one."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
            yield _problem(value, place, "a finite number")


@dataclass(frozen=True, slots=True)
class Count:
    """An integer, not negative."""

    def problems(self, value: object, place: str) -> Iterator[Problem]:
        """Yield a problem unless it is one."""
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST_INTEGER:
            yield _problem(value, place, "an integer from 0 on")


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def problems(self, value: object, place: str) -> Iterator[Problem]:
        """Yield a problem unless it is one."""
        if not isinstance(value, bool):
            yield _problem(value, place, "true or false")


@dataclass(frozen=True, slots=True)
class Text:
    """A text, one of `choices` if there are any."""

    choices: tuple[str, ...] = ()

    def problems(self, value: object, place: str) -> Iterator[Problem]:
        """Yield a problem unless it is one."""
        if not isinstance(value, str):
            yield _problem(value, place, "a text")
        elif self.choices and value not in self.choices:
            yield _problem(value, place, f"one of {', '.join(map(repr, self.choices))}")


@dataclass(frozen=True, slots=True)
class Maybe:
    """Null, or a value of another shape."""

    shape: Shape

    def problems(self, value: object, place: str) -> Iterator[Problem]:
        """Yield the problems of a value that is there."""
        if value is not None:
            yield from self.shape.problems(value, place)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of values of one shape."""

    shape: Shape

    def problems(self, value: object, place: str) -> Iterator[Problem]:
        """Yield the problems of each value."""
        if not isinstance(value, list):
            yield _problem(value, place, "a list")
            return
        for k, one in enumerate(value):
            yield from self.shape.problems(one, f"{place}[{k}]")


@dataclass(frozen=True, slots=True)
class Matrix:
    """A list of rows of numbers, all of one length; `depth` 3 is a list of matrices of one size, and so on."""

    depth: int = 2

    def problems(self, value: object, place: str) -> Iterator[Problem]:
        """Yield the problems of each number, and whether lengths differ."""
        if not isinstance(value, list):
            yield _problem(value, place, "a list")
            return
        inner: Shape = Number() if self.depth == 1 else Matrix(self.depth - 1)
        found = [problem for k, one in enumerate(value) for problem in inner.problems(one, f"{place}[{k}]")]
        yield from found
        sizes = set() if found or self.depth == 1 else {_size(one) for one in value}
        if len(sizes) > 1:
            yield Problem(column=place, found="rows of different lengths", expected="a rectangular array")


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object whose values all have one shape."""

    shape: Shape

    def problems(self, value: object, place: str) -> Iterator[Problem]:
        """Yield the problems of each value."""
        if not isinstance(value, dict):
            yield _problem(value, place, "an object")
            return
        for key, one in value.items():
            yield from self.shape.problems(one, f"{place}.{key:.{_SHOWN}}")


@dataclass(frozen=True, slots=True)
class Record:
    """An object with exactly these keys."""

    fields: Mapping[str, Shape]

    def problems(self, value: object, place: str) -> Iterator[Problem]:
        """Yield keys that are missing or unknown, and the problems of each value."""
        if not isinstance(value, dict):
            yield _problem(value, place, "an object")
            return
        for key in value.keys() - self.fields.keys():
            yield Problem(
                column=_below(place, str(key)[:_SHOWN]), found="an unknown entry", expected="none of this name"
            )
        for key, shape in self.fields.items():
            if key not in value:
                yield Problem(column=_below(place, key), found="nothing", expected="an entry")
            else:
                yield from shape.problems(value[key], _below(place, key))


@dataclass(frozen=True, slots=True)
class Tagged:
    """An object whose entry `kind` says which of several shapes it has."""

    shapes: Mapping[str, Record]

    def problems(self, value: object, place: str) -> Iterator[Problem]:
        """Yield an unknown kind, or the problems of the shape that it names."""
        if not isinstance(value, dict):
            yield _problem(value, place, "an object")
            return
        found = list(Text(tuple(self.shapes)).problems(value.get("kind"), _below(place, "kind")))
        yield from found
        if not found:
            rest = {key: one for key, one in value.items() if key != "kind"}
            yield from self.shapes[value["kind"]].problems(rest, place)


VECTOR = Matrix(1)


def _below(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _size(value: object) -> tuple[int, ...]:
    """Return the lengths of a rectangular array."""
    sizes = []
    while isinstance(value, list):
        sizes.append(len(value))
        value = value[0] if value else None
    return tuple(sizes)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond any double
        return False


def _problem(value: object, place: str, expected: str) -> Problem:
    kinds = {dict: "an object", list: "a list", type(None): "nothing"}
    found = kinds.get(type(value), repr(value)[:_SHOWN] if not isinstance(value, int) or _finite(value) else "a number")
    return Problem(column=place, found=found, expected=expected)
