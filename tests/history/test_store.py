"""What was added to a history is there, whole, unchanged and in order; what is no history is refused."""

import math
import sqlite3
import threading

import pytest

from harness.errors import HistoryError
from harness.history import append, last_traces, require_history, store
from harness.history.entry import entries_of
from harness.history.schema import VERSION, opened
from harness.history.store import Key, series

from .conftest import DAYS, LIMIT, run_of, verdict

HOSTILE = "x'); DROP TABLE runs; --\x00\udcff"


def read(path, run):
    (entry,) = entries_of(run)
    with opened(path) as connection:
        return series(connection, Key(case=entry.case, engine=entry.engine, source=entry.source, input=entry.input), 99)


def test_what_was_added_comes_back_as_it_was(path):
    run = run_of(verdict(share=0.25), verdict(DAYS, 0.5, metric="standard errors"))
    append(run, path)
    assert read(path, run) == tuple(entries_of(run))


def test_runs_come_back_in_the_order_in_which_they_were_added(path):
    for day in (3, 1, 2):
        append(run_of(verdict(), started=f"2026-01-0{day}T00:00:00"), path)
    assert [entry.started[:10] for entry in read(path, run_of(verdict()))] == ["2026-01-03", "2026-01-01", "2026-01-02"]


def test_the_nearest_to_its_limit_of_each_metric_is_kept():
    (entry,) = entries_of(run_of(verdict(share=0.2), verdict(DAYS, 0.3), verdict("sigma", 0.1, metric="other")))
    assert [(item.quantity, item.ratio) for item in entry.nearest] == [("sigma", 0.1), (DAYS, 0.3)]
    assert entry.worst.quantity == DAYS


def test_known_differences_and_what_has_no_limit_above_zero_do_not_count():
    known = verdict(share=900, outcome=verdict_outcome("KNOWN"))
    (entry,) = entries_of(run_of(known, verdict(DAYS, 0.1, limit=0.0), verdict("sigma", 0.1, limit=None)))
    assert entry.nearest == ()
    assert entry.worst is None


def verdict_outcome(name):
    from harness.comparison.verdict import Outcome

    return Outcome[name]


def test_a_difference_that_is_no_number_is_as_far_as_can_be(path):
    run = run_of(verdict(observed=math.nan, outcome=verdict_outcome("DISAGREE")))
    append(run, path)
    (entry,) = read(path, run)
    assert entry.worst.ratio == math.inf


@pytest.mark.parametrize("statement", ["UPDATE runs SET started = 'x'", "DELETE FROM comparisons", "DELETE FROM texts"])
def test_nothing_that_was_added_can_be_changed(path, statement):
    append(run_of(verdict()), path)
    with pytest.raises(HistoryError, match="only added to"), opened(path) as connection:
        connection.execute(statement)


def test_a_run_that_fails_halfway_leaves_nothing(path, monkeypatch):
    append(run_of(verdict()), path)

    def failing(*_):
        raise sqlite3.OperationalError("the disk is full")

    monkeypatch.setattr(store, "_add", failing)
    with pytest.raises(HistoryError, match="the disk is full"):
        append(run_of(verdict()), path)
    with opened(path) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (1,)


def test_writers_at_the_same_time_lose_nothing(path):
    failures = []

    def write(engine):
        try:
            for _ in range(5):
                append(run_of(verdict(), engine=engine), path)
        except HistoryError as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(engine,)) for engine in ("lme4", "nlme", "lmerTest")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not failures
    assert {trace.engine: len(trace.started) for trace in last_traces(path)} == {"lme4": 5, "lmerTest": 5, "nlme": 5}


def test_text_of_a_user_is_data(path):
    run = run_of(verdict(HOSTILE), case=HOSTILE)
    append(run, path)
    append(run, path)
    (trace,) = last_traces(path)
    assert trace.case.startswith("x'); DROP TABLE runs; --\x00")
    assert len(trace.started) == 2
    assert last_traces(path, "x' OR '1'='1") == ()


def garbage(path):
    path.write_bytes(b"not a database" * 100)


def foreign(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE runs (id INTEGER)")


def foreign_with_our_mark(path):
    append(run_of(verdict()), path)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE VIEW more AS SELECT * FROM runs")


def newer(path):
    append(run_of(verdict()), path)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")


def folder(path):
    path.mkdir()


def link(path):
    target = path.with_name("target.sqlite")
    append(run_of(verdict()), target)
    path.symlink_to(target)


def cut_off(path):
    for _ in range(20):
        append(run_of(verdict()), path)
    path.write_bytes(path.read_bytes()[:6000])


def nonsense_for_versions(path):
    append(run_of(verdict(), lme4="1.1-31"), path)
    content = path.read_bytes()
    assert b'{"R": "4.2.2"' in content
    path.write_bytes(content.replace(b'{"R": "4.2.2"', b'["R", "4.2.2"]'[:13]))


REFUSED = {
    garbage: "not a database",
    foreign: "other tables",
    foreign_with_our_mark: "other tables",
    newer: f"version {VERSION + 1} of the history",
    folder: "no file",
    link: "a link",
    cut_off: "malformed",
    nonsense_for_versions: "versions that",
}


@pytest.mark.parametrize("spoil", REFUSED, ids=lambda spoil: spoil.__name__)
def test_what_is_no_history_is_refused_with_one_error(path, spoil):
    spoil(path)
    with pytest.raises(HistoryError, match=REFUSED[spoil]) as refusal:
        last_traces(path)
    assert len(refusal.value.problems) == 1


@pytest.mark.parametrize("spoil", [garbage, foreign, newer, folder, link], ids=lambda spoil: spoil.__name__)
def test_what_is_no_history_is_not_written_into(path, spoil):
    spoil(path)
    before = path.read_bytes() if path.is_file() else None
    for attempt in (lambda: append(run_of(verdict()), path), lambda: require_history(path)):
        with pytest.raises(HistoryError):
            attempt()
    assert before == (path.read_bytes() if path.is_file() else None)


def test_no_file_is_no_history_and_none_is_made(path):
    with pytest.raises(HistoryError, match="no file"):
        last_traces(path)
    require_history(path)
    assert not path.exists()


def test_a_history_stays_small(path):
    for _ in range(50):
        append(run_of(verdict(), verdict(DAYS, metric="standard errors")), path)
    assert path.stat().st_size < 50 * 1000 + 60_000
    assert LIMIT > 0
