"""Values of the harness as JSON values, and those as text that people and `diff` can read."""

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum

import numpy as np

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def plain(value: object, omitted: Mapping[type, frozenset[str]] | None = None) -> Json:  # noqa: PLR0911  # one a type
    """Return a value of the harness as JSON values; `omitted` are fields that are left out, by dataclass.

    JSON has no numbers that are not finite: they become the strings "NaN", "Infinity" and "-Infinity".

    Raises
    ------
    TypeError
        For a type that no report knows, rather than its repr.
    """
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | int() | str():
            return value
        case float():
            return _number(value)
        case np.generic() | np.ndarray():
            return plain(value.tolist())
        case Mapping():
            return {str(key): plain(item, omitted) for key, item in value.items()}
        case list() | tuple():
            return [plain(item, omitted) for item in value]
        case _ if is_dataclass(value):
            hidden = (omitted or {}).get(type(value), frozenset())
            names = (field.name for field in fields(value) if field.name not in hidden)
            return {name: plain(getattr(value, name), omitted) for name in names}
    raise TypeError(f"no JSON for {type(value).__name__}; expected a value of the harness")


def text_of(value: Json, depth: int) -> str:
    """Return JSON with sorted keys, in ASCII; entries down to `depth` levels have a line each, deeper ones share it."""
    if depth and value and isinstance(value, dict):
        entries = (f"{json.dumps(key)}: {text_of(item, depth - 1)}" for key, item in sorted(value.items()))
        return "{\n" + ",\n".join(entries) + "\n}"
    if depth and value and isinstance(value, list):
        return "[\n" + ",\n".join(text_of(item, depth - 1) for item in value) + "\n]"
    return json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":"))


def _number(value: float) -> Json:
    if math.isfinite(value):
        return float(value)
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
