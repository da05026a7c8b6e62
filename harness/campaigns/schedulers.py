"""Where batches are computed: processes of this machine, or a cluster; both are executors of the standard library."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager, suppress
from types import ModuleType

from harness.campaigns.cells import Batch
from harness.campaigns.workers import Done, end_with, run_batch
from harness.errors import CampaignError, Problem

IDLE = 600.0
"""Seconds after which a local worker without work ends; far longer than any that a campaign keeps it waiting."""
CONNECTING = 10
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


class Workers(ABC):
    """Processes that compute batches.

    `lost` are the errors of a batch whose worker died; after one of them `renew` makes workers as good as new.
    """

    lost: tuple[type[BaseException], ...]

    @abstractmethod
    def submit(self, batch: Batch) -> "Future[Done]":
        """Return the future rows of a batch."""

    @abstractmethod
    def n_workers(self) -> int:
        """Return how many batches are computed at once."""

    @abstractmethod
    def renew(self) -> None:
        """Replace what died."""

    @abstractmethod
    def close(self) -> None:
        """End, without waiting for batches that are still computed."""


class LocalWorkers(Workers):
    """Processes of this machine, by joblib's executor (loky), which tells when one died."""

    lost = (BrokenExecutor,)

    def __init__(self, n: int) -> None:
        self._n = n
        self._executor: Executor = self._new()

    def _new(self) -> Executor:
        from joblib.externals.loky import ProcessPoolExecutor  # noqa: PLC0415  # only campaigns wait for its import

        # Threads are pinned before a worker imports numpy: afterwards is too late for some libraries.
        threads = dict.fromkeys(_THREADS, "1")
        executor: Executor = ProcessPoolExecutor(
            max_workers=self._n, timeout=IDLE, env=threads, initializer=end_with, initargs=(os.getpid(),)
        )
        return executor

    def submit(self, batch: Batch) -> "Future[Done]":
        """Return the future rows of a batch."""
        return self._executor.submit(run_batch, batch)

    def n_workers(self) -> int:
        """Return how many processes there are."""
        return self._n

    def renew(self) -> None:
        """Start anew, with all processes: the executor can't go on after the death of one."""
        self.close()
        self._executor = self._new()

    def close(self) -> None:
        """Kill the processes; each R ends with its process."""
        self._executor.shutdown(wait=True, kill_workers=True)  # type: ignore[call-arg]  # loky's


class ClusterWorkers(Workers):
    """The workers of a Dask cluster, which gives the batch of a dead worker to another by itself."""

    def __init__(self, scheduler: str) -> None:
        distributed = _distributed()
        self.lost = (distributed.KilledWorker,)
        try:
            self._client = distributed.Client(scheduler, timeout=CONNECTING, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            problem = Problem(found=f"no answer: {error}", expected="a Dask scheduler, such as tcp://10.0.0.1:8786")
            raise CampaignError(f"--scheduler {scheduler}", [problem]) from None
        self._executor: Executor = self._client.get_executor(pure=False)

    def submit(self, batch: Batch) -> "Future[Done]":
        """Return the future rows of a batch."""
        return self._executor.submit(run_batch, batch)

    def n_workers(self) -> int:
        """Return how many workers the cluster has now."""
        return max(len(self._client.scheduler_info(n_workers=-1)["workers"]), 1)

    def renew(self) -> None:
        """Do nothing: the cluster replaces its workers."""

    def close(self) -> None:
        """Leave the cluster; what it still computes is given up."""
        with suppress(OSError, TimeoutError):
            self._executor.shutdown(wait=False)
            self._client.close()


@contextmanager
def workers(n: int, scheduler: str | None = None) -> Iterator[Workers]:
    """Yield so many local processes, or the workers of the cluster whose scheduler is named.

    Raises
    ------
    CampaignError
        If the scheduler does not answer, or the package for it is not installed.
    """
    found: Workers = LocalWorkers(n) if scheduler is None else ClusterWorkers(scheduler)
    try:
        yield found
    finally:
        found.close()


def _distributed() -> ModuleType:
    try:
        import distributed  # noqa: PLC0415  # an extra, and slow to import
    except ModuleNotFoundError:
        problem = Problem(
            found="no Python package distributed",
            expected="it, for a cluster",
            advice="Install it: pip install 'gbtm-harness[cluster]'.",
        )
        raise CampaignError("--scheduler", [problem]) from None
    found: ModuleType = distributed
    return found
