"""Read a schema from its TOML file.

::

    [cohort]
    name = "beat_the_blues"                 # all keys are optional; the name is otherwise that of the file
    origin = "..."                          # and `licence`, `description`, `sha256` of the canonical values
    shape = "wide"                          # "long" (one row a visit) unless said otherwise

    [file]                                  # optional
    delimiter = ";"                         # else by suffix: "," for .csv, tab for .tsv
    decimal = ","
    encoding = "latin-1"                    # else UTF-8
    sheet = "Visits"                        # of a workbook
    strip = true                            # remove spaces around cells
    missing = ["NA", -9]                    # codes of missing values, in every column; blank cells always are

    [columns.subject]
    role = "subject"                        # or time, outcome, covariate (numbers); factor, visit, protocol (labels)
    source = "record_id"                    # the column's name in the file, if it differs

    [columns.month]
    role = "time"
    unit = "months"

    [columns.bdi]
    role = "outcome"
    unit = "points"
    range = [0, 63]
    integer = true
    missing = [99]

    [columns.treatment]
    role = "factor"
    levels = ["TAU", "BtheB"]               # in this order; the first is the reference

    [wide.outcomes.bdi]                     # wide tables only: the column at each time
    "bdi.pre" = 0
    "bdi.2m" = 2
"""

import codecs
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeGuard

from harness.cohorts.schema import ROLES, Column, FileOptions, Role, Schema, Shape, schema_problems
from harness.cohorts.tables import shown
from harness.cohorts.toml_lines import Keys, line_of
from harness.errors import CohortError, Problem, nearest

TomlTable = Mapping[str, object]

TABLE_KEYS = ("cohort", "file", "columns", "wide")
COHORT_KEYS = ("name", "origin", "licence", "description", "sha256", "shape")
FILE_KEYS = ("delimiter", "decimal", "encoding", "sheet", "strip", "missing")
COLUMN_KEYS = ("role", "source", "unit", "range", "integer", "missing", "levels", "description")


def read_schema(path: Path | str, also: Sequence[str] = ()) -> Schema:
    """Return the schema that a TOML file states; the module's docstring shows the format.

    `also` names further keys at the top of the file that belong to someone else, such as "model".

    Raises
    ------
    CohortError
        The file can't be read, is no TOML, or states rules that contradict each other; all problems are listed.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8")
        document = tomllib.loads(text)
    except OSError as error:
        raise CohortError(str(path), [Problem(found=f"{error.strerror}", expected="a schema in TOML")]) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise CohortError(str(path), [Problem(found="not UTF-8", expected="a schema in UTF-8", line=line)]) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CohortError(str(path), [Problem(found=f"{error}", expected="TOML")]) from None
    reader = _Reader(text)
    schema = reader.schema({key: value for key, value in document.items() if key not in also}, path.stem)
    problems = reader.problems or [_placed(problem, text) for problem in schema_problems(schema)]
    if problems:
        raise CohortError(str(path), problems)
    return schema


class _Reader:
    """Takes values out of the document and remembers everything that has the wrong type or name."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.problems: list[Problem] = []

    def schema(self, document: TomlTable, stem: str) -> Schema:
        self._only(document, TABLE_KEYS, ())
        cohort, columns = self._table(document, "cohort", ()), self._table(document, "columns", ())
        wide = self._table(document, "wide", ())
        self._only(cohort, COHORT_KEYS, ("cohort",))
        self._only(wide, ("outcomes",), ("wide",))
        options = self._options(self._table(document, "file", ()))
        return Schema(
            name=self._text(cohort, "name", ("cohort",)) or stem,
            origin=self._text(cohort, "origin", ("cohort",)),
            licence=self._text(cohort, "licence", ("cohort",)),
            description=self._text(cohort, "description", ("cohort",)),
            sha256=self._text(cohort, "sha256", ("cohort",)),
            shape=self._shape(cohort),
            columns=tuple(self._column(name, self._table(columns, name, ("columns",)), options) for name in columns),
            wide={
                name: self._times(self._table(outcomes, name, ("wide", "outcomes")), name)
                for outcomes in [self._table(wide, "outcomes", ("wide",))]
                for name in outcomes
            },
            options=options,
        )

    def _column(self, name: str, table: TomlTable, options: FileOptions) -> Column:
        where = ("columns", name)
        self._only(table, COLUMN_KEYS, where)
        return Column(
            name=name,
            role=self._role(table, where),
            source=self._text(table, "source", where) or name,
            unit=self._text(table, "unit", where),
            range=self._range(table, where),
            integer=self._flag(table, "integer", where),
            missing=(*options.missing, *self._codes(table, where)),
            levels=tuple(self._texts(table, "levels", where)),
            description=self._text(table, "description", where),
        )

    def _options(self, table: TomlTable) -> FileOptions:
        where = ("file",)
        self._only(table, FILE_KEYS, where)
        delimiter = self._text(table, "delimiter", where)
        decimal = self._text(table, "decimal", where) or "."
        encoding = self._text(table, "encoding", where) or "utf-8"
        if delimiter and (len(delimiter) != 1 or delimiter in '"\r\n'):
            self._complain(where, "delimiter", f"delimiter {shown(delimiter)}", "one character, such as ',' or ';'")
        if decimal not in {".", ","}:
            self._complain(where, "decimal", f"decimal {shown(decimal)}", "'.' or ','")
        if not _is_text_encoding(encoding):
            self._complain(
                where, "encoding", f"encoding {shown(encoding)}", "a known one, such as 'utf-8' or 'latin-1'"
            )
        return FileOptions(
            delimiter=delimiter or None,
            decimal=decimal,
            encoding=encoding,
            sheet=self._text(table, "sheet", where) or None,
            strip=self._flag(table, "strip", where),
            missing=self._codes(table, where),
        )

    def _times(self, table: TomlTable, name: str) -> Mapping[str, float]:
        where = ("wide", "outcomes", name)
        times = {}
        for source, time in table.items():
            if _is_number(time):
                times[source] = float(time)
            else:
                self._complain(where, source, f"time {shown(time)}", "a number")
        return times

    def _role(self, table: TomlTable, where: Keys) -> Role:
        text = self._text(table, "role", where, required=True)
        for role in ROLES:
            if text == role:
                return role
        if text:
            self._complain(where, "role", f"role {shown(text)}", f"one of {', '.join(ROLES)}", nearest(text, ROLES))
        return "covariate"

    def _shape(self, cohort: TomlTable) -> Shape:
        shape = self._text(cohort, "shape", ("cohort",)) or "long"
        if shape not in {"long", "wide"}:
            self._complain(("cohort",), "shape", f"shape {shown(shape)}", "'long' or 'wide'")
        return "wide" if shape == "wide" else "long"

    def _range(self, table: TomlTable, where: Keys) -> tuple[float, float] | None:
        value = table.get("range")
        if value is None:
            return None
        if isinstance(value, list) and len(value) == 2 and all(_is_number(bound) for bound in value):
            return float(value[0]), float(value[1])
        self._complain(where, "range", f"range {shown(value)}", "[smallest, largest]")
        return None

    def _codes(self, table: TomlTable, where: Keys) -> tuple[str | float, ...]:
        values = table.get("missing", [])
        if isinstance(values, list) and all(isinstance(code, str) or _is_number(code) for code in values):
            return tuple(code if isinstance(code, str) else float(code) for code in values)
        self._complain(where, "missing", f"missing {shown(values)}", 'a list of numbers and texts, such as [-9, "NA"]')
        return ()

    def _texts(self, table: TomlTable, key: str, where: Keys) -> list[str]:
        values = table.get(key, [])
        if isinstance(values, list) and all(isinstance(value, str) for value in values):
            return values
        self._complain(where, key, f"{key} {shown(values)}", 'a list of texts, such as ["four", "six"]')
        return []

    def _text(self, table: TomlTable, key: str, where: Keys, *, required: bool = False) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            self._complain(where, key, f"{key} = {shown(value)}", "a text in quotes")
            return ""
        if required and not value and table:
            self._complain(where, None, f"no `{key}` in [{'.'.join(where)}]", "one")
        return value

    def _flag(self, table: TomlTable, key: str, where: Keys) -> bool:
        value = table.get(key, False)
        if isinstance(value, bool):
            return value
        self._complain(where, key, f"{key} = {shown(value)}", "true or false")
        return False

    def _table(self, parent: TomlTable, key: str, where: Keys) -> TomlTable:
        value = parent.get(key, {})
        if isinstance(value, dict):
            if not value and where == ("columns",):
                self._complain((*where, key), None, "a column without `role`", f"one of {', '.join(ROLES)}")
            return value
        self._complain(where, key, f"{key} = {shown(value)}", "a table")
        return {}

    def _only(self, table: TomlTable, known: tuple[str, ...], where: Keys) -> None:
        for key in table:
            if key not in known:
                place = f"in [{'.'.join(where)}]" if where else "at the top"
                self._complain(where, key, f"unknown key {shown(key)} {place}", ", ".join(known), nearest(key, known))

    def _complain(self, where: Keys, key: str | None, found: str, expected: str, advice: str = "") -> None:
        line = line_of(self.text, where, key)
        self.problems.append(Problem(found=found, expected=expected, line=line, advice=advice))


def _placed(problem: Problem, text: str) -> Problem:
    if problem.column is None:
        return problem
    line = line_of(text, ("columns", problem.column)) or line_of(text, ("wide", "outcomes", problem.column))
    return replace(problem, line=line)


def _is_number(value: object) -> TypeGuard[int | float]:
    # TOML integers have no largest; one that no double holds is no number here.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _is_text_encoding(name: str) -> bool:
    try:
        codecs.lookup(name)
        b"a".decode(name)
    except (LookupError, ValueError):
        return False
    return True
