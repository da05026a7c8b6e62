"""Read one sheet of an Excel workbook."""

import warnings
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from harness.cohorts.schema import FileOptions
from harness.cohorts.tables import Table, header_problems, shorter, shown
from harness.cohorts.violations import refuse
from harness.errors import Problem

DAMAGE = (zipfile.BadZipFile, zlib.error, InvalidFileException, ParseError, KeyError, ValueError, TypeError, EOFError)
"""What openpyxl raises for a damaged workbook, depending on where the damage is."""

Rows = list[tuple[object, ...]]


def read_workbook(path: Path, wanted: Sequence[str], options: FileOptions) -> Table:
    """Return the wanted columns of a sheet whose first row is the header; empty rows are skipped.

    Raises
    ------
    CohortError
        The file is damaged, its sheet isn't clear, it lacks wanted columns, or a formula has no stored value.
    """
    rows = sheet_rows(path, options.sheet, values=True)
    if not rows:
        refuse(path, [Problem(found="an empty sheet", expected="a header and at least one row")])
    header = ["" if cell is None else str(cell) for cell in rows[0]]
    problems = header_problems(header, wanted)
    filled = [place for place in range(1, len(rows)) if any(cell is not None for cell in rows[place])]
    if not filled:
        problems.append(Problem(found="a header without rows", expected="at least one row"))
    if problems:
        refuse(path, problems)
    columns = {name: [_cell(rows[place], header.index(name)) for place in filled] for name in wanted}
    _check_formulas(path, options.sheet, header, columns, filled)
    return Table(header=header, columns=columns, lines=[place + 1 for place in filled], textual=False)


def sheet_rows(path: Path, sheet: str | None, *, values: bool, section: str = "[file]") -> Rows:
    """Return all rows of the sheet, with the values of formulas or with the formulas themselves.

    `section` is where the sheet can be named, for messages.
    """
    with path.open("rb") as stream, warnings.catch_warnings():
        # openpyxl warns of styles and validations that it doesn't know; cells are not touched by these.
        warnings.simplefilter("ignore", UserWarning)
        try:
            book = load_workbook(stream, read_only=True, data_only=values)
            names = book.sheetnames
            if sheet is None and len(names) > 1:
                refuse(path, [_unclear(f"{len(names)} sheets", names, section)])
            if sheet is not None and sheet not in names:
                refuse(path, [_unclear(f"no sheet {sheet!r}", names, section)])
            return [tuple(row) for row in book[sheet or names[0]].iter_rows(values_only=True)]
        except DAMAGE as error:
            refuse(path, [Problem(found=f"a damaged file ({str(error)[:120]})", expected="an Excel workbook (.xlsx)")])


def _unclear(found: str, names: Sequence[str], section: str) -> Problem:
    listed = ", ".join(map(shown, names[:10]))
    return Problem(found=found, expected=f"one of the sheets {listed}", advice=f"Set sheet under {section}.")


def _check_formulas(
    path: Path, sheet: str | None, header: Sequence[str], columns: dict[str, list[object]], filled: Sequence[int]
) -> None:
    """Refuse formulas without a stored value, which would pass as missing values."""
    if all(cell is not None for cells in columns.values() for cell in cells):
        return
    formulas = sheet_rows(path, sheet, values=False)
    problems = [
        Problem(
            found="a formula without a stored value",
            expected="a value",
            line=place + 1,
            column=shorter(name),
            advice="Open the workbook, let it calculate, and save it.",
        )
        for name, cells in columns.items()
        for place, cell in zip(filled, cells, strict=True)
        if cell is None and _cell(formulas[place], header.index(name)) is not None
    ]
    if problems:
        refuse(path, problems)


def _cell(row: Sequence[object], place: int) -> object:
    return row[place] if place < len(row) else None
