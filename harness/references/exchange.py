"""One request over a socket while the other side's printed output is drained, until a deadline."""

import os
import selectors
import socket
import time
from collections.abc import Callable
from typing import IO

from harness.references import wire

CHUNK = 2**20


def exchange(
    connection: socket.socket, output: IO[bytes], message: bytes, *, until: float, keep: Callable[[bytes], None]
) -> bytes:
    """Send the message and return the body of the next frame; what is printed meanwhile goes to `keep`.

    `connection` doesn't block; `until` is a time of `time.monotonic`. Output must be drained here: a process that
    prints into a full pipe would never come to its answer.

    Raises
    ------
    TimeoutError
        If the frame is not there in time.
    EOFError, OSError, ValueError
        If the other side hangs up, or what it sends is no frame.
    """
    unsent, received = memoryview(message), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ | (selectors.EVENT_WRITE if message else 0))
        selector.register(output, selectors.EVENT_READ)
        while (missing := _missing(received)) > 0:
            ready = _ready(selector, until)
            if output in ready:
                printed = os.read(output.fileno(), CHUNK)
                keep(printed)
                if not printed:
                    selector.unregister(output)
            events = ready.get(connection, 0)
            if events & selectors.EVENT_WRITE:
                unsent = unsent[connection.send(unsent[:CHUNK]) :]
                if not unsent:
                    selector.modify(connection, selectors.EVENT_READ)
            if events & selectors.EVENT_READ:
                received += _some(connection, missing)
    return bytes(received[wire.HEADER :])


def _missing(received: bytearray) -> int:
    """Return how many bytes are missing from the header, or, once it is there, from the frame."""
    if len(received) < wire.HEADER:
        return wire.HEADER - len(received)
    return wire.HEADER + wire.frame_length(bytes(received[: wire.HEADER])) - len(received)


def _ready(selector: selectors.BaseSelector, until: float) -> dict[object, int]:
    remaining = until - time.monotonic()
    events = selector.select(remaining) if remaining > 0 else []
    if not events:
        raise TimeoutError
    return {key.fileobj: mask for key, mask in events}


def _some(connection: socket.socket, missing: int) -> bytes:
    part = connection.recv(min(missing, CHUNK))
    if not part:
        msg = "it hung up without an answer"
        raise EOFError(msg)
    return part
