"""All of R's engines that can be run here and now, on one worker."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from harness.cases import Engine
from harness.errors import EngineError
from harness.references.live import REFERENCES, installed_packages, reference_engine
from harness.references.worker import RWorker


@contextmanager
def live_engines(worker: RWorker | None = None) -> Iterator[Mapping[str, Engine]]:
    """Yield the engines whose R packages are installed, by name; none where R or its bridge is absent.

    They run on the worker, or on one of their own; it is closed in the end.

    Raises
    ------
    EngineError
        If R is there but can't be started.
    """
    with worker or RWorker() as running:
        try:
            installed = installed_packages(running)
        except EngineError as error:
            if error.reason != "absent":
                raise
            installed = {}
        yield {name: reference_engine(name, running) for name in REFERENCES if name in installed}
