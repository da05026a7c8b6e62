"""The tables of the history, and the file that holds them: ours and of this version, or refused with one error."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HistoryError, Problem

APPLICATION = 0x47425448
"""What marks a SQLite file as a history of the harness: "GBTH"."""

VERSION = 1

WAIT = 30.0
"""Seconds that a writer waits for another one."""

# Every text once, by number: names of cases, engines and quantities, versions as JSON.
_TEXTS = "CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT"

_RUNS = """CREATE TABLE runs (
  id INTEGER PRIMARY KEY, started TEXT NOT NULL, command TEXT NOT NULL, seconds REAL NOT NULL,
  environment INTEGER NOT NULL REFERENCES texts,
  agree INTEGER NOT NULL, known INTEGER NOT NULL, disagree INTEGER NOT NULL, not_compared INTEGER NOT NULL
) STRICT"""

_COMPARISONS = """CREATE TABLE comparisons (
  id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs,
  name INTEGER NOT NULL REFERENCES texts, engine INTEGER NOT NULL REFERENCES texts,
  source INTEGER NOT NULL REFERENCES texts, input INTEGER NOT NULL REFERENCES texts,
  versions INTEGER NOT NULL REFERENCES texts,
  outcome INTEGER NOT NULL REFERENCES texts, attribution INTEGER REFERENCES texts,
  ratio REAL, quantity INTEGER REFERENCES texts, digits REAL, distance REAL, seconds REAL
) STRICT"""

_MEASURES = """CREATE TABLE measures (
  comparison INTEGER NOT NULL REFERENCES comparisons, metric INTEGER NOT NULL REFERENCES texts,
  quantity INTEGER NOT NULL REFERENCES texts, observed REAL, allowed REAL NOT NULL,
  PRIMARY KEY (comparison, metric)
) STRICT, WITHOUT ROWID"""

_INDEX = "CREATE INDEX comparisons_of_a_series ON comparisons (name, engine, source, input)"

_KEPT = tuple(
    f"CREATE TRIGGER {table}_keep_{event.lower()} BEFORE {event} ON {table}"
    " BEGIN SELECT RAISE(ABORT, 'the history is only added to'); END"
    for table in ("texts", "runs", "comparisons", "measures")
    for event in ("UPDATE", "DELETE")
)

TABLES = (_TEXTS, _RUNS, _COMPARISONS, _MEASURES, _INDEX, *_KEPT)


@contextmanager
def opened(path: Path, *, create: bool = False) -> Iterator[sqlite3.Connection]:
    """Yield a connection to a history, which is made where there is none and `create` says so.

    What is done in the block is one transaction: all of it is kept, or nothing.

    Raises
    ------
    HistoryError
        If the file is a link, no history, damaged, of another version of the harness, or can't be reached.
    """
    where = f"history {path.name}"
    if path.is_symlink() or (path.exists() and not path.is_file()):
        found = "a link" if path.is_symlink() else "no file"
        raise HistoryError(where, [Problem(found=f"{str(path)!r} is {found}", expected="a file, or nothing yet")])
    if not (create or path.exists()):
        problem = Problem(
            found=f"no file {str(path)!r}",
            expected="a history",
            advice="`harness check` and `harness compare` write one into the folder of their report.",
        )
        raise HistoryError(where, [problem])
    try:
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None)
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("BEGIN IMMEDIATE" if create else "BEGIN")
            _require_ours(connection, where, create=create)
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()  # which takes back what was not committed
    except sqlite3.Error as error:
        problem = Problem(
            found=f"{type(error).__name__}: {error}",
            expected="a history that can be read and written",
            advice="Name another file with --history, or remove this one to begin anew.",
        )
        raise HistoryError(where, [problem]) from error


def _require_ours(connection: sqlite3.Connection, where: str, *, create: bool) -> None:
    """Make the tables in an empty file; refuse what is not exactly this history.

    Raises
    ------
    HistoryError
        If the file holds anything else than our tables.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    # SQLite makes an index of its own for a key that is no row number; it has no text.
    found = {row[0] for row in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")}
    if not found and application == 0 and create:
        for statement in TABLES:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        return
    if application == APPLICATION and version != VERSION:
        problem = Problem(
            found=f"version {version} of the history",
            expected=f"version {VERSION}",
            advice="Use the harness that wrote it, or name another file with --history.",
        )
        raise HistoryError(where, [problem])
    if application != APPLICATION or found != set(TABLES):
        problem = Problem(
            found="a SQLite file with other tables",
            expected="a history of the harness",
            advice="Name another file with --history.",
        )
        raise HistoryError(where, [problem])
