"""The JSON Schema of the machine-readable report, made from the types that it is written from.

So a field that is added to a type is in the schema by itself, and in the report folder beside the run that has it.
"""

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from inspect import getdoc

from harness.reports.plain import Json

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NUMBER = "A number; one that is not finite is the string NaN, Infinity or -Infinity."


def schema_of(cls: type, omitted: Mapping[type, frozenset[str]], replaced: Mapping[tuple[type, str], object]) -> Json:
    """Return the schema of a dataclass as `plain` writes it.

    Parameters
    ----------
    cls
        The dataclass of the whole document.
    omitted
        Fields that are not written, by dataclass.
    replaced
        Other types that stand in the place of a field's own.

    Raises
    ------
    TypeError
        For a type that no report knows.
    """
    maker = _Maker(omitted, replaced)
    top = maker.schema(cls)
    return {"$schema": _DIALECT, "title": "A run of the cross-check", **top, "$defs": dict(sorted(maker.defs.items()))}


class _Maker:
    """Collects the definitions of all dataclasses that are met on the way."""

    def __init__(self, omitted: Mapping[type, frozenset[str]], replaced: Mapping[tuple[type, str], object]) -> None:
        self.omitted, self.replaced = omitted, replaced
        self.defs: dict[str, Json] = {
            "number": {
                "description": _NUMBER,
                "anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}],
            }
        }

    def schema(self, kind: object) -> dict[str, Json]:  # noqa: PLR0911  # one return a type
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin in {typing.Union, types.UnionType}:
            return self._union(arguments)
        if origin is typing.Literal:
            return {"enum": list(arguments)}
        if origin is tuple:
            return self._array(arguments)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.schema(arguments[1])}
        if kind is float:
            return {"$ref": "#/$defs/number"}
        simple = {int: "integer", str: "string", bool: "boolean", type(None): "null"}
        if isinstance(kind, type) and kind in simple:
            return {"type": simple[kind]}
        if isinstance(kind, type) and (issubclass(kind, Enum) or is_dataclass(kind)):
            return self._named(kind)
        raise TypeError(f"no JSON Schema for {kind!r}; expected a type of the harness")

    def _union(self, options: tuple[object, ...]) -> dict[str, Json]:
        # A float and a text that reads NaN look alike; a quantity's kind tells them apart.
        return {"anyOf": [self.schema(option) for option in options]}

    def _array(self, items: tuple[object, ...]) -> dict[str, Json]:
        if items[-1] is Ellipsis:
            return {"type": "array", "items": self.schema(items[0])}
        entries: list[Json] = [self.schema(item) for item in items]
        return {"type": "array", "prefixItems": entries, "items": False, "minItems": len(items)}

    def _named(self, kind: type) -> dict[str, Json]:
        if kind.__name__ not in self.defs:
            self.defs[kind.__name__] = None  # a type that holds itself ends here
            self.defs[kind.__name__] = (
                {"enum": [item.value for item in kind]} if issubclass(kind, Enum) else self._object(kind)
            )
        return {"$ref": f"#/$defs/{kind.__name__}"}

    def _object(self, kind: type) -> dict[str, Json]:
        hints = typing.get_type_hints(kind)
        names = [field.name for field in fields(kind) if field.name not in self.omitted.get(kind, ())]
        properties = {name: self.schema(self.replaced.get((kind, name), hints[name])) for name in names}
        return {
            "description": " ".join((getdoc(kind) or "").split()),
            "type": "object",
            "additionalProperties": False,
            "required": list(names),
            "properties": dict(properties),
        }
