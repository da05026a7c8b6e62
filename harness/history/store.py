"""Write runs into a history and read single series from it; all values are bound, none is ever part of a statement."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.comparison.run import Run
from harness.comparison.verdict import Outcome
from harness.history.entry import Entry, Nearest, entries_of
from harness.history.schema import opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a series is about: one case, engine and source of its answers, on one input."""

    case: str
    engine: str
    source: str
    input: str


def require_history(path: Path) -> None:
    """Return if a history is there, or nothing yet, so that long work need not end in a refusal; nothing is written.

    Raises
    ------
    HistoryError
        If what is there is no history.
    """
    if path.exists() or path.is_symlink():
        with opened(path):
            return


def append(run: Run, path: Path) -> None:
    """Add a run to the history, which is made where there is none; all of it or nothing.

    Raises
    ------
    HistoryError
        If the file is no history or can't be written.
    """
    with opened(path, create=True) as connection:
        counts = tuple(run.count(outcome) for outcome in _COUNTED)
        environment = _text(connection, _json(run.environment))
        row = connection.execute(
            "INSERT INTO runs (started, command, seconds, environment, agree, known, disagree, not_compared)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (run.started, run.command, run.seconds, environment, *counts),
        ).lastrowid
        for entry in entries_of(run):
            _add(connection, row, entry)


_COUNTED = (Outcome.AGREE, Outcome.KNOWN, Outcome.DISAGREE, Outcome.NOT_COMPARED)


def _add(connection: sqlite3.Connection, run: int | None, entry: Entry) -> None:
    worst = entry.worst
    row = connection.execute(
        "INSERT INTO comparisons (run, name, engine, source, input, versions, outcome, attribution, ratio, quantity,"
        " digits, distance, seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run,
            *(_text(connection, text) for text in (entry.case, entry.engine, entry.source, entry.input)),
            _text(connection, _json(entry.versions)),
            _text(connection, entry.outcome),
            None if entry.attribution is None else _text(connection, entry.attribution),
            None if worst is None else worst.ratio,
            None if worst is None else _text(connection, worst.quantity),
            entry.digits,
            entry.distance,
            entry.seconds,
        ),
    ).lastrowid
    connection.executemany(
        "INSERT INTO measures (comparison, metric, quantity, observed, allowed) VALUES (?, ?, ?, ?, ?)",
        [
            # SQLite has no NaN; a number that is none is kept as NULL, which is what it would make of it.
            (row, _text(connection, item.metric), _text(connection, item.quantity), item.observed, item.limit)
            for item in entry.nearest
        ],
    )


def _text(connection: sqlite3.Connection, text: str) -> int:
    """Return the number of a text, which is added if it is new."""
    # A lone surrogate, as in a file name that is no UTF-8, can't be stored as it is.
    stored = text.encode("utf-8", "backslashreplace").decode("utf-8")
    connection.execute("INSERT OR IGNORE INTO texts (text) VALUES (?)", (stored,))
    (number,) = connection.execute("SELECT id FROM texts WHERE text = ?", (stored,)).fetchone()
    return int(number)


def keys_of_last_runs(connection: sqlite3.Connection, case: str | None = None) -> tuple[Key, ...]:
    """Return each case and engine as it ran last, in the order of names; all cases or one."""
    rows = connection.execute(
        "SELECT name.text, engine.text, source.text, input.text FROM comparisons"
        " JOIN texts AS name ON name.id = comparisons.name JOIN texts AS engine ON engine.id = comparisons.engine"
        " JOIN texts AS source ON source.id = comparisons.source JOIN texts AS input ON input.id = comparisons.input"
        " WHERE comparisons.id IN (SELECT max(id) FROM comparisons GROUP BY name, engine)"
        " AND (?1 IS NULL OR name.text = ?1) ORDER BY name.text, engine.text",
        (case,),
    )
    return tuple(Key(case=row[0], engine=row[1], source=row[2], input=row[3]) for row in rows)


def series(connection: sqlite3.Connection, key: Key, last: int) -> tuple[Entry, ...]:
    """Return the last entries of a series, the oldest first."""
    rows = connection.execute(
        "SELECT comparisons.id, runs.started, versions.text, outcome.text, attribution.text, digits, distance,"
        " comparisons.seconds FROM comparisons JOIN runs ON runs.id = comparisons.run"
        " JOIN texts AS versions ON versions.id = comparisons.versions"
        " JOIN texts AS outcome ON outcome.id = comparisons.outcome"
        " LEFT JOIN texts AS attribution ON attribution.id = comparisons.attribution"
        " WHERE comparisons.name = (SELECT id FROM texts WHERE text = ?)"
        " AND comparisons.engine = (SELECT id FROM texts WHERE text = ?)"
        " AND comparisons.source = (SELECT id FROM texts WHERE text = ?)"
        " AND comparisons.input = (SELECT id FROM texts WHERE text = ?)"
        " ORDER BY comparisons.run DESC, comparisons.id DESC LIMIT ?",
        (key.case, key.engine, key.source, key.input, last),
    ).fetchall()
    return tuple(_entries(connection, key, reversed(rows)))


def _entries(connection: sqlite3.Connection, key: Key, rows: Iterable[tuple[object, ...]]) -> Iterator[Entry]:
    for number, started, versions, outcome, attribution, digits, distance, seconds in rows:
        measures = connection.execute(
            "SELECT metric.text, quantity.text, observed, allowed FROM measures"
            " JOIN texts AS metric ON metric.id = metric JOIN texts AS quantity ON quantity.id = quantity"
            " WHERE comparison = ? ORDER BY metric.text",
            (number,),
        )
        yield Entry(
            started=str(started),
            case=key.case,
            engine=key.engine,
            source=key.source,
            input=key.input,
            versions=_versions(str(versions)),
            outcome=str(outcome),
            attribution=None if attribution is None else str(attribution),
            digits=_number(digits),
            distance=_number(distance),
            seconds=_number(seconds),
            nearest=tuple(
                Nearest(
                    metric=metric,
                    quantity=quantity,
                    observed=float("nan") if observed is None else observed,
                    limit=allowed,
                )
                for metric, quantity, observed, allowed in measures
            ),
        )


def _versions(text: str) -> Mapping[str, str]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise sqlite3.DatabaseError("versions that are no JSON") from error
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        raise sqlite3.DatabaseError("versions that are none")
    return content


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _json(content: Mapping[str, str]) -> str:
    return json.dumps(dict(content), sort_keys=True)
