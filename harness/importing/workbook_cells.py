"""Read a sheet of an Excel workbook as text, cell by cell."""

from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

from harness.cohorts.workbook import sheet_rows
from harness.importing.file_detection import Detection
from harness.importing.mapping import TableFile

NO_VALUE = "#FORMULA!"
"""Stands for a formula whose value was never stored, which would otherwise pass as a blank cell."""


def workbook_rows(path: Path, file: TableFile) -> tuple[list[list[str]], list[int], list[Detection]]:
    """Return the rows of a sheet that aren't blank, their lines, and what was made of cells that are no text.

    Numbers are written with the declared decimal sign, so that one rule holds for numbers in cells of numbers and of
    text; dates as ISO 8601 writes them.

    Raises
    ------
    CohortError
        The file is damaged, or its sheet isn't clear.
    """
    values = sheet_rows(path, file.sheet, values=True, section="[import.file]")
    formulas = sheet_rows(path, file.sheet, values=False) if _has_gaps(values) else values
    width = max((len(row) for row in values), default=0)
    rows, lines, dates = [], [], 0
    for line, (row, written) in enumerate(zip(values, formulas, strict=True), start=1):
        dates += sum(isinstance(cell, date) for cell in row)
        texts = [_text(cell, formula, file.decimal or ".") for cell, formula in zip(row, written, strict=True)]
        if any(texts):
            rows.append(texts + [""] * (width - len(texts)))
            lines.append(line)
    evidence = f"{dates} cells of dates"
    return rows, lines, [Detection(setting="cells", value="dates as ISO 8601", evidence=evidence)] if dates else []


def _has_gaps(rows: Sequence[Sequence[object]]) -> bool:
    return any(cell is None for row in rows for cell in row)


def _text(cell: object, formula: object, decimal: str) -> str:
    if cell is None:
        return NO_VALUE if isinstance(formula, str) and formula.startswith("=") else ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return (str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)).replace(".", decimal)
    if isinstance(cell, datetime):
        midnight = cell.time() == time(0)
        return cell.date().isoformat() if midnight else cell.isoformat(sep=" ", timespec="minutes")
    return str(cell)
