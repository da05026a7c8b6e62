"""Find out the encoding and the delimiter of a text file, or refuse to guess."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.cohorts.delimited import split_rows
from harness.cohorts.violations import refuse
from harness.errors import CohortError, Problem

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

Setting = Literal["encoding", "delimiter", "decimal", "date_format", "cells"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Something about a file that was found out and not declared: a proposal that a person can confirm."""

    setting: Setting
    value: str
    evidence: str


def detect_encoding(content: bytes) -> tuple[str, Detection | None]:
    """Return what the bytes are: marked, valid UTF-8, or else Latin-1, which any bytes are; None if only ASCII.

    A wrong Latin-1 does no silent harm: whatever is read must be a number, a date or a declared word.
    """
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return encoding, Detection(setting="encoding", value=encoding, evidence="a byte-order mark")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1", Detection(setting="encoding", value="latin-1", evidence="bytes that are no UTF-8")
    if content.isascii():
        return "utf-8", None
    return "utf-8", Detection(setting="encoding", value="utf-8", evidence="letters beyond ASCII, all valid")


def detect_delimiter(path: Path, text: str, header: int) -> tuple[str, Detection]:
    """Return the one delimiter that divides all lines alike; if none does, the only one that divides the header.

    Raises
    ------
    CohortError
        None or several do.
    """
    alike, dividing = [], []
    for delimiter in DELIMITERS:
        sizes = _row_sizes(path, text, delimiter, header)
        if sizes and sizes[0] > 1:
            dividing.append(delimiter)
            if len(set(sizes)) == 1:
                alike.append(delimiter)
    fitting = alike or dividing
    if not fitting:
        split_rows(path, text, ",")  # which refuses broken quotation, with its line
    if len(fitting) != 1:
        names = " and ".join(DELIMITERS[mark] for mark in fitting)
        found = f"lines that {names} divide" if fitting else "a header that no delimiter divides"
        expected = f"one out of {', '.join(DELIMITERS.values())}"
        advice = "Set delimiter under [import.file]."
        refuse(path, [Problem(found=found, expected=expected, line=header, advice=advice)])
    evidence = "it alone divides all lines alike" if alike else "it alone divides the header"
    return fitting[0], Detection(setting="delimiter", value=fitting[0], evidence=evidence)


def _row_sizes(path: Path, text: str, delimiter: str, header: int) -> Sequence[int]:
    """Return the number of cells of the header and of each row below it; nothing if the quotation is broken."""
    try:
        rows, lines = split_rows(path, text, delimiter)
    except CohortError:
        return []
    return [len(row) for row, line in zip(rows, lines, strict=True) if line >= header]
