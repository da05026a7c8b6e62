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
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.cohorts.schema import ROLES, Column, FileOptions, Role, Schema, Shape, schema_problems
from harness.cohorts.tables import shown
from harness.cohorts.toml_lines import Keys, line_of
from harness.cohorts.toml_values import TomlTable, TomlValues, is_number
from harness.errors import CohortError, Problem, nearest

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


class _Reader(TomlValues):
    """Builds a schema."""

    def schema(self, document: TomlTable, stem: str) -> Schema:
        self.only(document, TABLE_KEYS, ())
        cohort, columns = self.table(document, "cohort", ()), self.table(document, "columns", ())
        for name in (name for name, table in columns.items() if table == {}):
            self.complain(("columns", name), None, "a column without `role`", f"one of {', '.join(ROLES)}")
        wide = self.table(document, "wide", ())
        self.only(cohort, COHORT_KEYS, ("cohort",))
        self.only(wide, ("outcomes",), ("wide",))
        options = self._options(self.table(document, "file", ()))
        return Schema(
            name=self.text(cohort, "name", ("cohort",)) or stem,
            origin=self.text(cohort, "origin", ("cohort",)),
            licence=self.text(cohort, "licence", ("cohort",)),
            description=self.text(cohort, "description", ("cohort",)),
            sha256=self.text(cohort, "sha256", ("cohort",)),
            shape=self._shape(cohort),
            columns=tuple(self._column(name, self.table(columns, name, ("columns",)), options) for name in columns),
            wide={
                name: self._times(self.table(outcomes, name, ("wide", "outcomes")), name)
                for outcomes in [self.table(wide, "outcomes", ("wide",))]
                for name in outcomes
            },
            options=options,
        )

    def _column(self, name: str, table: TomlTable, options: FileOptions) -> Column:
        where = ("columns", name)
        self.only(table, COLUMN_KEYS, where)
        return Column(
            name=name,
            role=self._role(table, where),
            source=self.text(table, "source", where) or name,
            unit=self.text(table, "unit", where),
            range=self.bounds(table, where),
            integer=self.flag(table, "integer", where),
            missing=(*options.missing, *self.codes(table, where)),
            levels=tuple(self.texts(table, "levels", where)),
            description=self.text(table, "description", where),
        )

    def _options(self, table: TomlTable) -> FileOptions:
        where = ("file",)
        self.only(table, FILE_KEYS, where)
        delimiter = self.text(table, "delimiter", where)
        decimal = self.text(table, "decimal", where) or "."
        encoding = self.text(table, "encoding", where) or "utf-8"
        if delimiter and (len(delimiter) != 1 or delimiter in '"\r\n'):
            self.complain(where, "delimiter", f"delimiter {shown(delimiter)}", "one character, such as ',' or ';'")
        if decimal not in {".", ","}:
            self.complain(where, "decimal", f"decimal {shown(decimal)}", "'.' or ','")
        if not _is_text_encoding(encoding):
            self.complain(where, "encoding", f"encoding {shown(encoding)}", "a known one, such as 'utf-8' or 'latin-1'")
        return FileOptions(
            delimiter=delimiter or None,
            decimal=decimal,
            encoding=encoding,
            sheet=self.text(table, "sheet", where) or None,
            strip=self.flag(table, "strip", where),
            missing=self.codes(table, where),
        )

    def _times(self, table: TomlTable, name: str) -> Mapping[str, float]:
        where = ("wide", "outcomes", name)
        times = {}
        for source, time in table.items():
            if is_number(time):
                times[source] = float(time)
            else:
                self.complain(where, source, f"time {shown(time)}", "a number")
        return times

    def _role(self, table: TomlTable, where: Keys) -> Role:
        text = self.text(table, "role", where, required=True)
        for role in ROLES:
            if text == role:
                return role
        if text:
            self.complain(where, "role", f"role {shown(text)}", f"one of {', '.join(ROLES)}", nearest(text, ROLES))
        return "covariate"

    def _shape(self, cohort: TomlTable) -> Shape:
        shape = self.text(cohort, "shape", ("cohort",)) or "long"
        if shape not in {"long", "wide"}:
            self.complain(("cohort",), "shape", f"shape {shown(shape)}", "'long' or 'wide'")
        return "wide" if shape == "wide" else "long"


def _placed(problem: Problem, text: str) -> Problem:
    if problem.column is None:
        return problem
    line = line_of(text, ("columns", problem.column)) or line_of(text, ("wide", "outcomes", problem.column))
    return replace(problem, line=line)


def _is_text_encoding(name: str) -> bool:
    try:
        codecs.lookup(name)
        b"a".decode(name)
    except (LookupError, ValueError):
        return False
    return True
