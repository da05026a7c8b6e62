"""Read a cohort: table, cells, long form, checks, values."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from harness.arrays import read_only
from harness.cohorts.cells import Cells, convert
from harness.cohorts.checks import long_key_problems, outcome_problems, wide_key_problems
from harness.cohorts.cohort import Cohort
from harness.cohorts.columnar import STATISTICS_READERS, read_parquet, read_statistics
from harness.cohorts.delimited import read_delimited
from harness.cohorts.levels import factor
from harness.cohorts.reshape import to_long
from harness.cohorts.schema import FileOptions, Schema, schema_problems
from harness.cohorts.schema_file import read_schema
from harness.cohorts.tables import Table
from harness.cohorts.violations import refuse
from harness.cohorts.workbook import read_workbook
from harness.errors import CohortError, Problem

Reader = Callable[[Path, Sequence[str], FileOptions], Table]

READERS: Mapping[str, Reader] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".tab": read_delimited,
    ".parquet": read_parquet,
    ".xlsx": read_workbook,
    **dict.fromkeys(STATISTICS_READERS, read_statistics),
}


def read_cohort(path: Path | str, schema: Schema | Path | str) -> Cohort:
    """Return the cohort in a table, read by the rules of a schema.

    The format follows from the file's suffix: .csv, .tsv, .tab (text), .parquet, .xlsx, .sav (SPSS), .dta (Stata),
    .sas7bdat and .xpt (SAS). Columns that the schema does not name are not read. A blank cell is missing, and so is
    what the schema or the file itself declares to be; nothing else is. No value is changed: text is no number, spaces
    are no blank, a code outside its range is no missing value. Labels of a factor without declared levels are sorted.

    Raises
    ------
    CohortError
        Anything does not fit: all violations are listed (the first 50 by line, the others counted), with their lines
        and columns. Messages show the offending cell alone.
    """
    path = Path(path)
    rules = schema if isinstance(schema, Schema) else read_schema(schema)
    if problems := schema_problems(rules):
        raise CohortError(f"schema {rules.name!r}", problems)
    table = _read_table(path, rules)
    cells, lines, problems = _long_columns(table, rules)
    problems += outcome_problems(rules, cells, lines)
    if problems:
        refuse(path, problems)
    return _cohort(rules, cells)


def _read_table(path: Path, rules: Schema) -> Table:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        refuse(path, [Problem(found=f"suffix {path.suffix!r}", expected=f"one of {', '.join(READERS)}")])
    try:
        return reader(path, rules.sources, rules.options)
    except OSError as error:
        reason = error.strerror or str(error)
        refuse(path, [Problem(found=reason, expected="a file that can be read")])


def _long_columns(table: Table, rules: Schema) -> tuple[dict[str, Cells], Sequence[int], list[Problem]]:
    decimal = rules.options.decimal
    fixed = [convert(table, column.source, column, decimal) for column in rules.fixed_columns]
    problems = [problem for cells in fixed for problem in cells.problems]
    if rules.shape == "long":
        problems += long_key_problems(fixed, table.lines)
        return {cells.column.name: cells for cells in fixed}, table.lines, problems
    declared = {column.name: column for column in rules.columns}
    repeated = {
        name: {time: convert(table, source, declared[name], decimal) for source, time in times.items()}
        for name, times in rules.wide.items()
    }
    problems += [problem for at in repeated.values() for cells in at.values() for problem in cells.problems]
    (subject,) = (cells for cells in fixed if cells.column.role == "subject")
    problems += wide_key_problems(subject, table.lines)
    (time,) = rules.with_role("time")
    long = to_long(fixed, repeated, time, len(table.lines))
    lines = np.repeat(np.asarray(table.lines), len(long[0].unfit) // len(table.lines)).tolist()
    return {cells.column.name: cells for cells in long}, lines, problems


def _cohort(rules: Schema, columns: Mapping[str, Cells]) -> Cohort:
    numeric, factors = {}, {}
    for column in rules.columns:
        cells = columns[column.name]
        if column.is_numeric:
            numeric[column.name] = read_only(cells.numbers)
        else:
            factors[column.name] = factor(cells.labels, column.levels)
    (subject,) = rules.with_role("subject")
    return Cohort(
        name=rules.name,
        subject=subject.name,
        time=next((column.name for column in rules.with_role("time")), None),
        numeric=numeric,
        factors=factors,
        units={column.name: column.unit for column in rules.columns if column.unit},
    )
