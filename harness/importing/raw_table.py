"""A raw table: every cell as text, with its line, and what had to be found out to read it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.cohorts.delimited import decoded_text, split_rows
from harness.cohorts.violations import refuse
from harness.errors import Problem
from harness.importing.file_detection import Detection, detect_delimiter, detect_encoding
from harness.importing.mapping import TableFile
from harness.importing.workbook_cells import workbook_rows

TEXT_FILES = (".csv", ".tsv", ".tab", ".txt")

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RawTable:
    """The cells of a file. `lines` counts from 1, as a text editor or a spreadsheet does."""

    header: Sequence[str]
    rows: Rows
    lines: Sequence[int]
    detected: tuple[Detection, ...]
    file: TableFile
    sha256: str
    is_workbook: bool = False


def read_raw(path: Path, file: TableFile) -> RawTable:
    """Return the cells of a CSV file or of a sheet of an Excel workbook, as text.

    Raises
    ------
    CohortError
        The file can't be read, decoded or divided into cells without doubt, or its rows differ in length.
    """
    suffix = path.suffix.lower()
    if suffix not in {*TEXT_FILES, ".xlsx"}:
        refuse(path, [Problem(found=f"suffix {suffix!r}", expected=f"one of {', '.join(TEXT_FILES)}, .xlsx")])
    try:
        content = path.read_bytes()
    except OSError as error:
        refuse(path, [Problem(found=error.strerror or "an unreadable file", expected="a file that can be read")])
    if not content.strip():
        refuse(path, [Problem(found="an empty file", expected="a header and at least one row")])
    rows, lines, detected = workbook_rows(path, file) if suffix == ".xlsx" else _text_rows(path, content, file)
    start = next((place for place, line in enumerate(lines) if line >= file.header), len(lines))
    if start + 1 >= len(rows):
        found = "a header without rows" if start < len(rows) else "no line where the header should be"
        refuse(path, [Problem(found=found, expected="a header and at least one row", line=file.header)])
    header, body, empty = _without_empty_columns(rows[start], rows[start + 1 :])
    _refuse_ragged(path, header, body, lines[start + 1 :])
    return RawTable(
        header=tuple(header),
        rows=body,
        lines=lines[start + 1 :],
        detected=(*detected, *empty),
        file=file,
        sha256=hashlib.sha256(content).hexdigest(),
        is_workbook=suffix == ".xlsx",
    )


def _text_rows(path: Path, content: bytes, file: TableFile) -> tuple[Rows, Sequence[int], list[Detection]]:
    found = detect_encoding(content) if file.encoding is None else (file.encoding, None)
    text = decoded_text(path, found[0], "[import.file]")
    detected = [] if found[1] is None else [found[1]]
    delimiter = file.delimiter
    if delimiter is None:
        delimiter, evidence = detect_delimiter(path, text, file.header)
        detected.append(evidence)
    rows, lines = split_rows(path, text, delimiter)
    return rows, lines, detected


def _without_empty_columns(header: Sequence[str], rows: Rows) -> tuple[Sequence[str], Rows, list[Detection]]:
    """Leave out the columns at the right that have neither name nor cells, as spreadsheets leave them."""
    width = len(header)
    while width and not header[width - 1].strip() and not any(any(row[width - 1 :]) for row in rows):
        width -= 1
    if width == len(header):
        return header, rows, []
    evidence = f"{len(header) - width} columns at the right without name or cells"
    kept = [row[:width] if len(row) == len(header) else row for row in rows]
    return header[:width], kept, [Detection(setting="cells", value="left out", evidence=evidence)]


def _refuse_ragged(path: Path, header: Sequence[str], rows: Rows, lines: Sequence[int]) -> None:
    problems = [
        Problem(found=f"{len(row)} cells", expected=f"{len(header)}, as in the header", line=line)
        for row, line in zip(rows, lines, strict=True)
        if len(row) != len(header)
    ]
    if problems:
        refuse(path, problems)
