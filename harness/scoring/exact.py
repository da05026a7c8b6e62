"""Numbers without rounding: a score is a fraction, so that a threshold is met or missed and never nearly met."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Integral

import numpy as np
import pandas as pd

from harness.errors import Problem, ScoringError, listed

Score = Fraction | None
"""A number on a scale; None is a missing one."""

LARGEST_DENOMINATOR = 100
"""Up to it a float is read as the fraction that it stands for: halves of two raters, ninths of a prorated total."""

_TOO_LONG = 10_000


class _UnfitError(Exception):
    """A cell that holds no number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Which numbers are scores: from `lowest` to `highest`, whole ones only unless `fractions`.

    `missing` are codes that stand for a missing value. None, NaN and NA always do.
    """

    lowest: int
    highest: int
    fractions: bool = False
    missing: tuple[object, ...] = ()


def exact(cell: object) -> Score:
    """Return a number as a fraction, None where it is missing.

    Integers, fractions and decimals are taken as they are, whichever library made them. A float is read as the number
    that somebody wrote: the fraction with a denominator of at most 100 whose nearest double it is, else its shortest
    decimal. So 5.2 is 26/5 as int, Decimal and float, and the double nearest to 280/9 is 280/9. No tolerance is
    involved.

    Raises
    ------
    ScoringError
        The cell is a text (also "10"), a truth value, infinite, or no real number at all.
    """
    try:
        return _exact(cell)
    except _UnfitError as reason:
        raise ScoringError("a number", [Problem(found=f"{reason}", expected="a number")]) from None


def exact_column(
    cells: Iterable[object], allowed: Range, *, column: str, lines: Sequence[int] | None = None
) -> tuple[tuple[Score, ...], list[Problem]]:
    """Return cells as fractions, None where missing or unfit, and a problem for each that is unfit.

    `lines` are the lines of the cells in their file; they count from 1 if not given. Messages show a number off the
    scale only if it is short, and never a text: what stands in a wrong column may be a name.
    """
    codes = _Codes(allowed)
    found: list[Score] = []
    problems = []
    known: dict[object, Score | str] = {}
    for row, cell in enumerate(cells):
        # Columns repeat their values; each distinct cell is judged once. The type matters: True == 1 == 1.0.
        key = (type(cell), cell) if isinstance(cell, int | float | Fraction) else row
        if key not in known:
            known[key] = codes.judge(cell)
        judged = known[key]
        if isinstance(judged, str):
            line = lines[row] if lines is not None and row < len(lines) else row + 1
            problems.append(Problem(found=judged, expected=codes.expected, line=line, column=column))
            judged = None
        found.append(judged)
    return tuple(found), problems


def refuse(where: str, problems: Sequence[Problem]) -> None:
    """Raise the problems, if there are any, by line."""
    if problems:
        raise ScoringError(where, listed(sorted(problems, key=lambda problem: problem.line or 0))) from None


class _Codes:
    """Judges cells one by one."""

    def __init__(self, allowed: Range) -> None:
        self.allowed = allowed
        self.texts = {code for code in allowed.missing if isinstance(code, str)}
        self.numbers = {exact(code) for code in allowed.missing if not isinstance(code, str)}
        kind = "a number" if allowed.fractions else "a whole number"
        self.expected = f"{kind} from {allowed.lowest} to {allowed.highest}"

    def judge(self, cell: object) -> Score | str:
        """Return the number, None if it is missing, or in words what is wrong with the cell."""
        if isinstance(cell, str) and cell in self.texts:
            return None
        try:
            number = _exact(cell)
        except _UnfitError as reason:
            return f"{reason}"
        if number is None or number in self.numbers:
            return None
        whole = number.denominator == 1
        if self.allowed.lowest <= number <= self.allowed.highest and (whole or self.allowed.fractions):
            return number
        return shown(number)


def shown(number: Fraction) -> str:
    """Return a number for a message, in full only if it is short: a long one may identify a person."""
    if abs(number) >= _TOO_LONG:
        return "a number of more than four digits"
    return str(number.numerator) if number.denominator == 1 else f"{float(number):.4g}"


def _exact(cell: object) -> Score:
    if cell is None or cell is pd.NA or cell is np.ma.masked:
        return None
    if isinstance(cell, bool | np.bool_):
        raise _UnfitError("a truth value")
    if isinstance(cell, str | bytes):
        raise _UnfitError(f"a text of {len(cell)} characters")
    if isinstance(cell, Fraction):
        return cell
    if isinstance(cell, Integral):
        return Fraction(int(cell))
    if isinstance(cell, Decimal):
        if cell.is_infinite():
            raise _UnfitError("an infinite number")
        return None if cell.is_nan() else Fraction(cell)
    if isinstance(cell, float | np.floating):
        if math.isinf(cell):
            raise _UnfitError("an infinite number")
        return None if math.isnan(cell) else _written(cell)
    raise _UnfitError(f"a value of type {type(cell).__name__}")


def _written(value: float | np.floating) -> Fraction:
    """Return the number that a float stands for."""
    # str of a scalar of numpy has the fewest digits that give it back at its own precision.
    shortest = Fraction(str(value) if isinstance(value, np.floating) else repr(value))
    simple = shortest.limit_denominator(LARGEST_DENOMINATOR)
    return simple if type(value)(simple.numerator / simple.denominator) == value else shortest
