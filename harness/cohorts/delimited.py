"""Read CSV and TSV files as text, cell by cell, so that every cell can be reported with its line."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from harness.cohorts.schema import FileOptions
from harness.cohorts.tables import Table, header_problems, shown
from harness.cohorts.violations import refuse
from harness.errors import Problem

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}


def read_delimited(path: Path, wanted: Sequence[str], options: FileOptions) -> Table:
    """Return the wanted columns of a CSV or TSV file; blank lines are skipped.

    Raises
    ------
    CohortError
        The text can't be decoded, is empty, has lines of different lengths, or lacks wanted columns.
    """
    text = decoded_text(path, options.encoding)
    delimiter = options.delimiter or DELIMITERS[path.suffix.lower()]
    rows, lines = split_rows(path, text, delimiter)
    if not rows:
        refuse(path, [Problem(found="an empty file", expected="a header and at least one row")])
    if options.strip:
        rows = [[cell.strip() for cell in row] for row in rows]
    header = rows[0]
    problems = _delimiter_problems(header, wanted, delimiter) or header_problems(header, wanted)
    problems += [
        Problem(found=f"{len(row)} cells", expected=f"{len(header)}, as in the header", line=line)
        for row, line in zip(rows[1:], lines[1:], strict=True)
        if len(row) != len(header)
    ]
    if not problems and len(rows) == 1:
        problems.append(Problem(found="a header without rows", expected="at least one row"))
    if problems:
        refuse(path, problems)
    places = [(name, header.index(name)) for name in wanted]
    columns = {name: [row[place] for row in rows[1:]] for name, place in places}
    return Table(header=header, columns=columns, lines=lines[1:], textual=True)


def decoded_text(path: Path, encoding: str, section: str = "[file]") -> str:
    """Return the text of a file, without its byte-order mark; what can't be decoded or holds NUL is refused.

    `section` is where the encoding can be declared, for messages.
    """
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) and encoding == "utf-8":
        problem = Problem(
            found="a UTF-16 byte-order mark",
            expected=encoding,
            line=1,
            advice=f'Set encoding = "utf-16" under {section}.',
        )
        refuse(path, [problem])
    try:
        # Spreadsheets write a byte-order mark before UTF-8; it is no part of the first column's name.
        text = raw.decode("utf-8-sig" if encoding.lower() in {"utf-8", "utf8"} else encoding)
    except UnicodeError as error:
        refuse(path, [_encoding_problem(error, raw, encoding, section)])
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        problem = Problem(found="a NUL character", expected="text", line=line, advice="Is it a binary file, or UTF-16?")
        refuse(path, [problem])
    return text


def _encoding_problem(error: UnicodeError, raw: bytes, encoding: str, section: str) -> Problem:
    advice = f'Set encoding under {section}, such as encoding = "cp1252" or "latin-1".'
    if not isinstance(error, UnicodeDecodeError):
        return Problem(found="undecodable text", expected=encoding, advice=advice)
    # `error.object` lacks the byte-order mark that utf-8-sig removes.
    start = error.start + len(raw) - len(error.object)
    line = raw[:start].count(b"\n") + 1
    return Problem(found=f"byte 0x{raw[start]:02x} at position {start}", expected=encoding, line=line, advice=advice)


def split_rows(path: Path, text: str, delimiter: str) -> tuple[list[list[str]], list[int]]:
    """Return the rows of a text that aren't blank, and the line on which each begins; broken quotation is refused."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, lines, first = [], [], 1
    try:
        for row in reader:
            if row:
                rows.append(row)
                lines.append(first)
            first = reader.line_num + 1
    except csv.Error as error:
        problem = Problem(found=f"{error}", expected="cells in the usual quotation of CSV", line=first)
        refuse(path, [problem])
    return rows, lines


def _delimiter_problems(header: Sequence[str], wanted: Sequence[str], delimiter: str) -> list[Problem]:
    if len(header) > 1 or len(wanted) <= 1:
        return []
    for other in (";", "\t", ",", "|"):
        if other != delimiter and (count := header[0].count(other)):
            return [
                Problem(
                    found=f"one column only with the delimiter {delimiter!r}, but {count} {other!r}",
                    expected=f"at least {len(wanted)} columns",
                    line=1,
                    advice=f"Set delimiter = {shown(other)} under [file].",
                )
            ]
    return []
