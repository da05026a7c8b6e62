"""Bring several rows of one subject and visit together, by a declared rule only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from harness.errors import Problem
from harness.importing.fields import DATE, DAY
from harness.importing.mapping import Resolver
from harness.importing.records import Record, Value
from harness.importing.rules import Hit

ADVICE = "Remove one, or name a resolver under `duplicates`."


def one_row_a_visit(records: Sequence[Record], resolver: Resolver) -> tuple[list[Record], list[Problem], list[Hit]]:
    """Return one record for each subject and visit.

    Rows of different forms of a REDCap event are one visit as long as no value of one contradicts the other; any other
    second row is a problem unless the resolver settles it.
    """
    together: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        together.setdefault((record.subject, record.visit), []).append(record)
    kept, problems, hits = [], [], []
    for rows in together.values():
        if len(rows) == 1:
            kept.append(rows[0])
            continue
        forms = len({row.part for row in rows}) == len(rows)
        found = _complement(rows) if forms else None
        if found is None:
            found = RESOLVERS[resolver](rows)
            hits += [Hit(rule="duplicates_resolved", line=row.line) for row in rows[1:] if found is not None]
        if found is None:
            problems += _complaints(rows, resolver)
        kept.append(found or rows[0])
    return kept, problems, hits


def _complaints(rows: Sequence[Record], resolver: Resolver) -> list[Problem]:
    tail = "" if resolver == "error" else f", which {resolver!r} does not settle"
    return [
        Problem(
            found=f"the same subject and visit as in line {rows[0].line}{tail}",
            expected="each subject and visit once",
            line=row.line,
            advice=ADVICE,
        )
        for row in rows[1:]
    ]


def _complement(rows: Sequence[Record]) -> Record | None:
    """Return the union of all values, None if two rows contradict each other."""
    whole: dict[str, Value] = {}
    for row in rows:
        for name, value in row.known.items():
            if whole.setdefault(name, value) != value:
                return None
    return replace(rows[0], known=whole, unfit=frozenset().union(*(row.unfit for row in rows)))


def _identical(rows: Sequence[Record]) -> Record | None:
    return rows[0] if all(row.known == rows[0].known and not row.unfit for row in rows) else None


def _by_time(rows: Sequence[Record], *, latest: bool) -> Record | None:
    """Return the earliest or latest row, None where a row has no date or the first two are as early."""
    times = [_time(row) for row in rows]
    known = [time for time in times if time is not None]
    if len(known) < len(rows):
        return None
    wanted = max(known) if latest else min(known)
    return rows[known.index(wanted)] if known.count(wanted) == 1 else None


def _time(row: Record) -> float | None:
    value = row.known.get(DATE, row.known.get(DAY))
    if isinstance(value, datetime):
        return value.timestamp()
    return value if isinstance(value, float) else None


RESOLVERS: Mapping[Resolver, Callable[[Sequence[Record]], Record | None]] = {
    "error": lambda _rows: None,
    "identical": _identical,
    "complement": _complement,
    "first": lambda rows: min(rows, key=lambda row: row.line),
    "last": lambda rows: max(rows, key=lambda row: row.line),
    "earliest": lambda rows: _by_time(rows, latest=False),
    "latest": lambda rows: _by_time(rows, latest=True),
}
