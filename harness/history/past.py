"""The past of comparisons as traces, with a warning before a limit breaks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path

import numpy as np

from harness.comparison.run import Run
from harness.comparison.traces import Trace
from harness.history.entry import Entry, entries_of
from harness.history.schema import opened
from harness.history.steps import AHEAD, step, trend
from harness.history.store import Key, append, keys_of_last_runs, series

LAST = 30
"""So many runs are looked at: enough to know how much a series varies, and few enough to forget."""


def remembered(run: Run, path: Path, last: int = LAST) -> Run:
    """Add the run to the history and return it with the traces of its comparisons.

    Raises
    ------
    HistoryError
        If the file is no history or can't be written.
    """
    append(run, path)
    return replace(run, traces=traces(run, path, last))


def traces(run: Run, path: Path, last: int = LAST) -> tuple[Trace, ...]:
    """Return the trace of each comparison of a run that was appended.

    Raises
    ------
    HistoryError
        If the file is no history.
    """
    keys = dict.fromkeys(
        Key(case=entry.case, engine=entry.engine, source=entry.source, input=entry.input) for entry in entries_of(run)
    )
    return _traces(path, tuple(keys), last)


def last_traces(path: Path, case: str | None = None, last: int = LAST) -> tuple[Trace, ...]:
    """Return the trace of each case and engine as they ran last, of all cases or of one.

    Raises
    ------
    HistoryError
        If there is no such file, or it is no history.
    """
    return _traces(path, None, last, case)


def _traces(path: Path, keys: Sequence[Key] | None, last: int, case: str | None = None) -> tuple[Trace, ...]:
    with opened(path) as connection:
        wanted = keys_of_last_runs(connection, case) if keys is None else keys
        return tuple(trace_of(series(connection, key, last)) for key in wanted)


def trace_of(entries: Sequence[Entry]) -> Trace:
    """Return the trace of a series, the oldest entry first; its warnings are those of the run at its end."""
    return Trace(
        case=entries[-1].case,
        engine=entries[-1].engine,
        started=tuple(entry.started for entry in entries),
        ratios=tuple(None if (worst := entry.worst) is None else worst.ratio for entry in entries),
        digits=tuple(entry.digits for entry in entries),
        distances=tuple(entry.distance for entry in entries),
        warning=" ".join(_warnings(entries)),
    )


def _warnings(entries: Sequence[Entry]) -> Iterator[str]:
    """Yield a sentence for each metric that came a step nearer to its limit or is on its way to it."""
    for now in entries[-1].nearest:
        past = [(k, item) for k, entry in enumerate(entries) for item in entry.nearest if item.metric == now.metric]
        ratios = np.array([item.ratio for _, item in past])
        if not isfinite(now.ratio):
            continue
        where = f"{now.metric}: {now.ratio:.2g} of the limit at {now.quantity}"
        stepped = step(ratios)
        if stepped is not None:
            first = past[-stepped.runs][0]
            since = f"since {entries[first].started}" if stepped.runs > 1 else "in this run"
            yield f"{where}, {stepped.factor:.2g} times what it was, {since}; {_changes(entries, first)}."
            continue
        rising = trend(ratios)
        if rising is not None:
            yield (
                f"{where}, rising by {100 * (rising.factor - 1):.0f} % a run: it reaches the limit within"
                f" {min(rising.runs, AHEAD)} runs."
            )


def _changes(entries: Sequence[Entry], first: int) -> str:
    """Return which versions changed with the entry."""
    if first == 0:
        return "what ran before is not in this history"
    then, now = entries[first - 1].versions, entries[first].versions
    changed = [_change(name, then, now) for name in dict.fromkeys((*then, *now)) if then.get(name) != now.get(name)]
    return ", ".join(changed) if changed else "no version changed with it"


def _change(name: str, then: Mapping[str, str], now: Mapping[str, str]) -> str:
    return f"{name} {then.get(name, 'absent')} became {now.get(name, 'absent')}"
