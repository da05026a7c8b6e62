"""Take a mapping out of a parsed TOML document, value by value."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from harness.cohorts.tables import shown
from harness.cohorts.toml_lines import Keys
from harness.cohorts.toml_values import TomlTable, TomlValues
from harness.errors import ScoringError, nearest
from harness.importing.mapping import (
    DIFFERING,
    REPAIRS,
    RESOLVERS,
    SHAPES,
    TIES,
    TIME_AXES,
    UNDATED,
    Companion,
    Covariate,
    Dating,
    ImportMapping,
    Place,
    Protocol,
    Score,
    TableFile,
    Visit,
)
from harness.scoring import Instrument, read_instrument
from harness.scoring.built_in import BUILT_IN

IMPORT_KEYS = (
    *("name", "shape", "subject", "visit", "other_events", "protocol", "missing", "repairs", "duplicates", "accept"),
    *("time", "start_year", "confirmed", "file", "dating", "visits", "protocols", "scores", "covariates", "companion"),
)
FILE_KEYS = ("encoding", "delimiter", "decimal", "sheet", "header")
DATING_KEYS = ("date", "date_format", "infusion_date", "day", "undated", "planned")
VISIT_KEYS = ("named", "infusion", "follow_up", "screening", "day")
PROTOCOL_KEYS = ("named", "infusions")
SCORE_KEYS = ("instrument", "total", "items", "range", "integer", "missing", "differing", "prorate")
COVARIATE_KEYS = ("source", "levels", "range", "integer", "missing", "changes", "top_code", "unit")
COMPANION_KEYS = ("subject", "date", "date_format", "within_days", "ties", "scores", "file")

_Word = TypeVar("_Word", bound=str)


class MappingReader(TomlValues):
    """Builds a mapping of what is written, and remembers what does not fit; `folder` is where files of scales lie."""

    def __init__(self, source: str, folder: Path) -> None:
        super().__init__(source)
        self.folder = folder

    def mapping(self, table: TomlTable, name: str) -> ImportMapping:
        """Return the mapping of an `[import]` table."""
        where = ("import",)
        self.only(table, IMPORT_KEYS, where)
        visits, protocols = self.table(table, "visits", where), self.table(table, "protocols", where)
        covariates = self.table(table, "covariates", where)
        return ImportMapping(
            name=self.text(table, "name", where) or name,
            shape=self._one(table, "shape", where, SHAPES, "long"),
            subject=self.text(table, "subject", where, required=True),
            visit=self.text(table, "visit", where),
            other_events=self._words(table, "other_events", where),
            protocol=self.text(table, "protocol", where),
            visits=tuple(self._visit(visits, key, (*where, "visits")) for key in visits),
            protocols=tuple(self._protocol(protocols, key, (*where, "protocols")) for key in protocols),
            scores=self._scores(table, where),
            covariates=tuple(self._covariate(covariates, key, (*where, "covariates")) for key in covariates),
            dating=self._dating(self.table(table, "dating", where), (*where, "dating")),
            companion=self._companion(table, where) if "companion" in table else None,
            file=self._file(table, where),
            missing=self.codes(table, where),
            repairs=tuple(self._known(table, "repairs", where, REPAIRS)),
            duplicates=self._one(table, "duplicates", where, RESOLVERS, "error"),
            accept=tuple(self.texts(table, "accept", where)),
            time=self._one(table, "time", where, TIME_AXES, "week"),
            start_year=self.flag(table, "start_year", where),
            confirmed=self.flag(table, "confirmed", where, default=True),
        )

    def _file(self, parent: TomlTable, where: Keys) -> TableFile:
        table, where = self.table(parent, "file", where), (*where, "file")
        self.only(table, FILE_KEYS, where)
        delimiter, decimal = self.text(table, "delimiter", where), self.text(table, "decimal", where)
        if delimiter and (len(delimiter) != 1 or delimiter in '"\r\n'):
            self.complain(where, "delimiter", f"delimiter {shown(delimiter)}", "one character, such as ',' or ';'")
        if decimal not in {"", ".", ","}:
            self.complain(where, "decimal", f"decimal {shown(decimal)}", "'.' or ','")
        return TableFile(
            encoding=self.text(table, "encoding", where) or None,
            delimiter=delimiter or None,
            decimal=decimal or None,
            sheet=self.text(table, "sheet", where) or None,
            header=self.count(table, "header", where) or 1,
        )

    def _dating(self, table: TomlTable, where: Keys) -> Dating:
        self.only(table, DATING_KEYS, where)
        return Dating(
            date=self._place(table, "date", where),
            date_format=self.text(table, "date_format", where) or None,
            infusion_date=self._place(table, "infusion_date", where),
            day=self._place(table, "day", where),
            undated=self._one(table, "undated", where, UNDATED, "error"),
            planned=self.flag(table, "planned", where),
        )

    def _visit(self, visits: TomlTable, name: str, where: Keys) -> Visit:
        table, where = self.table(visits, name, where), (*where, name)
        self.only(table, VISIT_KEYS, where)
        return Visit(
            name=name,
            named=self._words(table, "named", where),
            infusion=self.count(table, "infusion", where),
            follow_up=self.bounds(table, where, "follow_up"),
            screening=self.flag(table, "screening", where),
            day=self.number(table, "day", where),
        )

    def _protocol(self, protocols: TomlTable, name: str, where: Keys) -> Protocol:
        table, where = self.table(protocols, name, where), (*where, name)
        self.only(table, PROTOCOL_KEYS, where)
        return Protocol(
            name=name, named=self._words(table, "named", where), infusions=self.count(table, "infusions", where)
        )

    def _scores(self, parent: TomlTable, where: Keys) -> tuple[Score, ...]:
        tables, where = self.table(parent, "scores", where), (*where, "scores")
        return tuple(self._score(self.table(tables, name, where), name, (*where, name)) for name in tables)

    def _score(self, table: TomlTable, name: str, where: Keys) -> Score:
        self.only(table, SCORE_KEYS, where)
        scale = self._scale(table, name, where)
        return Score(
            name=name,
            scale=scale,
            total=self._place(table, "total", where),
            items=self._items(table, scale, where),
            range=self.bounds(table, where),
            integer=self.flag(table, "integer", where, default=True),
            missing=self.codes(table, where),
            differing=self._one(table, "differing", where, DIFFERING, "error"),
            prorate=self.flag(table, "prorate", where),
        )

    def _covariate(self, covariates: TomlTable, name: str, where: Keys) -> Covariate:
        table, where = self.table(covariates, name, where), (*where, name)
        self.only(table, COVARIATE_KEYS, where)
        levels = self.table(table, "levels", where)
        return Covariate(
            name=name,
            source=self._place(table, "source", where) or name,
            levels={level: self._words(levels, level, (*where, "levels")) for level in levels},
            range=self.bounds(table, where),
            integer=self.flag(table, "integer", where),
            missing=self.codes(table, where),
            changes=self.flag(table, "changes", where),
            top_code=self.number(table, "top_code", where),
            unit=self.text(table, "unit", where),
        )

    def _companion(self, parent: TomlTable, where: Keys) -> Companion:
        table, where = self.table(parent, "companion", where), (*where, "companion")
        self.only(table, COMPANION_KEYS, where)
        within = self.number(table, "within_days", where)
        if within is None:
            self.complain(where, "within_days", "no largest gap", "within_days, such as 2")
        return Companion(
            subject=self.text(table, "subject", where, required=True),
            date=self.text(table, "date", where, required=True),
            date_format=self.text(table, "date_format", where) or None,
            within_days=within or 0.0,
            ties=self._one(table, "ties", where, TIES, "error"),
            scores=self._scores(table, where),
            file=self._file(table, where),
        )

    def _scale(self, table: TomlTable, name: str, where: Keys) -> Instrument | None:
        """Return the scale that `instrument` names, or the score's own name: a built-in one, or that of a file."""
        word = self.text(table, "instrument", where)
        if word.endswith(".toml"):
            try:
                return read_instrument(self.folder / word)
            except ScoringError as error:
                self.problems += error.problems
                return None
        scale = BUILT_IN.get(word or name)
        if word and scale is None:
            known = f"{' or '.join(BUILT_IN)}, or the TOML file of a scale"
            self.complain(where, "instrument", f"instrument {shown(word)}", known, nearest(word, BUILT_IN))
        return scale

    def _items(self, table: TomlTable, scale: Instrument | None, where: Keys) -> tuple[str, ...]:
        """Return the columns of the items: those listed, or a template with `{item}` or `{item:02}` for each number."""
        pattern = table.get("items")
        if not isinstance(pattern, str):
            return tuple(self.texts(table, "items", where))
        if scale is None or ("{item}" not in pattern and "{item:02}" not in pattern):
            self.complain(where, "items", f"items {shown(pattern)}", "a list of columns, or a known scale and {item}")
            return ()
        numbers = range(1, len(scale.items) + 1)
        return tuple(pattern.replace("{item}", f"{k}").replace("{item:02}", f"{k:02}") for k in numbers)

    def _place(self, table: TomlTable, key: str, where: Keys) -> Place | None:
        """Return a column, or the column of each visit."""
        value = table.get(key)
        if isinstance(value, Mapping):
            return {visit: self.text(value, visit, (*where, key)) for visit in value}
        return self.text(table, key, where) or None

    def _words(self, table: TomlTable, key: str, where: Keys) -> tuple[str, ...]:
        """Return one word or several."""
        if isinstance(table.get(key), list):
            return tuple(self.texts(table, key, where))
        word = self.text(table, key, where)
        return (word,) if word else ()

    def _one(self, table: TomlTable, key: str, where: Keys, known: Sequence[_Word], default: _Word) -> _Word:
        word = self.choice(table, key, where, known, default)
        return next(entry for entry in known if entry == word)

    def _known(self, table: TomlTable, key: str, where: Keys, known: Sequence[_Word]) -> list[_Word]:
        words = self.texts(table, key, where)
        for word in words:
            if word not in known:
                self.complain(where, key, f"{key} names {shown(word)}", f"some of {', '.join(known)}")
        return [entry for entry in known if entry in words]
