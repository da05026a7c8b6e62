"""A table as it stands in its file: cells untouched, each with its line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from harness.errors import Problem

LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The columns asked for, cell by cell.

    `textual` says that every cell is the text that stood in the file; otherwise cells have the types that the format
    gave them, None being a missing value. `lines` counts from 1, the header being line 1. `header` names all columns.
    `value_labels` are the labels that the file itself gives to a column's codes (SPSS, Stata, SAS).
    """

    header: Sequence[str]
    columns: Mapping[str, Sequence[object]]
    lines: Sequence[int]
    textual: bool
    value_labels: Mapping[str, Mapping[float, str]] = field(default_factory=dict)


def shown(value: object) -> str:
    """Return a value for a message, in quotes if it is a text, and cut where it is long."""
    text = repr(value[: LONGEST_SHOWN + 1] if isinstance(value, str) else value)
    return text if len(text) <= LONGEST_SHOWN + 2 else f"{text[:LONGEST_SHOWN]}... (cut)"


def header_problems(header: Sequence[str], wanted: Sequence[str]) -> list[Problem]:
    """Return the wanted columns that a header lacks or names twice."""
    problems = []
    for name in wanted:
        count = header.count(name)
        if count == 0:
            problems.append(
                Problem(
                    found="no such column",
                    expected="it in the header, because the schema names it",
                    column=shorter(name),
                    advice=_near(name, header),
                )
            )
        elif count > 1:
            problems.append(
                Problem(found=f"{count} columns of this name", expected="one", line=1, column=shorter(name))
            )
    return problems


def shorter(name: str) -> str:
    """Return a column's name for a message, cut where it is long."""
    return name if len(name) <= LONGEST_SHOWN else f"{name[:LONGEST_SHOWN]}..."


def _near(name: str, header: Sequence[str]) -> str:
    folded = {known.strip().casefold(): known for known in header if len(known) <= LONGEST_SHOWN}
    close = get_close_matches(name.strip().casefold(), folded, n=3)
    if close:
        return f"The header has {', '.join(shown(folded[match]) for match in close)}."
    return ""
