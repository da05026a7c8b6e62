"""Take values of known types out of a TOML document, and remember everything of a wrong type or name."""

import sys
from collections.abc import Mapping, Sequence
from typing import TypeGuard

from harness.cohorts.tables import shown
from harness.cohorts.toml_lines import Keys, line_of
from harness.errors import Problem, nearest

TomlTable = Mapping[str, object]


class TomlValues:
    """Reads a document table by table; `where` are the keys that lead to a table.

    What does not fit is returned as the empty value of its type and remembered in `problems`, with its line.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[Problem] = []

    def bounds(self, table: TomlTable, where: Keys, key: str = "range") -> tuple[float, float] | None:
        """Return two numbers, smallest and largest; None where the key is absent."""
        value = table.get(key)
        if value is None:
            return None
        if isinstance(value, list) and len(value) == 2 and all(is_number(bound) for bound in value):
            return float(value[0]), float(value[1])
        self.complain(where, key, f"{key} {shown(value)}", "[smallest, largest]")
        return None

    def codes(self, table: TomlTable, where: Keys) -> tuple[str | float, ...]:
        """Return the codes of missing values, numbers as numbers."""
        values = table.get("missing", [])
        if isinstance(values, list) and all(isinstance(code, str) or is_number(code) for code in values):
            return tuple(code if isinstance(code, str) else float(code) for code in values)
        self.complain(where, "missing", f"missing {shown(values)}", 'a list of numbers and texts, such as [-9, "NA"]')
        return ()

    def texts(self, table: TomlTable, key: str, where: Keys) -> list[str]:
        """Return a list of texts."""
        values = table.get(key, [])
        if isinstance(values, list) and all(isinstance(value, str) for value in values):
            return values
        self.complain(where, key, f"{key} {shown(values)}", 'a list of texts, such as ["four", "six"]')
        return []

    def text(self, table: TomlTable, key: str, where: Keys, *, required: bool = False) -> str:
        """Return a text, which may be required of a table that has anything at all."""
        value = table.get(key, "")
        if not isinstance(value, str):
            self.complain(where, key, f"{key} = {shown(value)}", "a text in quotes")
            return ""
        if required and not value and table:
            self.complain(where, None, f"no `{key}` in [{'.'.join(where)}]", "one")
        return value

    def choice(self, table: TomlTable, key: str, where: Keys, known: Sequence[str], default: str) -> str:
        """Return one of the known words."""
        word = self.text(table, key, where) or default
        if word in known:
            return word
        self.complain(where, key, f"{key} {shown(word)}", f"one of {', '.join(known)}", nearest(word, known))
        return default

    def number(self, table: TomlTable, key: str, where: Keys) -> float | None:
        """Return a number, None where the key is absent."""
        value = table.get(key)
        if value is None or is_number(value):
            return None if value is None else float(value)
        self.complain(where, key, f"{key} = {shown(value)}", "a number")
        return None

    def count(self, table: TomlTable, key: str, where: Keys) -> int | None:
        """Return a whole number from 1 on, None where the key is absent."""
        value = table.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**6):
            return value
        self.complain(where, key, f"{key} = {shown(value)}", "a whole number from 1 on")
        return None

    def flag(self, table: TomlTable, key: str, where: Keys, *, default: bool = False) -> bool:
        """Return true or false."""
        value = table.get(key, default)
        if isinstance(value, bool):
            return value
        self.complain(where, key, f"{key} = {shown(value)}", "true or false")
        return default

    def table(self, parent: TomlTable, key: str, where: Keys) -> TomlTable:
        """Return a table inside another, empty where it is absent."""
        value = parent.get(key, {})
        if isinstance(value, dict):
            return value
        self.complain(where, key, f"{key} = {shown(value)}", "a table")
        return {}

    def only(self, table: TomlTable, known: Sequence[str], where: Keys) -> None:
        """Remember the keys of a table that are not known."""
        for key in table:
            if key not in known:
                place = f"in [{'.'.join(where)}]" if where else "at the top"
                self.complain(where, key, f"unknown key {shown(key)} {place}", ", ".join(known), nearest(key, known))

    def complain(self, where: Keys, key: str | None, found: str, expected: str, advice: str = "") -> None:
        """Remember a problem at a key of a table, or where the table stands if it is written in a line."""
        line = line_of(self.source, where, key)
        while line is None and where:
            where, key = where[:-1], where[-1]
            line = line_of(self.source, where, key)
        self.problems.append(Problem(found=found, expected=expected, line=line, advice=advice))


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether a value is a number that a double holds; TOML integers have no largest."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
