"""Which rows, and which event: "visit=inf4; protocol=six", "madrs <= 10", "response"; read, never evaluated."""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from harness.claims.printed import UnreadableError, number

Operator = Literal["=", "!=", "<", "<=", ">", ">="]

_OPERATORS: dict[str, Operator] = {
    "=": "=",
    "!=": "!=",
    "\u2260": "!=",
    "<": "<",
    "<=": "<=",
    "\u2264": "<=",
    ">": ">",
    ">=": ">=",
    "\u2265": ">=",
}
_COMPARISONS: dict[Operator, Callable[[Fraction, Fraction], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_CONDITION = re.compile(r"([^=!<>\u2260\u2264\u2265]+?)\s*(!=|<=|>=|=|<|>|\u2260|\u2264|\u2265)\s*([^=!<>].*)")
MOST_CONDITIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A column, how it is compared, and the level or number that it is compared with; a bare column must be true."""

    column: str
    operator: Operator = "="
    value: str = ""

    @property
    def is_bare(self) -> bool:
        """Whether it is a column alone."""
        return not self.value

    @property
    def number(self) -> Fraction:
        """The value as a number.

        Raises
        ------
        UnreadableError
            It is none.
        """
        return number(self.value).value

    def holds(self, cells: Sequence[Fraction | None]) -> list[bool | None]:
        """Tell which numbers meet the condition, None for a missing one."""
        compare, limit = _COMPARISONS[self.operator], self.number
        return [None if cell is None else compare(cell, limit) for cell in cells]

    def __str__(self) -> str:
        if self.is_bare:
            return self.column
        return f"{self.column} {self.operator} {self.value}" if self.operator != "=" else f"{self.column}={self.value}"


def conditions(text: str) -> tuple[Condition, ...]:
    """Return the conditions of a text, which are parted by semicolons and must all hold.

    Raises
    ------
    UnreadableError
        A part has no column, no sign or nothing to compare with; a column with "=" comes twice.
    """
    found = tuple(condition(part) for part in text.split(";"))
    columns = [one.column for one in found if one.operator == "="]
    if len(found) > MOST_CONDITIONS or any(one.is_bare for one in found) or len(set(columns)) < len(columns):
        raise UnreadableError
    return found


def condition(text: str) -> Condition:
    """Return one condition, or a column alone.

    Raises
    ------
    UnreadableError
        There is no column.
    """
    found = _CONDITION.fullmatch(text.strip())
    if found is not None:
        column, sign, value = found.groups()
        return Condition(column=column.strip(), operator=_OPERATORS[sign], value=value.strip())
    if not text.strip() or re.search(r"[=!<>\u2260\u2264\u2265]", text):
        raise UnreadableError
    return Condition(column=text.strip())
