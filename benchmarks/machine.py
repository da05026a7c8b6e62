"""What the numbers were measured on: one thread, one R, and the versions of everything."""

import os
import platform
import sys

from harness.engines import own_versions
from harness.errors import EngineError
from harness.locations import r_source_folder
from harness.references import REFERENCES, installed_packages
from harness.references.worker import RWorker
from harness.roster import r_files

_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def pin_threads() -> None:
    """Start this command anew with one thread, unless it has one: numpy counts its threads when it is imported."""
    if any(os.environ.get(name) != value for name, value in _ONE_THREAD.items()):
        command = [sys.executable, *sys.orig_argv[1:]]
        os.execve(sys.executable, command, {**os.environ, **_ONE_THREAD})  # noqa: S606  # ourselves, as we were called


def timing_worker() -> RWorker:
    """Return R with the operations of reference_r/timing.R."""
    folder = r_source_folder()
    return RWorker(sources=[folder / name for name in (*r_files(), "timing.R")])


def environment(worker: RWorker) -> str:
    """Return one line on Python's side and one on R's."""
    ours = {"Python": platform.python_version(), **own_versions()}
    python = ", ".join(f"{name} {number}" for name, number in ours.items())
    try:
        session = worker.request("session.versions", {}).value
        found = installed_packages(worker)
    except EngineError as error:
        return f"{python}; 1 thread\nno R: {error}"
    packages = ", ".join(f"{name} {found.get(name, 'not installed')}" for name in REFERENCES)
    return f"{python}; 1 thread\nR {session['r'][0]}, {packages}, BLAS {session['blas'][0]}; 1 thread"
