"""Read Parquet files, SPSS, Stata and SAS files: tables that know the types of their columns."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat

from harness.cohorts.schema import FileOptions
from harness.cohorts.tables import Table, header_problems, shorter
from harness.cohorts.violations import refuse
from harness.errors import Problem

STATISTICS_READERS: Mapping[str, Callable[..., tuple[Any, Any]]] = {
    ".sav": pyreadstat.read_sav,
    ".dta": pyreadstat.read_dta,
    ".sas7bdat": pyreadstat.read_sas7bdat,
    ".xpt": pyreadstat.read_xport,
}


def read_parquet(path: Path, wanted: Sequence[str], options: FileOptions) -> Table:  # noqa: ARG001  # every reader takes options
    """Return the wanted columns of a Parquet file.

    Raises
    ------
    CohortError
        The file is damaged or lacks wanted columns.
    """
    try:
        # The columns wanted are chosen afterwards: Arrow would read a name such as "a.b" as a path into a structure.
        file = pq.ParquetFile(path)
        header = file.schema_arrow.names
        _check(path, header, wanted, file.metadata.num_rows)
        table = file.read()
    except (pa.ArrowException, UnicodeDecodeError) as error:
        refuse(path, [_damaged("Parquet", error)])
    nested = [name for name in wanted if pa.types.is_nested(table.schema.field(name).type)]
    if nested:
        refuse(path, [Problem(found="lists or structures", expected="plain cells", column=shorter(n)) for n in nested])
    columns = {name: table.column(name).to_pylist() for name in wanted}
    return Table(header=header, columns=columns, lines=_lines(table.num_rows), textual=False)


def read_statistics(path: Path, wanted: Sequence[str], options: FileOptions) -> Table:  # noqa: ARG001  # every reader takes options
    """Return the wanted columns of an SPSS, Stata or SAS file; what the file declares missing is missing.

    Value labels are kept beside the codes, to become the levels of factors.

    Raises
    ------
    CohortError
        The file is damaged or lacks wanted columns.
    """
    reader = STATISTICS_READERS[path.suffix.lower()]
    path.open("rb").close()  # a missing or forbidden file raises OSError, as for the other formats
    try:
        _, about = reader(path, metadataonly=True)
        header = about.column_names
        _check(path, header, wanted, about.number_rows)
        columns, about = reader(path, usecols=list(wanted), output_format="dict")
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError) as error:
        refuse(path, [_damaged(path.suffix.lower(), error)])
    cells = {name: list(columns[name]) for name in wanted}
    n_rows = len(cells[wanted[0]])
    if n_rows == 0:
        refuse(path, [Problem(found="a header without rows", expected="at least one row")])
    return Table(
        header=header, columns=cells, lines=_lines(n_rows), textual=False, value_labels=about.variable_value_labels
    )


def _check(path: Path, header: Sequence[str], wanted: Sequence[str], n_rows: int | None) -> None:
    problems = header_problems(header, wanted)
    if n_rows == 0:
        problems.append(Problem(found="a header without rows", expected="at least one row"))
    if problems:
        refuse(path, problems)


def _damaged(what: str, error: Exception) -> Problem:
    return Problem(found=f"a damaged file ({str(error)[:120]})", expected=f"a file in the format {what}")


def _lines(n_rows: int) -> range:
    """Return line numbers as if the table stood in a text file below its header."""
    return range(2, n_rows + 2)
