"""Turn cells into numbers and labels, without guessing: what does not fit its column is reported, cell by cell."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from numbers import Integral, Real

import numpy as np

from harness.arrays import Mask, Vector
from harness.cohorts.levels import LONGEST_LABEL, is_label, number_label
from harness.cohorts.schema import Column
from harness.cohorts.tables import Table, shorter, shown
from harness.errors import Problem

NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
WHOLE = re.compile(r"[+-]?[0-9]+")
ZERO = re.compile(r"[+-]?[0.]+(?:[eE].*)?")
LONGEST_NUMBER = 400
MOST_LEVELS_SHOWN = 8
EXACTLY = "a number that a double can hold exactly"


class _UnfitError(Exception):
    """A cell that does not fit its column."""

    def __init__(self, found: str, expected: str, advice: str = "") -> None:
        super().__init__(found)
        self.found, self.expected, self.advice = found, expected, advice


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """One column of the file, converted.

    `numbers` (n,) are the numbers of a numeric column, NaN where missing or unfit; `labels` those of any other, None
    where missing or unfit. `unfit` marks the cells that were reported, so that no second check reports them again.
    """

    column: Column
    numbers: Vector
    labels: Sequence[str | None]
    unfit: Mask
    problems: Sequence[Problem]

    @property
    def missing(self) -> Mask:
        """Where no value stands; unfit cells hold something and aren't missing."""
        if self.column.is_numeric:
            return np.isnan(self.numbers) & ~self.unfit
        return np.array([label is None for label in self.labels], dtype=bool) & ~self.unfit


def convert(table: Table, source: str, column: Column, decimal: str) -> Cells:
    """Return the cells of the table's column `source` by the rules of the schema's `column`."""
    raw = table.columns[source]
    rules = _Rules(column, decimal, textual=table.textual, value_labels=table.value_labels.get(source, {}))
    read = rules.number if column.is_numeric else rules.label
    found: list[float | str | None] = []
    unfit, problems = np.zeros(len(raw), dtype=bool), []
    known: dict[tuple[type, object], float | str | None] = {}
    for row, cell in enumerate(raw):
        # Columns repeat their values; each distinct cell is judged once. The type matters: True == 1 == 1.0.
        key = (type(cell), cell)
        try:
            if key not in known:
                known[key] = read(cell)
            found.append(known[key])
        except _UnfitError as reason:
            found.append(None)
            unfit[row] = True
            problems.append(
                Problem(
                    found=reason.found,
                    expected=reason.expected,
                    line=table.lines[row],
                    column=shorter(source),
                    advice=reason.advice,
                )
            )
    numbers = [math.nan if value is None else value for value in found] if column.is_numeric else []
    labels = [] if column.is_numeric else [None if value is None else str(value) for value in found]
    return Cells(
        column=column, numbers=np.array(numbers, dtype=np.float64), labels=labels, unfit=unfit, problems=problems
    )


@dataclass(frozen=True, slots=True)
class _Rules:
    column: Column
    decimal: str
    textual: bool
    value_labels: Mapping[float, str]

    def number(self, cell: object) -> float | None:
        """Return the number in a cell, None if it is missing."""
        if cell is None or cell == "" or (isinstance(cell, str) and cell in self.column.missing):
            return None
        number = self._parsed(cell) if isinstance(cell, str) and self.textual else _native(cell, "a number")
        if math.isnan(number) or number in self.column.missing:
            return None
        if self.column.integer and not number.is_integer():
            raise _UnfitError(shown(cell), "a whole number")
        if self.column.range is not None and not self.column.range[0] <= number <= self.column.range[1]:
            low, high = self.column.range
            raise _UnfitError(shown(cell), f"a number from {low:g} to {high:g}")
        return number + 0.0  # -0.0 is 0.0, so that equal values have equal hashes

    def label(self, cell: object) -> str | None:
        """Return the label in a cell, None if it is missing."""
        if cell is None or cell == "":
            return None
        text = self._text(cell)
        if text is None or self._is_missing_code(text):
            return None
        if len(text) > LONGEST_LABEL:
            raise _UnfitError(f"a text of {len(text)} characters", f"a label of at most {LONGEST_LABEL}")
        if not is_label(text):
            raise _UnfitError(shown(cell), "a label without spaces around it and without control characters", _STRIP)
        if self.column.levels and text not in self.column.levels:
            listed = ", ".join(map(shown, self.column.levels[:MOST_LEVELS_SHOWN]))
            more = len(self.column.levels) - MOST_LEVELS_SHOWN
            raise _UnfitError(shown(cell), f"one of {listed}" + (f" and {more} more" if more > 0 else ""))
        return text

    def _text(self, cell: object) -> str | None:
        if isinstance(cell, str):
            return cell
        if isinstance(cell, bool | np.bool_):
            return str(bool(cell))
        if isinstance(cell, Integral):
            # Ids may be larger than a double holds exactly; they never pass through one.
            if abs(int(cell)) >= 10**LONGEST_LABEL:
                raise _UnfitError("an endless integer", f"a label of at most {LONGEST_LABEL} characters")
            number: float = int(cell)
        else:
            number = _native(cell, "a label")
        if math.isnan(number) or number in self.column.missing:
            return None
        return self.value_labels.get(number, number_label(number))

    def _parsed(self, text: str) -> float:
        plain = text if self.decimal == "." else text.replace(".", "?").replace(self.decimal, ".")
        if len(plain) > LONGEST_NUMBER or NUMBER.fullmatch(plain) is None:
            raise _UnfitError(shown(text), "a number", self._advice(text))
        number = float(plain)
        vanished = number == 0.0 and ZERO.fullmatch(plain) is None
        if math.isinf(number) or vanished or (WHOLE.fullmatch(plain) and int(plain) != number):
            raise _UnfitError(shown(text), EXACTLY)
        return number

    def _advice(self, text: str) -> str:
        if text != text.strip():
            return _STRIP
        if self.decimal == "." and NUMBER.fullmatch(text.replace(",", ".", 1)):
            return "Set decimal = ',' under [file] if it is the decimal sign."
        if text.isascii() and text.lower() in {"na", "nan", "n/a", "null", "none", "missing", "."}:
            return f"Declare missing = [{text!r}] if it stands for a missing value."
        return ""

    def _is_missing_code(self, text: str) -> bool:
        return any(text == (code if isinstance(code, str) else number_label(code)) for code in self.column.missing)


_STRIP = "Remove the spaces, or set strip = true under [file]."


def _native(cell: object, expected: str) -> float:
    """Return the number that a typed cell holds, NaN included."""
    number = cell if isinstance(cell, float) else _as_double(cell, expected)
    if math.isinf(number):
        raise _UnfitError(f"{number}", "a finite number")
    return float(number)


def _as_double(cell: object, expected: str) -> float:
    if isinstance(cell, bool | np.bool_):
        raise _UnfitError(shown(bool(cell)), expected, 'For yes and no, use role = "factor".')
    if isinstance(cell, date | time | timedelta | np.datetime64 | np.timedelta64):
        raise _UnfitError("a date or time", expected, "Convert it to days since the first visit.")
    if not isinstance(cell, Real | Decimal):
        raise _UnfitError(shown(cell), expected)
    try:
        number = float(cell)
    except OverflowError:
        raise _UnfitError("an endless integer", EXACTLY) from None
    if isinstance(cell, Integral) and int(cell) != number:
        raise _UnfitError(shown(int(cell)), EXACTLY)
    return number
