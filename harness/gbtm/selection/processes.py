"""Replicates shared out among processes, with results that do not depend on how.

Each replicate has a stream of random numbers of its own, which follows from the seed and the replicate's number.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from types import ModuleType
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

_FEWEST_TO_SHARE = 40  # below this a process costs more to start than it saves
_PARTS = 8  # for each process, so that one that is slowed down holds up the others little

T = TypeVar("T")


def stream_of(seed: int, replicate: int) -> np.random.Generator:
    """Return the stream of random numbers of one replicate."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(replicate,)))


def over_replicates(task: Callable[[int], T], replicates: int, workers: int | None = None) -> list[T]:
    """Return what a task gives for the replicates 0, 1, ...

    Parameters
    ----------
    task
        A function of the number of a replicate that can be sent to a process: of a module, or a `partial` of one.
    replicates
        How many.
    workers
        Processes; None for as many as there are processors, if the replicates are enough to be worth them.
    """
    if workers is None:
        workers = available() if replicates >= _FEWEST_TO_SHARE else 1
    workers = min(workers, replicates)
    if workers <= 1:
        return _some(task, range(replicates))
    parts = [part.tolist() for part in np.array_split(np.arange(replicates), min(_PARTS * workers, replicates))]
    with ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn")) as pool:
        # New processes are started while parts are handed in, and never later.
        with _without_main():
            waiting = [pool.submit(partial(_some, task), part) for part in parts]
        return [found for one in waiting for found in one.result()]


def available() -> int:
    """Return how many processors this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _some(task: Callable[[int], T], numbers: Sequence[int]) -> list[T]:
    # The products are many and thin: BLAS threads would cost several times what they save.
    with threadpool_limits(limits=1, user_api="blas"):
        return [task(number) for number in numbers]


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the user's script, which a new process would run again from its first line."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
