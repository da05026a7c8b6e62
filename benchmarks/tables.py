"""Plain tables whose numbers know their limits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

KEPT, BROKEN, USAGE, NOTHING_MEASURED = 0, 1, 2, 5
"""Exit statuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A number and the limit that it must keep; NaN keeps none."""

    value: float
    limit: float
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Whether the number keeps its limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        sign = "not >=" if self.at_least else "not <="
        return f"{self.value:.3g}" + ("" if self.kept else f" {sign} {self.limit:g} BROKEN")


Cell = str | Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells under a title and a header; `not_run` says what is missing from it and why, one sentence each."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    not_run: tuple[str, ...] = ()

    @property
    def judged(self) -> tuple[Judged, ...]:
        """The numbers that have a limit."""
        return tuple(cell for row in self.rows for cell in row if isinstance(cell, Judged))


def render(table: Table) -> str:
    """Return the table as text: the first column to the left, all others to the right."""
    lines = [table.header, *(tuple(map(str, row)) for row in table.rows)] if table.rows else []
    widths = [max(map(len, column)) for column in zip_longest(*lines, fillvalue="")]
    aligned = ["  ".join(_padded(line, widths)).rstrip() for line in lines]
    if aligned:
        aligned.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([table.title, *aligned, *(f"not run: {reason}" for reason in table.not_run)])


def closing(tables: Iterable[Table]) -> str:
    """Return the last line of a run: how many limits were kept, how many broken, and what was not run."""
    tables = tuple(tables)
    judged = [number for table in tables for number in table.judged]
    broken = sum(not number.kept for number in judged)
    missing = sum(len(table.not_run) for table in tables)
    ending = f"; {missing} not run, see above" if missing else ""
    return f"limits: {len(judged) - broken} kept, {broken} broken{ending}"


def exit_status(tables: Iterable[Table]) -> int:
    """Return 0 if all limits are kept, 1 if any is broken, 5 if nothing was measured that has a limit."""
    judged = [number for table in tables for number in table.judged]
    if not judged:
        return NOTHING_MEASURED
    return KEPT if all(number.kept for number in judged) else BROKEN


def _padded(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.rjust(width) if at else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(line, widths, strict=False))
    ]
