"""The rules of a table: which columns it has, what they mean and which values they may hold."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from harness.cohorts.levels import is_label, number_label
from harness.cohorts.tables import shorter, shown
from harness.errors import Problem

Role = Literal["subject", "time", "outcome", "covariate", "factor", "visit", "protocol"]
Shape = Literal["long", "wide"]

ROLES: tuple[Role, ...] = get_args(Role)
NUMERIC_ROLES = frozenset({"time", "outcome", "covariate"})
"""Columns of these roles hold numbers; all others hold labels."""

LONGEST_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: what it means and which cells it accepts.

    `source` is its name in the file. `range` is inclusive. `missing` lists the codes that stand for a missing value,
    besides a blank cell: a number is compared as a number, a text as the whole cell. `levels` are the labels of a
    factor in their order, the first being the reference; empty means that any label is accepted.
    """

    name: str
    role: Role
    source: str
    unit: str = ""
    range: tuple[float, float] | None = None
    integer: bool = False
    missing: tuple[str | float, ...] = ()
    levels: tuple[str, ...] = ()
    description: str = ""

    @property
    def is_numeric(self) -> bool:
        """Whether the column holds numbers rather than labels."""
        return self.role in NUMERIC_ROLES


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """How the file is written.

    `delimiter` None means the one that the file's suffix implies. `strip` removes spaces around the cells of a text
    file, which otherwise are an error. `missing` are codes that hold for every column.
    """

    delimiter: str | None = None
    decimal: str = "."
    encoding: str = "utf-8"
    sheet: str | None = None
    strip: bool = False
    missing: tuple[str | float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The rules of one table. Columns that it does not name are not read.

    `wide` maps each repeated column to its columns in the file and the time of each; it is empty for a long table,
    which has one row a visit. `sha256` is that of the cohort's canonical values, where the author recorded it.
    """

    name: str
    columns: tuple[Column, ...]
    origin: str = ""
    licence: str = ""
    description: str = ""
    sha256: str = ""
    shape: Shape = "long"
    wide: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    options: FileOptions = field(default_factory=FileOptions)

    def with_role(self, role: Role) -> tuple[Column, ...]:
        """Return the columns of this role, in the schema's order."""
        return tuple(column for column in self.columns if column.role == role)

    @property
    def fixed_columns(self) -> tuple[Column, ...]:
        """The columns that the file holds once; in a wide table neither the repeated ones nor the time."""
        if self.shape == "long":
            return self.columns
        return tuple(column for column in self.columns if column.name not in self.wide and column.role != "time")

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of all columns that are read from the file."""
        repeated = (source for times in self.wide.values() for source in times)
        return (*(column.source for column in self.fixed_columns), *repeated)


def schema_problems(schema: Schema) -> list[Problem]:
    """Return what makes a schema unusable, whether it was written in a file or in Python."""
    problems = [*_role_problems(schema), *_name_problems(schema), *_wide_problems(schema)]
    for column in schema.columns:
        problems += _column_problems(column)
    return problems


def _role_problems(schema: Schema) -> list[Problem]:
    counts = Counter[str](column.role for column in schema.columns)
    problems = [
        Problem(found=f"{counts[role]} columns with the role {role!r}", expected=expected)
        for role, expected, fits in (
            ("subject", "exactly one", counts["subject"] == 1),
            ("time", "at most one", counts["time"] <= 1),
            ("outcome", "at least one", counts["outcome"] >= 1),
            ("visit", "at most one", counts["visit"] <= 1),
            ("protocol", "at most one", counts["protocol"] <= 1),
        )
        if not fits
    ]
    problems += [
        Problem(found=f"role {column.role!r}", expected=f"one of {', '.join(ROLES)}", column=shorter(column.name))
        for column in schema.columns
        if column.role not in ROLES
    ]
    return problems


def _name_problems(schema: Schema) -> list[Problem]:
    problems = [
        Problem(
            found=f"a column name of {len(name)} characters" if len(name) > LONGEST_NAME else f"column name {name!r}",
            expected=f"1 to {LONGEST_NAME} printable characters without spaces around them",
        )
        for name in (column.name for column in schema.columns)
        if not name or len(name) > LONGEST_NAME or not name.isprintable() or name != name.strip()
    ]
    for what, names in (("column", [column.name for column in schema.columns]), ("source column", schema.sources)):
        problems += [
            Problem(found=f"{count} columns of this name", expected=f"each {what} once", column=shorter(name))
            for name, count in Counter(names).items()
            if count > 1
        ]
    return problems


def _column_problems(column: Column) -> list[Problem]:
    def problem(found: str, expected: str) -> Problem:
        return Problem(found=found, expected=expected, column=shorter(column.name))

    problems = []
    if column.is_numeric and column.levels:
        problems.append(problem("`levels`", f"none, because a column with the role {column.role!r} holds numbers"))
    if not column.is_numeric and (column.range is not None or column.integer):
        problems.append(
            problem("`range` or `integer`", f"neither, because a column with the role {column.role!r} holds labels")
        )
    if len(set(column.levels)) < len(column.levels):
        problems.append(problem("a level that is listed twice", "each level once"))
    if column.range is not None:
        low, high = column.range
        if not low < high:
            problems.append(problem(f"range [{low:g}, {high:g}]", "[smallest, largest]"))
        problems += [
            problem(f"missing code {code:g} inside the range [{low:g}, {high:g}]", "a code that no real value can have")
            for code in column.missing
            if not isinstance(code, str) and low <= code <= high
        ]
    problems += [
        problem(f"level {shown(level)}", "a printable text without spaces around it")
        for level in column.levels
        if not is_label(level)
    ]
    problems += [
        problem(f"missing code {code!r} that is also a level", "one or the other")
        for code in column.missing
        if (code if isinstance(code, str) else number_label(code)) in column.levels
    ]
    return problems


def _wide_problems(schema: Schema) -> list[Problem]:
    if schema.shape == "long":
        if not schema.wide:
            return []
        return [Problem(found="`wide` columns in a long table", expected='shape = "wide", or no `wide` columns')]
    problems = []
    if not schema.wide:
        problems.append(Problem(found="a wide table without `[wide.outcomes.<name>]`", expected="at least one"))
    if not schema.with_role("time"):
        problems.append(Problem(found="a wide table without a time column", expected='a column with the role "time"'))
    if schema.with_role("visit"):
        problems.append(Problem(found='role "visit" in a wide table', expected="the time alone to tell visits apart"))
    numeric = {column.name for column in schema.columns if column.role in {"outcome", "covariate"}}
    problems += [
        Problem(
            found="a repeated column that is not declared", expected="an outcome or a covariate", column=shorter(name)
        )
        for name in schema.wide
        if name not in numeric
    ]
    for name, times in schema.wide.items():
        problems += [
            Problem(found=f"{count} columns at time {time:g}", expected="one column a time", column=shorter(name))
            for time, count in Counter(times.values()).items()
            if count > 1
        ]
    return problems
