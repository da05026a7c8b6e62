"""Means, SDs, counts and percentages of the selected rows, in exact arithmetic."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from harness.claims.cohort_table import CohortTable
from harness.claims.condition import Condition
from harness.claims.span import Span, point


class UndecidedError(Exception):
    """The selection leaves open what is meant; the message says what to name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is counted or averaged: rows that meet `at`, as `unit`; `outcome` or `event` of them.

    `missing` says whether a missing event leaves a subject out, or is a failure.
    """

    at: tuple[Condition, ...] = ()
    outcome: str = ""
    event: Condition | None = None
    unit: str = "subjects"
    missing: str = "left out"

    @property
    def words(self) -> str:
        """What it selects, in words."""
        return f" at {'; '.join(map(str, self.at))}" if self.at else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """`count` of `n`."""

    count: int
    n: int

    @property
    def percent(self) -> Span | None:
        """The percentage, None of nobody."""
        return None if self.n == 0 else point(Fraction(100 * self.count, self.n))


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """Exact values: whole numbers over one denominator, because sums of whole numbers are fast."""

    whole: tuple[int, ...]
    denominator: int

    @property
    def n(self) -> int:
        """How many."""
        return len(self.whole)

    @property
    def mean(self) -> Span:
        """Their mean; ``mean(x)``."""
        return point(Fraction(sum(self.whole), self.n * self.denominator))

    def variance(self, divisor: int) -> Span:
        """Return the sum of squared deviations over a divisor."""
        total, squares = sum(self.whole), sum(value * value for value in self.whole)
        return point(Fraction(self.n * squares - total * total, self.n * divisor * self.denominator**2))

    @property
    def sd(self) -> Span:
        """Their standard deviation, by n - 1; ``sd(x)``."""
        return self.variance(self.n - 1).root()

    @property
    def se(self) -> Span:
        """The standard error of the mean; ``sd(x) / sqrt(length(x))``."""
        return (self.variance(self.n - 1).times(Fraction(1, self.n))).root()

    @property
    def median(self) -> Span:
        """Their median, the mean of the middle two of an even number; ``median(x)``."""
        values, middle = sorted(self.whole), self.n // 2
        low = values[middle] if self.n % 2 else values[middle - 1]
        return point(Fraction(low + values[middle], 2 * self.denominator))

    @property
    def minimum(self) -> Span:
        """The smallest; ``min(x)``."""
        return point(Fraction(min(self.whole), self.denominator))

    @property
    def maximum(self) -> Span:
        """The largest; ``max(x)``."""
        return point(Fraction(max(self.whole), self.denominator))


def described(table: CohortTable, selection: Selection) -> Described:
    """Return the values of the outcome that are selected, one a subject or one a row.

    Raises
    ------
    UndecidedError
        A subject has several rows with different values.
    """
    cells = table.cells(selection.outcome)
    rows = [row for row in table.selected(selection.at) if isinstance(cells[row], Fraction)]
    if selection.unit == "rows":
        return _exact([cells[row] for row in rows])
    known: dict[int, object] = {}
    for row in rows:
        if known.setdefault(table.subjects[row], cells[row]) != cells[row]:
            raise UndecidedError(
                f"{selection.outcome} has several values of a subject{selection.words}: name the visit in the column"
                " `at`, or set unit to rows"
            )
    return _exact(list(known.values()))


def counted(table: CohortTable, selection: Selection) -> Counted:
    """Return how many subjects (or rows) have the event, of how many.

    Without an event all that have the outcome are counted, or all that are selected. A subject of whom no selected row
    tells whether the event is there is left out of n; where missing is a failure, n is all subjects who meet those
    conditions that never change within a subject, except whose baseline leaves a derived event without meaning.

    Raises
    ------
    UndecidedError
        Of a subject some rows have the event and others not.
    """
    rows = table.selected(selection.at)
    truths = _truths(table, selection)
    if selection.unit == "rows":
        known = [truths[row] for row in rows]
        if selection.missing == "failure":
            known = [truth or False for truth in known]
        return Counted(count=sum(truth is True for truth in known), n=sum(truth is not None for truth in known))
    found: dict[int, bool] = {}
    for row in rows:
        truth = truths[row]
        if truth is not None and found.setdefault(table.subjects[row], truth) != truth:
            raise UndecidedError(
                f"{selection.event} holds in some rows of a subject{selection.words} and not in others: name the visit"
                " in the column `at`, or set unit to rows"
            )
    if selection.missing == "failure":
        for subject in _eligible(table, selection):
            found.setdefault(subject, False)
    return Counted(count=sum(found.values()), n=len(found))


def other_selections(table: CohortTable, selection: Selection) -> Iterator[tuple[str, Selection]]:
    """Yield selections that a print may have confused with this one, each with a sentence."""
    for place, condition in enumerate(selection.at):
        rest = (*selection.at[:place], *selection.at[place + 1 :])
        if condition.operator == "=" and table.is_level(condition.column):
            for level in table.cohort.factors[condition.column].levels:
                if level != condition.value:
                    other = replace(condition, value=level)
                    at = (*selection.at[:place], other, *selection.at[place + 1 :])
                    yield f"it is that of {other}", replace(selection, at=at)
        yield f"it is that of all, not only of {condition}", replace(selection, at=rest)
    if selection.event is not None:
        missing = "left out" if selection.missing == "failure" else "failure"
        words = "missing ones left out" if missing == "left out" else "missing ones counted as failures"
        yield f"it has {words}", replace(selection, missing=missing)
    unit = "rows" if selection.unit == "subjects" else "subjects"
    yield f"it counts {unit}", replace(selection, unit=unit)


def _truths(table: CohortTable, selection: Selection) -> Sequence[bool | None]:
    if selection.event is not None:
        return table.truths(selection.event)
    if selection.outcome:
        return [True if cell is not None else None for cell in table.cells(selection.outcome)]
    return [True] * table.cohort.n_rows


def _eligible(table: CohortTable, selection: Selection) -> set[int]:
    lasting = tuple(one for one in selection.at if table.is_constant(one.column))
    rows = list(table.selected(lasting))
    event = selection.event
    if event is not None and event.column in table.derived:
        allowed = table.derived[event.column].allowed
        rows = [row for row in rows if allowed[row]]
    return {table.subjects[row] for row in rows}


def _exact(values: Sequence[object]) -> Described:
    numbers = [value for value in values if isinstance(value, Fraction)]
    denominator = math.lcm(*(number.denominator for number in numbers))
    whole = tuple(number.numerator * (denominator // number.denominator) for number in numbers)
    return Described(whole=whole, denominator=denominator)
