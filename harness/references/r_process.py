"""The one door to R: a process of its own that embeds R through rpy2 and answers one request after the other.

Runs as ``python -m harness.references.r_process DESCRIPTOR FILE...``: the descriptor is a socket on which requests
come in and answers go out, the files are the R sources to load. Standard output and error belong to R.

No text becomes code here: R functions are looked up by name and called with vectors.
"""

import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.references import wire

R_OPTIONS = ("rpy2", "--quiet", "--no-save", "--no-restore", "--no-environ", "--no-site-file", "--no-init-file")


def main(arguments: Sequence[str]) -> int:
    """Say whether R could be started, then answer until the other side hangs up."""
    connection = socket.socket(fileno=int(arguments[0]))
    threading.Thread(target=_end_with_the_parent, args=(os.getppid(),), daemon=True).start()
    try:
        session = _Session(arguments[1:])
    except _AbsentError as absent:
        connection.sendall(wire.frame({"status": "absent", "what": absent.what, "message": absent.message}))
        return 0
    connection.sendall(wire.frame({"status": "ready", "rpy2": session.version}))
    while (request := _receive(connection)) is not None:
        connection.sendall(wire.frame(session.answer(request)))
    return 0


class _AbsentError(Exception):
    """Something that R's side needs is not there; `what` is `R` or `rpy2`."""

    def __init__(self, what: str, message: str) -> None:
        super().__init__(what, message)
        self.what = what
        self.message = message


class _Session:
    """R, with the sources loaded. R is a library with one global state, so there is one session per process."""

    def __init__(self, sources: Sequence[str]) -> None:
        if shutil.which("R") is None and "R_HOME" not in os.environ:
            raise _AbsentError("R", "no R on the PATH")
        try:
            import rpy2  # noqa: PLC0415, TID251  # the one door; imported late, so that its absence can be told
            from rpy2 import rinterface  # noqa: PLC0415, TID251  # as above
            from rpy2.rinterface_lib import callbacks, embedded  # noqa: PLC0415, TID251  # as above
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] not in {"rpy2", "cffi"}:
                raise
            raise _AbsentError("rpy2", f"no Python package {error.name}") from error
        except (ImportError, OSError, ValueError, RuntimeError) as error:
            raise _AbsentError("rpy2", f"rpy2 is installed but does not load: {error}") from error
        callbacks.consolewrite_print = callbacks.consolewrite_warnerror = _write_through
        embedded.set_initoptions(R_OPTIONS)
        # Not `initr`: it asks another R, which would read the user's profile, for environment variables.
        rinterface.initr_simple()
        self._r: Any = rinterface
        self.version = str(rpy2.__version__)
        source = rinterface.baseenv["source"]
        for path in sources:
            source(rinterface.StrSexpVector([path]))
        self._handle = rinterface.globalenv["handle"]

    def answer(self, request: dict[str, Any]) -> Any:  # noqa: ANN401  # any value of `wire`'s table
        """Return what R's `handle` says to the operation and its request."""
        said = self._handle(self._to_r(request["operation"]), self._to_r(request["payload"]))
        try:
            return self._from_r(said)
        except TypeError as error:
            refused = {"status": "refused", "value": None, "message": str(error)}
            return {**refused, "warnings": wire.Text(), "n_warnings": 0, "seconds": 0.0}

    def _to_r(self, value: Any) -> Any:  # noqa: ANN401  # rpy2 has no types
        r = self._r
        match value:
            case None:
                return r.NULL
            case dict():
                named = r.ListSexpVector([self._to_r(item) for item in value.values()])
                named.do_slot_assign("names", r.StrSexpVector(list(value)))
                return named
            case wire.Text():
                return r.StrSexpVector([r.NA_Character if item is None else item for item in value])
            case list():
                return r.ListSexpVector([self._to_r(item) for item in value])
        flat = value.ravel(order="F")
        if value.dtype == np.float64:
            vector = r.FloatSexpVector.from_memoryview(memoryview(flat))
        elif value.dtype == np.bool_:
            vector = r.BoolSexpVector(flat.tolist())
        else:
            vector = r.IntSexpVector.from_memoryview(memoryview(flat.astype(np.int32)))
        if value.ndim > 1:
            vector.do_slot_assign("dim", r.IntSexpVector(value.shape))
        return vector

    def _from_r(self, value: Any) -> Any:  # noqa: ANN401  # rpy2 has no types
        r = self._r
        match value:
            case r.ListSexpVector():
                items = [self._from_r(item) for item in value]
                names = value.names
                return items if names == r.NULL else dict(zip(map(str, names), items, strict=True))
            case r.StrSexpVector():
                return wire.Text(None if item is r.NA_Character else str(item) for item in value)
            case r.BoolSexpVector():
                return np.array(value.memoryview()) == 1
            case r.FloatSexpVector() | r.IntSexpVector():
                # A copy, with the shape that R gives it: the memory is R's. An empty vector has no view.
                kind = np.float64 if isinstance(value, r.FloatSexpVector) else np.int32
                return np.array(value.memoryview() if len(value) else (), dtype=kind)
        if value == r.NULL:
            return None
        msg = f"an R value of type {type(value).__name__} can't travel"
        raise TypeError(msg)


def _receive(connection: socket.socket) -> dict[str, Any] | None:
    header = _exactly(connection, wire.HEADER)
    body = None if header is None else _exactly(connection, wire.frame_length(header))
    return None if body is None else dict(wire.unframe(body))


def _exactly(connection: socket.socket, wanted: int) -> bytes | None:
    parts: list[bytes] = []
    while wanted > 0:
        part = connection.recv(min(wanted, 2**20))
        if not part:
            return None
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)


def _write_through(text: str) -> None:
    os.write(sys.stderr.fileno(), text.encode(errors="replace"))


def _end_with_the_parent(parent: int) -> None:
    """End this process group when the parent dies, which an R that never returns would not notice."""
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
