"""What one row says, as values: numbers, levels and dates, each judged by its own rules."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from harness.cohorts.tables import shorter
from harness.errors import Problem
from harness.importing.cell_kinds import kind_of
from harness.importing.cells import CellReader, UnfitError
from harness.importing.dates import KNOWN_FORMATS, detect_format, is_plausible, parsed
from harness.importing.fields import Field
from harness.importing.file_detection import Detection
from harness.importing.layout import TextRow

Value = float | str | datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The values of one row; a field that is absent is missing, one in `unfit` was reported.

    Neither the subject nor any value is part of its text, so that no traceback can show them.
    """

    line: int
    subject: str = field(repr=False)
    visit: str
    part: str
    known: Mapping[str, Value] = field(repr=False)
    unfit: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The records, what is wrong with their cells, and what was found out on the way."""

    records: Sequence[Record]
    problems: Sequence[Problem]
    detected: Sequence[Detection]


def read_records(rows: Sequence[TextRow], fields: Sequence[Field], cells: CellReader) -> Reading:
    """Return the values of all rows; the format of dates is found out, or refused, where it is not declared."""
    problems: list[Problem] = []
    detected: list[Detection] = []
    values: list[dict[str, Value]] = [{} for _ in rows]
    unfit: list[set[str]] = [set() for _ in rows]
    for rules in fields:
        pattern = rules.date_format
        if rules.kind == "date" and pattern is None:
            pattern, found, wrong = _detected(rows, rules, cells)
            detected += found
            problems += wrong
        for k, row in enumerate(rows):
            cell = row.cells.get(rules.name)
            if cell is None:
                continue
            if rules.kind == "date" and pattern is None:
                unfit[k] |= {rules.name} if cell.text.strip() else set()
                continue
            try:
                value = _value(cell.text, rules, cells, pattern)
            except UnfitError as reason:
                problems.append(reason.problem(row.line, shorter(cell.column)))
                unfit[k].add(rules.name)
                continue
            if value is not None:
                values[k][rules.name] = value
    records = [
        Record(
            line=row.line,
            subject=row.subject,
            visit=row.visit,
            part=row.part,
            known=known,
            unfit=frozenset(wrong),
        )
        for row, known, wrong in zip(rows, values, unfit, strict=True)
    ]
    return Reading(records=records, problems=problems, detected=detected)


def _value(text: str, rules: Field, cells: CellReader, pattern: str | None) -> Value | None:
    if rules.kind == "number":
        return cells.number(text, rules)
    if rules.kind == "factor":
        return cells.level(text, rules)
    return _moment(cells.repaired(text), rules, cells, pattern or "")


def _moment(text: str, rules: Field, cells: CellReader, pattern: str) -> datetime | None:
    if cells.is_missing(text, rules.missing):
        return None
    found = parsed(text, pattern)
    if found is None and cells.typed_dates:
        found = parsed(text, "%Y-%m-%d") or parsed(text, "%Y-%m-%d %H:%M")
    if found is None:
        raise UnfitError(f"{kind_of(text)} in another form", f"a date as {pattern!r} writes it")
    if not is_plausible(found):
        raise UnfitError(
            "a date before 1990 or after 2099", "a date of a visit", "Declare it as missing if it is none."
        )
    return found


def _detected(
    rows: Sequence[TextRow], rules: Field, cells: CellReader
) -> tuple[str | None, list[Detection], list[Problem]]:
    """Return the format of a column of dates, as far as it can be told; in a wide file all its columns are one."""
    counting = replace(cells, uses=Counter())  # every cell is read again, and counted then
    known = [(row.line, counting.repaired(row.cells[rules.name].text)) for row in rows if rules.name in row.cells]
    dated = [(line, text) for line, text in known if not counting.is_missing(text, rules.missing)]
    if not dated:
        return KNOWN_FORMATS[0], [], []
    column = str(rules.place) if isinstance(rules.place, str) else rules.name
    lines, texts = [line for line, _ in dated], [text for _, text in dated]
    pattern, found, problems = detect_format(texts, lines, shorter(column))
    return pattern, [] if found is None else [found], problems
