"""How values travel between Python and the R process: a length, then JSON, with every number bit for bit.

Python            R                              JSON
float, int, bool  double, integer, logical (1)   {"double": base64 of float64}, {"integer": [..]}, {"logical": [..]}
numpy array       the same, with `dim` if 2-D+   {"double": .., "dim": [..]}   (column by column, as R stores it)
str, Text, [str]  character; None is NA          {"text": [..]}
None              NULL                           {"null": true}
dict, list        named and unnamed list         {"list": [..], "names": [..]}

Coming back, every R vector is a numpy array (`item()` makes it a number), and every character vector a list. Missing
doubles are R's own NA, one particular NaN; `is_missing` tells it from the other NaN's.
"""

import base64
import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.arrays import Mask, Vector

MISSING_BITS = 0x7FF00000000007A2
"""R's NA for doubles: a NaN whose lower word is 1954."""

MISSING_INTEGER = -(2**31)
MAX_FRAME = 2**30
_LENGTH = struct.Struct(">Q")
HEADER = _LENGTH.size


class Text(list[str | None]):
    """A character vector, which an empty list would not show."""


def frame(value: Any) -> bytes:  # noqa: ANN401  # any value of the table above
    """Return the bytes of a value, length first."""
    body = json.dumps(_tree(value), separators=(",", ":")).encode()
    return _LENGTH.pack(len(body)) + body


def frame_length(header: bytes) -> int:
    """Return how many bytes follow the header; raises ValueError for a length that no frame has."""
    (length,) = _LENGTH.unpack(header)
    if length > MAX_FRAME:
        msg = f"a frame of {length} bytes, more than {MAX_FRAME}"
        raise ValueError(msg)
    return int(length)


def unframe(body: bytes) -> Any:  # noqa: ANN401  # any value of the table above
    """Return the value of a frame's body.

    Raises
    ------
    ValueError
        If there is no such value in it, whatever it holds instead.
    """
    try:
        return _value(json.loads(body))
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"a frame without a value ({type(error).__name__}: {error!s:.200})") from error


def with_missing(values: Vector, missing: Mask) -> Vector:
    """Return doubles in which the masked entries are R's NA."""
    marked = np.array(values, dtype=np.float64)
    marked.view(np.uint64)[missing] = MISSING_BITS
    return marked


def is_missing(values: Vector) -> Mask:
    """Return which doubles are R's NA rather than a number or another NaN."""
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.uint64)
    return np.asarray(np.isnan(values) & ((bits & 0xFFFFFFFF) == 1954))


def _tree(value: Any) -> dict[str, Any]:  # noqa: ANN401, C901, PLR0911  # one branch per row of the table
    match value:
        case None:
            return {"null": True}
        case bool():
            return {"logical": [value]}
        case int():
            return {"integer": [value]}
        case float():
            return _array_tree(np.array([value]))
        case str():
            return {"text": [value]}
        case np.ndarray():
            return _array_tree(value)
        case Mapping():
            return {"list": [_tree(item) for item in value.values()], "names": list(value)}
        case Text():
            return {"text": list(value)}
        case list() | tuple() if value and all(item is None or isinstance(item, str) for item in value):
            return {"text": list(value)}
        case list() | tuple():
            return {"list": [_tree(item) for item in value], "names": None}
    msg = f"{type(value).__name__} can't travel to R"
    raise TypeError(msg)


def _array_tree(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    flat = array.ravel(order="F")
    if array.dtype == np.float64:
        tree: dict[str, Any] = {"double": base64.b64encode(flat.astype("<f8", copy=False).tobytes()).decode()}
    elif array.dtype == np.bool_:
        tree = {"logical": flat.tolist()}
    elif np.issubdtype(array.dtype, np.integer):
        if flat.size and (flat.min() < MISSING_INTEGER or flat.max() > -(MISSING_INTEGER + 1)):
            msg = "an integer that R's 32 bits can't hold can't travel to R"
            raise TypeError(msg)
        tree = {"integer": flat.tolist()}
    else:
        msg = f"an array of {array.dtype} can't travel to R"
        raise TypeError(msg)
    return {**tree, "dim": list(array.shape)} if array.ndim > 1 else tree


def _value(tree: Mapping[str, Any]) -> Any:  # noqa: ANN401  # any value of the table above
    if "double" in tree:
        array = np.frombuffer(base64.b64decode(tree["double"]), dtype="<f8").astype(np.float64)
        return _shaped(array, tree)
    if "integer" in tree:
        return _shaped(np.array(tree["integer"], dtype=np.int64), tree)
    if "logical" in tree:
        return _shaped(np.array(tree["logical"], dtype=np.bool_), tree)
    if "text" in tree:
        return Text(_texts(tree["text"]))
    if "list" in tree:
        items = [_value(item) for item in tree["list"]]
        return items if tree["names"] is None else dict(zip(tree["names"], items, strict=True))
    if tree.get("null") is not True:
        raise TypeError("no value of any kind")
    return None


def _texts(items: list[object]) -> list[str | None]:
    if wrong := next((item for item in items if not (item is None or isinstance(item, str))), None):
        raise TypeError(f"{type(wrong).__name__} among texts")
    return [item for item in items if item is None or isinstance(item, str)]


def _shaped(array: np.ndarray[Any, Any], tree: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    return array.reshape(tree["dim"], order="F") if "dim" in tree else array
