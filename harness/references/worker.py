"""R as a worker process: one request at a time, each with a deadline; killed and started anew when it fails."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from harness.errors import EngineError
from harness.locations import r_source_folder
from harness.references import wire
from harness.references.exchange import exchange
from harness.roster import r_files, roster

TAIL = 16_384
START_DEADLINE = 120.0
DEADLINE = 900.0

INSTALL = {
    "R": "Install R: apt-get install --no-install-recommends r-base-core, or https://cran.r-project.org.",
    "rpy2": "Install the bridge to R: pip install 'gbtm-harness[r]'.",
}
_KEPT_R_VARIABLES = {"R_HOME", "R_LIBS", "R_LIBS_SITE", "R_LIBS_USER"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an R operation returned; `output` is the end of what R printed meanwhile."""

    value: Any
    warnings: tuple[str, ...]
    seconds: float
    output: str


@dataclass(slots=True)
class _Running:
    process: subprocess.Popen[bytes]
    connection: socket.socket
    output: IO[bytes]
    rpy2: str = ""


class RWorker:
    """R in a process group of its own, started at the first request.

    A request that ends in a crash, at its deadline or in garbage costs that request only: the process group is killed
    and the next request gets a new R. The worker is for one thread.

    Parameters
    ----------
    sources
        R files to load; the project's own unless tests add theirs.
    environment
        Variables to change in the worker's environment; None removes one.
    """

    def __init__(
        self,
        *,
        sources: Sequence[Path] | None = None,
        environment: Mapping[str, str | None] | None = None,
        deadline: float = DEADLINE,
        start_deadline: float = START_DEADLINE,
    ) -> None:
        folder = r_source_folder()
        self._sources = tuple(sources) if sources is not None else tuple(folder / name for name in r_files())
        self._environment = dict(environment or {})
        self._deadline = deadline
        self._start_deadline = start_deadline
        self._running: _Running | None = None
        self._output = bytearray()
        self._absent: EngineError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process id of the running R, which is also its process group."""
        return None if self._running is None else self._running.process.pid

    @property
    def rpy2_version(self) -> str:
        """The version of rpy2 in the worker; empty while it does not run."""
        return "" if self._running is None else self._running.rpy2

    def request(self, operation: str, payload: Mapping[str, Any], *, deadline: float | None = None) -> Answer:
        """Return what the R operation makes of the payload (see `wire` for what can travel).

        Raises
        ------
        EngineError
            Named after the part of `operation` before the dot. `absent`: R, rpy2 or the package is not there;
            `refused`: R raised an error; `timeout`; `crashed`: the process died or answered with garbage.
        """
        engine = operation.split(".", 1)[0]
        message = wire.frame({"operation": operation, "payload": dict(payload)})
        running = self._start(engine)
        self._output.clear()
        answer = self._exchange(engine, running, message, self._deadline if deadline is None else deadline)
        output = self._tail()
        status, text = answer["status"][0], answer["message"][0]
        if status != "ok":
            advice = f"{text}. {install_advice(engine)}" if status == "absent" else text
            raise EngineError(engine, status, advice)
        warnings = tuple(str(warning) for warning in answer["warnings"])
        unshown = answer["n_warnings"].item() - len(warnings)
        if unshown > 0:
            warnings = (*warnings, f"{unshown} more warnings, repeated or not kept")
        return Answer(value=answer["value"], warnings=warnings, seconds=answer["seconds"].item(), output=output)

    def close(self) -> None:
        """Kill R and everything that it started."""
        running, self._running = self._running, None
        if running is None:
            return
        running.connection.close()
        with suppress(ProcessLookupError):
            os.killpg(running.process.pid, signal.SIGKILL)
        running.process.wait()
        running.output.close()

    def _start(self, engine: str) -> _Running:
        if self._running is not None and self._running.process.poll() is None:
            return self._running
        self.close()
        if self._absent is not None:
            raise EngineError(engine, "absent", self._absent.evidence)
        self._output.clear()
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "harness.references.r_process", str(theirs.fileno())]
        with theirs:
            process = subprocess.Popen(  # noqa: S603  # our own module, with paths that we chose
                [*command, *map(str, self._sources)],
                env=_worker_environment(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        ours.setblocking(False)
        assert process.stdout is not None  # noqa: S101  # opened as a pipe above
        self._running = _Running(process, ours, process.stdout)
        hello = self._exchange(engine, self._running, b"", self._start_deadline)
        if hello["status"] == ["absent"]:
            what, text = hello["what"][0], hello["message"][0]
            self.close()
            self._absent = EngineError(engine, "absent", f"{text}. {INSTALL[what]}")
            raise self._absent
        self._running.rpy2 = str(hello["rpy2"][0])
        return self._running

    def _exchange(self, engine: str, running: _Running, message: bytes, deadline: float) -> dict[str, Any]:
        """Send the message and return the next frame, while R's output is drained; kill R if that does not work."""
        try:
            until = time.monotonic() + deadline
            return dict(
                wire.unframe(exchange(running.connection, running.output, message, until=until, keep=self._keep))
            )
        except TimeoutError:
            self.close()
            raise EngineError(engine, "timeout", f"no answer within {deadline:g} s. {self._tail()}") from None
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            self._drain_rest(running)
            self.close()
            status = running.process.returncode
            raise EngineError(engine, "crashed", f"R ended ({_how(status)}); {error}. {self._tail()}") from None
        except BaseException:
            # Interrupted half-way through an exchange: the next request must not read this one's answer.
            self.close()
            raise

    def _keep(self, printed: bytes) -> None:
        self._output += printed
        del self._output[:-TAIL]

    def _drain_rest(self, running: _Running) -> None:
        """Read what a dying R still had to say."""
        with suppress(subprocess.TimeoutExpired):
            running.process.wait(timeout=1)
        os.set_blocking(running.output.fileno(), False)
        while printed := running.output.read(TAIL):
            self._keep(printed)

    def _tail(self) -> str:
        return self._output.decode(errors="replace").strip()


def install_advice(package: str) -> str:
    """Return what to do about a package that R does not have."""
    debian = roster()[package].debian if package in roster() else ""
    if not debian:
        return "Install it from CRAN: Rscript reference_r/install.R."
    return f"Install it: apt-get install --no-install-recommends {debian}, or Rscript reference_r/install.R."


def _worker_environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return an environment in which R starts the same everywhere: no profiles, one locale, one thread."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("R_") or name in _KEPT_R_VARIABLES}
    package_root = str(Path(__file__).parents[2])
    fixed = {
        "LC_ALL": "C.UTF-8",
        "LANGUAGE": "en",
        "TZ": "UTC",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "R_PROFILE": "",
        "R_PROFILE_USER": "",
        "R_ENVIRON": "",
        "R_ENVIRON_USER": "",
        "PYTHONPATH": os.pathsep.join(filter(None, (package_root, os.environ.get("PYTHONPATH", "")))),
    }
    return {name: value for name, value in {**kept, **fixed, **changes}.items() if value is not None}


def _how(status: int | None) -> str:
    if status is None:
        return "still running"
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
