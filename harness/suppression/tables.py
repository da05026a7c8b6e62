"""Tables of counts as they may be shown: small counts withheld, and others with which they could be worked out."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral

from harness.errors import Problem, ScoringError
from harness.suppression.circulation import Arc
from harness.suppression.pattern import withheld_arcs

LIMIT = 11
"""The smallest count that may be shown; the public rule for health data in the United States withholds 1 to 10."""

_LEAST_LIMIT = 3

Shown = int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeCounts:
    """Counts of one list, with their total; None is withheld, and `small` marks the withheld ones below the limit."""

    counts: tuple[Shown, ...]
    small: tuple[bool, ...]
    total: Shown
    limit: int

    def texts(self) -> tuple[str, ...]:
        """Return what to print for each count."""
        return tuple(_text(count, small, self.limit) for count, small in zip(self.counts, self.small, strict=True))

    def shares(self) -> tuple[Fraction | None, ...]:
        """Return each count by the total, None where either is withheld."""
        return tuple(_share(count, self.total) for count in self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeTable:
    """A table of counts with margins; None is withheld, and `small` marks the withheld cells below the limit.

    A withheld margin is not marked: nothing is said about its size.
    """

    cells: tuple[tuple[Shown, ...], ...]
    small: tuple[tuple[bool, ...], ...]
    rows: tuple[Shown, ...]
    columns: tuple[Shown, ...]
    total: Shown
    limit: int

    def texts(self) -> tuple[tuple[str, ...], ...]:
        """Return what to print for each cell."""
        return tuple(
            tuple(_text(cell, small, self.limit) for cell, small in zip(row, marks, strict=True))
            for row, marks in zip(self.cells, self.small, strict=True)
        )

    def shares_of_rows(self) -> tuple[tuple[Fraction | None, ...], ...]:
        """Return each cell by its row's margin, None where either is withheld."""
        return tuple(
            tuple(_share(cell, margin) for cell in row) for row, margin in zip(self.cells, self.rows, strict=True)
        )

    def shares_of_columns(self) -> tuple[tuple[Fraction | None, ...], ...]:
        """Return each cell by its column's margin, None where either is withheld."""
        return tuple(
            tuple(_share(cell, margin) for cell, margin in zip(row, self.columns, strict=True)) for row in self.cells
        )


WITHHELD = "\N{EN DASH}"


def suppress(table: Sequence[Sequence[int]], limit: int = LIMIT) -> SafeTable:
    """Return a table of counts, with its margins, as it may be shown.

    Withheld are all counts from 1 to limit - 1, margins too, and as many others as are needed so that from all that is
    shown, with all sums, and knowing that a cell marked as small is from 1 to limit - 1 and that another withheld cell
    is not, each small cell still may be any of these numbers. A small margin stays as uncertain as it is if only zeros
    are shown. Zeros are always shown. Margins are shown rather than cells. Shares of shown counts by shown margins
    (`shares_of_rows`, `shares_of_columns`) tell nothing more.

    The promise is about what sums tell of this one table. A margin that is withheld here and printed elsewhere is no
    secret. Who knows how the choice is made may reason from what was not shown, chiefly from a withheld margin that is
    not small itself. The events of a rate need the others of its row beside them, because n minus a count is a count
    too (`suppress_rates`).

    Parameters
    ----------
    table
        Rows of whole numbers >= 0.
    limit
        The smallest count above 0 that may be shown, at least 3.

    Raises
    ------
    ScoringError
        Rows of different lengths, none at all, entries that are no counts, or a limit below 3.
    """
    problems = _table_problems(table)
    _refuse([*problems, *_limit_problems(limit)])
    counts = [[int(cell) for cell in row] for row in table]
    rows, columns = [sum(row) for row in counts], [sum(column) for column in zip(*counts, strict=True)]
    n_rows, n_columns = len(rows), len(columns)
    source, sink = n_rows + n_columns, n_rows + n_columns + 1
    arcs = [
        *(
            _cell(tail=i, head=n_rows + j, count=cell, limit=limit)
            for i, row in enumerate(counts)
            for j, cell in enumerate(row)
        ),
        *(_margin(tail=source, head=i, count=count) for i, count in enumerate(rows)),
        *(_margin(tail=n_rows + j, head=sink, count=count) for j, count in enumerate(columns)),
        _margin(tail=sink, head=source, count=sum(rows)),
    ]
    n_cells = n_rows * n_columns
    withheld = _withheld(arcs, n_cells, limit)
    shown = [None if place in withheld else arc.count for place, arc in enumerate(arcs)]
    small = [place in withheld and arc.count < limit for place, arc in enumerate(arcs)]
    starts = range(0, n_cells, n_columns)
    return SafeTable(
        cells=tuple(tuple(shown[start : start + n_columns]) for start in starts),
        small=tuple(tuple(small[start : start + n_columns]) for start in starts),
        rows=tuple(shown[n_cells : n_cells + n_rows]),
        columns=tuple(shown[n_cells + n_rows : -1]),
        total=shown[-1],
        limit=limit,
    )


def suppress_counts(counts: Sequence[int], limit: int = LIMIT) -> SafeCounts:
    """Return a list of counts that add up to a total, such as sizes of classes, as it may be shown.

    The same promise, and the same errors, as for a table (`suppress`).
    """
    problems = [] if len(counts) else [Problem(found="no counts", expected="at least one")]
    problems += _count_problems(counts)
    _refuse([*problems, *_limit_problems(limit)])
    plain = [int(count) for count in counts]
    arcs = [
        *(_cell(tail=0, head=1, count=count, limit=limit) for count in plain),
        _margin(tail=1, head=0, count=sum(plain)),
    ]
    withheld = _withheld(arcs, len(plain), limit)
    shown = [None if place in withheld else arc.count for place, arc in enumerate(arcs)]
    return SafeCounts(
        counts=tuple(shown[:-1]),
        small=tuple(place in withheld and count < limit for place, count in enumerate(plain)),
        total=shown[-1],
        limit=limit,
    )


def suppress_rates(events: Sequence[int], totals: Sequence[int], limit: int = LIMIT) -> SafeTable:
    """Return rates, such as responders by protocol, as a table that may be shown: events and others of each row.

    Raises
    ------
    ScoringError
        As for a table, and more events than subjects.
    """
    problems = [*_count_problems(events), *_count_problems(totals)]
    if len(events) != len(totals):
        problems.append(Problem(found=f"{len(events)} and {len(totals)} entries", expected="as many of each"))
    _refuse(problems)
    if any(event > total for event, total in zip(events, totals, strict=True)):
        _refuse([Problem(found="more events than subjects", expected="events <= totals")])
    return suppress([(event, total - event) for event, total in zip(events, totals, strict=True)], limit)


def _withheld(arcs: Sequence[Arc], n_cells: int, limit: int) -> frozenset[int]:
    small = [place for place, arc in enumerate(arcs) if 0 < arc.count < limit]
    # The total first, then margins, then cells: margins are what other tables repeat.
    order = [len(arcs) - 1, *range(n_cells, len(arcs) - 1), *range(n_cells)]
    return withheld_arcs(arcs, small, [place for place in order if place not in small], limit)


def _cell(*, tail: int, head: int, count: int, limit: int) -> Arc:
    small = 0 < count < limit
    lower, upper = (1, limit - 1) if small else (limit, None) if count else (0, 0)
    return Arc(tail=tail, head=head, count=count, lower=lower, upper=upper)


def _margin(*, tail: int, head: int, count: int) -> Arc:
    return Arc(tail=tail, head=head, count=count, lower=min(count, 1), upper=None)


def _text(count: Shown, small: bool, limit: int) -> str:  # noqa: FBT001  # a private mark
    if count is not None:
        return str(count)
    return f"< {limit}" if small else WITHHELD


def _share(count: Shown, margin: Shown) -> Fraction | None:
    return None if count is None or not margin else Fraction(count, margin)


def _table_problems(table: Sequence[Sequence[int]]) -> list[Problem]:
    lengths = {len(row) for row in table}
    if len(lengths) != 1 or 0 in lengths:
        return [Problem(found="another shape", expected="at least one row and column, rows of one length")]
    return [found for row in table for found in _count_problems(row)]


def _count_problems(counts: Sequence[object]) -> list[Problem]:
    fit = all(not isinstance(count, bool) and isinstance(count, Integral) and int(count) >= 0 for count in counts)
    return [] if fit else [Problem(found="entries that are no counts", expected="whole numbers >= 0")]


def _limit_problems(limit: int) -> list[Problem]:
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < _LEAST_LIMIT:
        expected = f"a whole number >= {_LEAST_LIMIT}: below, a mark tells the count"
        return [Problem(found=f"limit {limit!r:.40}", expected=expected)]
    return []


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise ScoringError("counts to be shown", problems)
