"""Another form of the same table: rows and columns in another order, another encoding, other line ends."""

import csv
import io
import random
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from harness.cases import Case
from harness.cohorts import read_cohort, read_schema
from harness.cohorts.cohort import Cohort
from harness.cohorts.fixtures import fixture_names
from harness.cohorts.subset import keep_levels
from harness.engines import solve
from harness.gbtm.spec import GbtmSpec
from harness.lmm.spec import LmmSpec
from harness.locations import fixtures_folder
from harness.selftest.pinned import Pinned
from harness.selftest.remembering import remembering

Rows = list[list[str]]
"""The header and the rows of a table, as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableChange:
    """A form of a table that holds the same data."""

    name: str
    sentence: str
    rows: Callable[[Rows], Rows]
    encoding: str = "utf-8"
    written: str = "utf-8"
    line_end: str = "\n"
    quoting: int = csv.QUOTE_MINIMAL


def sort_of(case: Case) -> tuple[str, str]:
    """Return cohort and engine of a case: what reads a table and orders its rows differs by these alone."""
    spec = case.spec
    if isinstance(spec, GbtmSpec):
        kind = "gbtm"
    elif isinstance(spec, LmmSpec):
        kind = "residual structure" if spec.formula.residual else f"{len(spec.formula.random)} random terms"
    else:
        kind = type(spec).__name__
    return case.cohort.name, kind


def one_of_each_sort(cases: Sequence[Case]) -> frozenset[str]:
    """Return the names of cases, one of each fixture cohort and engine; a counterexample has no table of its own."""
    tables = fixture_names()
    return frozenset({sort_of(case): case.name for case in cases if case.cohort.name in tables}.values())


def with_table(pinned: Sequence[Pinned], change: TableChange) -> Case:
    """Return the case of these pins, read from a table in another form."""
    case = pinned[0].case
    folder = fixtures_folder()
    schema = read_schema(folder / "cohorts" / f"{case.cohort.name}.toml")
    schema = replace(schema, options=replace(schema.options, encoding=change.encoding))
    original = (folder / "cohorts" / f"{case.cohort.name}.csv").read_text(encoding="utf-8")
    with TemporaryDirectory() as name:
        path = Path(name) / "table.csv"
        path.write_bytes(_text(change, original).encode(change.written))
        cohort = read_cohort(path, schema)
    keep = tomllib.loads((folder / "cases" / f"{case.name}.toml").read_text(encoding="utf-8")).get("keep", {})
    return replace(case, cohort=keep_levels(cohort, keep))


def refitted(pinned: Sequence[Pinned], case: Case) -> tuple[Pinned, ...]:
    """Return the pins with our fit of the case; the fit that is there already where the arrays are the same."""
    before = pinned[0]
    ours = before.ours if _same_arrays(before.case.cohort, case.cohort) else remembering(solve(case))
    return tuple(replace(each, case=ours.case if ours is not before.ours else case, ours=ours) for each in pinned)


def _text(change: TableChange, original: str) -> str:
    rows = change.rows(list(csv.reader(io.StringIO(original))))
    text = io.StringIO()
    csv.writer(text, lineterminator=change.line_end, quoting=change.quoting).writerows(rows)  # type: ignore[arg-type]
    return text.getvalue()


def _same_arrays(a: Cohort, b: Cohort) -> bool:
    same = a.numeric.keys() == b.numeric.keys() and a.factors.keys() == b.factors.keys()
    return (
        same
        and all(np.array_equal(a.numeric[name], b.numeric[name], equal_nan=True) for name in a.numeric)
        and all(
            a.factors[name].levels == b.factors[name].levels
            and np.array_equal(a.factors[name].codes, b.factors[name].codes)
            for name in a.factors
        )
    )


def _as_they_are(rows: Rows) -> Rows:
    return rows


def _rows_shuffled(rows: Rows) -> Rows:
    body = rows[1:]
    random.Random(1).shuffle(body)  # noqa: S311  # an order, not a secret
    return [rows[0], *body]


def _columns_shuffled(rows: Rows) -> Rows:
    places = list(range(len(rows[0])))
    random.Random(1).shuffle(places)  # noqa: S311
    return [[row[place] for place in places] for row in rows]


TABLE_CHANGES: tuple[TableChange, ...] = (
    TableChange(name="rows shuffled", sentence="The rows of the table are in another order.", rows=_rows_shuffled),
    TableChange(
        name="columns shuffled", sentence="The columns of the table are in another order.", rows=_columns_shuffled
    ),
    TableChange(
        name="byte-order mark",
        sentence="The table begins with a byte-order mark.",
        rows=_as_they_are,
        written="utf-8-sig",
    ),
    TableChange(
        name="UTF-16",
        sentence="The table is in UTF-16, and its schema says so.",
        rows=_as_they_are,
        encoding="utf-16",
        written="utf-16",
    ),
    TableChange(
        name="Windows line ends",
        sentence="Lines end as on Windows, and every cell is in quotes.",
        rows=_as_they_are,
        line_end="\r\n",
        quoting=csv.QUOTE_ALL,
    ),
)
"""What is tried on one case of each cohort and engine."""
