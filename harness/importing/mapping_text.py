"""Write a mapping as the TOML text that declares it."""

import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import TYPE_CHECKING

from harness.importing.mapping import ImportMapping
from harness.scoring import Instrument

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

BARE = re.compile(r"[A-Za-z0-9_-]+")


def mapping_text(mapping: ImportMapping) -> str:
    """Return the text that `read_mapping` reads as this mapping, whose scales must be built in."""
    document = _tables(mapping)
    lines = ["[import]", *(_line(key, value) for key, value in document.items() if not isinstance(value, dict))]
    for key, table in document.items():
        if isinstance(table, dict):
            lines += ["", f"[import.{key}]", *(_line(name, value) for name, value in table.items())]
    return "\n".join(lines) + "\n"


def _tables(part: "DataclassInstance") -> dict[str, object]:
    """Return the fields of a part that are not as they are when nobody declares them."""
    declared = {each.name: (getattr(part, each.name), _default(each)) for each in fields(part)}
    return {
        "instrument" if name == "scale" else name: _plain(found)
        for name, (found, usual) in declared.items()
        if found not in (usual, ())
    }


def _plain(value: object) -> object:
    """Return a value as texts, numbers, lists and tables."""
    if isinstance(value, Instrument):
        return value.name
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple) and value and is_dataclass(value[0]):
        tables = [_tables(entry) for entry in value]
        return {str(table.pop("name")): table for table in tables}
    if is_dataclass(value) and not isinstance(value, type):
        return _tables(value)
    return list(value) if isinstance(value, tuple) else value


def _default(each: "Field[object]") -> object:
    if each.default_factory is not MISSING:
        return each.default_factory()
    return each.default


def _line(key: str, value: object) -> str:
    return f"{key if BARE.fullmatch(key) else json.dumps(key)} = {_text(value)}"


def _text(value: object) -> str:
    """Return a value of TOML; its texts in quotes are those of JSON as long as no letter is escaped."""
    if isinstance(value, dict):
        return "{ " + ", ".join(_line(key, entry) for key, entry in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else repr(value)
