"""What a worker process does: batches of replicates, one after the other, on the one R that it owns.

R is started at the first batch that needs it and lives as long as the process. This file is all that a worker on
another machine runs; it returns rows and writes nothing.
"""

import atexit
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock, Thread

from threadpoolctl import threadpool_limits

from harness.campaigns.again import AGAIN, Again
from harness.campaigns.cells import Batch
from harness.campaigns.replicate import Asked, Row, run_replicate
from harness.cases import Engine
from harness.engines import own_versions
from harness.errors import EngineError
from harness.peers.engine import installed_version, peer_engine, peer_versions
from harness.references.live import engine_versions, reference_engine
from harness.references.worker import RWorker
from harness.roster import peers, roster

PATIENCE = 1.0
"""Seconds between two looks at whether the parent is still there."""


@dataclass(slots=True)
class _Owned:
    """The R of this process, None until one is needed, and the versions behind its numbers by engine."""

    worker: RWorker | None = None
    versions: dict[str, Mapping[str, str]] = field(default_factory=dict)
    # A scheduler may run tasks in threads, and R is for one of them.
    lock: Lock = field(default_factory=Lock)


_owned = _Owned()


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A batch that was computed: a row for each replicate, the versions of everything, and the process that did it."""

    batch: Batch
    rows: Sequence[Row]
    versions: Mapping[str, str]
    process: int


def run_batch(batch: Batch) -> Done:
    """Return the rows of a batch.

    A replicate during which R died, for whatever reason, is done once more on a new R: only a death that repeats is a
    result. With the same versions of everything, rows are the same bit by bit whoever computes them, but for `_seconds`
    and `retries`.

    Raises
    ------
    EngineError
        If the reference engine is not installed here.
    """
    with _owned.lock, threadpool_limits(limits=1):
        reference = batch.cell.reference
        if reference in roster():
            worker = _own_worker()
            versions = _versions(worker, reference)
            rows = list(_rows(batch, worker))
        else:
            engine, versions = _of_python(reference)
            asked = Asked(brief=engine, whole=engine)
            rows = [{**run_replicate(batch.cell, k, asked), "retries": 0} for k in range(batch.first, batch.last)]
        return Done(batch=batch, rows=rows, versions={**own_versions(), **versions}, process=os.getpid())


def _of_python(reference: str) -> tuple[Engine, Mapping[str, str]]:
    """Return an engine that runs in this process, ours or a package of Python, and the versions behind its numbers.

    Raises
    ------
    EngineError
        If its package is not installed.
    """
    if reference == AGAIN:
        return Again(), {}
    engine = peer_engine(peers()[reference])
    if installed_version(engine.adapter.package) is None:
        raise EngineError(reference, "absent", f"Python has no package {engine.adapter.package}")
    return engine, peer_versions(engine.adapter.package)


def end_with(parent: int) -> None:
    """Let this process end when its parent does, however that ended; its R does the same with this one."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PATIENCE)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _rows(batch: Batch, worker: RWorker) -> Iterator[Row]:
    reference = batch.cell.reference
    asked = Asked(
        brief=reference_engine(reference, worker, deadline=batch.deadline, brief=True),
        whole=reference_engine(reference, worker, deadline=batch.deadline),
    )
    for number in range(batch.first, batch.last):
        before = worker.pid
        row = run_replicate(batch.cell, number, asked)
        died = worker.pid != before
        yield {**(run_replicate(batch.cell, number, asked) if died else row), "retries": int(died)}


def _own_worker() -> RWorker:
    if _owned.worker is None:
        _owned.worker = RWorker()
        atexit.register(_owned.worker.close)
    return _owned.worker


def _versions(worker: RWorker, reference: str) -> Mapping[str, str]:
    """Return the versions behind the reference's numbers, which also proves that R runs."""
    if reference not in _owned.versions or worker.pid is None:
        _owned.versions[reference] = engine_versions(worker, reference)
    return _owned.versions[reference]
