"""Whether an engine got the values that were sent: the columns of a request, sent back and compared bit for bit."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.errors import EngineError
from harness.references.requests import Request
from harness.references.worker import RWorker


def echo_is_exact(worker: RWorker, request: Request, deadline: float | None = None) -> bool | None:
    """Return whether R sends the request's columns back bit for bit; None where it knows no echo.

    Raises
    ------
    EngineError
        If R crashed, hung or is absent.
    """
    columns = request.payload["columns"]
    try:
        back = worker.request("session.echo", {"columns": columns}, deadline=deadline).value
    except EngineError as error:
        if error.reason != "refused":
            raise
        return None
    return is_the_same(columns, back["columns"])


def is_the_same(sent: object, back: object) -> bool:
    """Return whether what came back is what was sent: names and order, types, sizes, and the bits of every number.

    A single number comes back as an array of one, and a missing number must be the very same NaN.
    """
    if isinstance(sent, Mapping):
        return (
            isinstance(back, Mapping)
            and list(sent) == list(back)
            and all(is_the_same(value, back[name]) for name, value in sent.items())
        )
    if isinstance(sent, Sequence) and not isinstance(sent, str):
        return (
            isinstance(back, Sequence)
            and len(sent) == len(back)
            and all(is_the_same(a, b) for a, b in zip(sent, back, strict=True))
        )
    if isinstance(sent, str) and isinstance(back, Sequence):
        return list(back) == [sent] or back == sent
    return sent is back or _same_bits(sent, back)


def _same_bits(sent: Any, back: Any) -> bool:  # noqa: ANN401  # anything that may or may not be an array of numbers
    if back is None or isinstance(back, Mapping):
        return False
    ours, theirs = np.atleast_1d(np.asarray(sent)), np.atleast_1d(np.asarray(back))
    if ours.dtype.kind != theirs.dtype.kind or ours.shape != theirs.shape:
        return False
    if ours.dtype.kind == "i":  # R's are of 32 bits
        return bool(np.array_equal(ours, theirs))
    return ours.dtype == theirs.dtype and ours.tobytes() == theirs.tobytes()
