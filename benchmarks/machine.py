"""What the numbers were measured on: one thread, one R, and the versions of everything."""

import os
import platform
import sys
from collections.abc import Sequence

from harness.engines import own_versions
from harness.errors import EngineError
from harness.locations import r_source_folder
from harness.peers.engine import installed_version
from harness.references import REFERENCES, installed_packages
from harness.references.worker import RWorker
from harness.roster import r_files

# BLAS, OpenMP (torch) and MKL; the thread pools of Rust and of polars.
_LIMITS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS")
ONE_THREAD = dict.fromkeys(_LIMITS, "1")
"""What a process must be started with to have one thread."""


def pin_threads() -> None:
    """Start this command anew with one thread, unless it has one: numpy counts its threads when it is imported."""
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        command = [sys.executable, *sys.orig_argv[1:]]
        os.execve(sys.executable, command, {**os.environ, **ONE_THREAD})  # noqa: S606  # ourselves, as we were called


def timing_worker() -> RWorker:
    """Return R with the operations of reference_r/timing.R."""
    folder = r_source_folder()
    return RWorker(sources=[folder / name for name in (*r_files(), "timing.R")])


def environment(worker: RWorker, in_r: Sequence[str] = REFERENCES, in_python: Sequence[str] = ()) -> str:
    """Return one line on Python's side and one on R's, with the versions of these engines and packages."""
    own = {name: installed_version(name) or "not installed" for name in in_python}
    ours = {"Python": platform.python_version(), **own_versions(), **own}
    python = ", ".join(f"{name} {number}" for name, number in ours.items())
    try:
        session = worker.request("session.versions", {}).value
        found = installed_packages(worker)
    except EngineError as error:
        return f"{python}; 1 thread\nno R: {error}"
    packages = ", ".join(f"{name} {found.get(name, 'not installed')}" for name in in_r)
    return f"{python}; 1 thread\nR {session['r'][0]}, {packages}, BLAS {session['blas'][0]}; 1 thread"
