"""Where in a TOML text a table or a key stands, which its parser does not tell."""

import re
import tomllib

Keys = tuple[str, ...]


def line_of(text: str, table: Keys, key: str | None = None) -> int | None:
    """Return the line, from 1, on which a table of a TOML text begins, or one of its keys stands; None if unclear."""
    inside, began = table == (), None
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(r"\s*\[", line) and (header := _header(line)) is not None:
            inside = header == table
            if inside and began is None:
                began = number
            if key is not None and header == (*table, key):
                return number
        elif inside and key is not None and re.match(rf"\s*(['\"]?){re.escape(key)}\1\s*[=.]", line):
            return number
    return began


def _header(line: str) -> Keys | None:
    """Return the keys of a header of a table; None for what is none, such as a header of a list of tables."""
    try:
        found: object = tomllib.loads(line)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    keys = []
    while found and isinstance(found, dict):
        key, found = next(iter(found.items()))
        keys.append(key)
    return None if found else tuple(keys)
