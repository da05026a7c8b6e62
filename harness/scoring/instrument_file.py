"""Read a scale from its TOML file.

::

    name = "anxiety_state"
    title = "State anxiety, ten questions"   # optional, as all that follows but `items` or `total`
    rater = "self"
    recall_days = 0
    total = [10, 40]                         # a scale of which only totals are known has this and no items
    remission = 15                           # the highest total in remission
    relapse = 25                             # the lowest total in relapse

    [items]
    names = ["calm", "tense", "upset"]       # the columns of the items, in order
    range = [1, 4]                           # of every item, unless `ranges` says otherwise
    ranges = { upset = [0, 4] }
    reversed = ["calm"]                      # scored as lowest + highest - answer
    labels = { calm = "I feel calm" }

    [missing]                                # without this table no total is ever prorated
    least_answered = 9                       # so many items must be answered for a prorated total
    least_ever = 8                           # so far a study may lower that

    [bands]
    name = "our own"
    ranges = { low = [10, 19], high = [20, 40] }

    [subscales]
    distress = ["tense", "upset"]
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeGuard

from harness.errors import Problem, ScoringError, nearest
from harness.scoring.bands import Band, BandTable
from harness.scoring.exact import refuse
from harness.scoring.instrument import Instrument, Item

TomlTable = Mapping[str, object]

_KEYS: Mapping[str, Sequence[str]] = {
    "": (
        *("name", "title", "rater", "recall_days", "total", "remission", "relapse"),
        *("items", "missing", "bands", "subscales"),
    ),
    "items": ("names", "range", "ranges", "reversed", "labels"),
    "missing": ("least_answered", "least_ever"),
    "bands": ("name", "ranges"),
}


def read_instrument(path: Path | str) -> Instrument:
    """Return the scale that a TOML file states; the module's docstring shows the format.

    Raises
    ------
    ScoringError
        The file can't be read, is no TOML, or states a scale that contradicts itself. All keys of a wrong name or type
        are listed; what they contradict is listed once they are right.
    """
    path = Path(path)
    try:
        document = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise ScoringError(str(path), [Problem(found=f"{error.strerror}", expected="a scale in TOML")]) from None
    except UnicodeDecodeError:
        raise ScoringError(str(path), [Problem(found="not UTF-8", expected="a scale in UTF-8")]) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ScoringError(str(path), [Problem(found=f"{error}", expected="TOML")]) from None
    try:
        return _Reader(str(path)).instrument(document, path.stem)
    except ScoringError as error:
        where = error.where if error.where == str(path) else f"{path}: {error.where}"
        raise ScoringError(where, error.problems) from None


class _Reader:
    """Takes values out of the document and remembers everything that has the wrong type or name."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []

    def instrument(self, document: TomlTable, stem: str) -> Instrument:
        self._only("", document)
        items = self._items(self._table(document, "items"))
        missing, bands = self._table(document, "missing"), self._table(document, "bands")
        self._only("missing", missing)
        self._only("bands", bands)
        name, title, rater = (self._text(document, key) for key in ("name", "title", "rater"))
        total = self._pair(document, "total") or (0, 0)
        recall_days, remission, relapse = (
            self._whole(document, key) for key in ("recall_days", "remission", "relapse")
        )
        least_answered, least_ever = (self._whole(missing, key, "missing") for key in ("least_answered", "least_ever"))
        band_name = self._text(bands, "name", "bands") or stem
        ranges = self._pairs(bands, "ranges", "bands")
        subscales = self._table(document, "subscales")
        named = {key: self._words(subscales, key, "subscales") for key in subscales}
        refuse(self.path, self.problems)
        table = tuple(Band(label=label, lowest=low, highest=high) for label, (low, high) in ranges.items())
        return Instrument(
            name=name or stem,
            title=title,
            items=items,
            total=total,
            bands=BandTable(name=band_name, bands=table) if table else None,
            least_answered=least_answered,
            least_ever=least_ever,
            remission=remission,
            relapse=relapse,
            rater=rater,
            recall_days=recall_days,
            subscales=named,
        )

    def _items(self, table: TomlTable) -> tuple[Item, ...]:
        self._only("items", table)
        names = self._words(table, "names", "items")
        range_, ranges = self._pair(table, "range", "items"), self._pairs(table, "ranges", "items")
        reversed_ = self._words(table, "reversed", "items")
        labels = self._table(table, "labels", "items")
        for key, mentioned in (("ranges", ranges), ("reversed", reversed_), ("labels", labels)):
            for name in mentioned:
                if name not in names:
                    self._complain(f"item {name!r}", "one of items.names", _path("items", key), nearest(name, names))
        if range_ is None and not set(names) <= set(ranges):
            self._complain("items without a range", "range = [lowest, highest]", "items")
        return tuple(
            Item(name=name, lowest=low, highest=high, reversed=name in reversed_, label=self._text(labels, name))
            for name in names
            for low, high in [ranges.get(name, range_ or (0, 0))]
        )

    def _only(self, where: str, table: TomlTable) -> None:
        known = _KEYS[where]
        for key in table:
            if key not in known:
                self._complain("unknown key", ", ".join(known), _path(where, key), nearest(key, known))

    def _table(self, parent: TomlTable, key: str, where: str = "") -> TomlTable:
        value = parent.get(key, {})
        if isinstance(value, dict):
            return value
        self._complain(f"{value!r:.40}", "a table", _path(where, key))
        return {}

    def _text(self, table: TomlTable, key: str, where: str = "") -> str:
        value = table.get(key, "")
        if isinstance(value, str):
            return value
        self._complain(f"{value!r:.40}", "a text in quotes", _path(where, key))
        return ""

    def _words(self, table: TomlTable, key: str, where: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            return tuple(value)
        self._complain(f"{value!r:.40}", "a list of texts", _path(where, key))
        return ()

    def _whole(self, table: TomlTable, key: str, where: str = "") -> int | None:
        value = table.get(key)
        if value is None or _is_whole(value):
            return value
        self._complain(f"{value!r:.40}", "a whole number", _path(where, key))
        return None

    def _pair(self, table: TomlTable, key: str, where: str = "") -> tuple[int, int] | None:
        value = table.get(key)
        if value is None:
            return None
        if isinstance(value, list) and len(value) == 2 and all(_is_whole(bound) for bound in value):
            return value[0], value[1]
        self._complain(f"{value!r:.40}", "[lowest, highest], whole numbers", _path(where, key))
        return None

    def _pairs(self, parent: TomlTable, key: str, where: str) -> dict[str, tuple[int, int]]:
        table = self._table(parent, key, where)
        found = {name: self._pair(table, name, _path(where, key)) for name in table}
        return {name: pair for name, pair in found.items() if pair is not None}

    def _complain(self, found: str, expected: str, column: str, advice: str = "") -> None:
        self.problems.append(Problem(found=found, expected=expected, column=column, advice=advice))


def _path(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
