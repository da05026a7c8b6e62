"""Bring a raw table, whatever its shape, into rows of one subject at one visit, each cell still text."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.cohorts.levels import LONGEST_LABEL
from harness.cohorts.tables import shorter
from harness.errors import Problem
from harness.importing.cell_kinds import kind_of
from harness.importing.fields import PROTOCOL, Field, columns_of
from harness.importing.mapping import ImportMapping, Visit
from harness.importing.raw_table import RawTable

EVENT, INSTRUMENT, INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"
EVENT_NAME = re.compile(r"[a-z0-9_]{1,80}_arm_[0-9]{1,2}")
ARM = re.compile(r"(?P<raw>.*_(?P<arm>arm_[0-9]+))|(?P<label>.*\((?P<named>Arm [0-9]+): .*\))")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCell:
    """A cell, and the column that it stands in."""

    text: str = field(repr=False)
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRow:
    """One subject at one visit. `part` tells apart rows of the same event that hold different forms.

    A row whose `visit` is empty holds what does not change in a subject, and nothing else.
    """

    line: int
    subject: str = field(repr=False)
    visit: str
    part: str
    cells: Mapping[str, TextCell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The rows, what is wrong with them, and counts of what was left out or repaired."""

    rows: Sequence[TextRow]
    problems: Sequence[Problem]
    counts: Mapping[str, int]


def laid_out(raw: RawTable, mapping: ImportMapping, fields: Sequence[Field]) -> Layout:
    """Return the rows of a long or wide file, or of a REDCap export."""
    reader = _Layout(raw, mapping, fields)
    rows = list(reader.wide() if mapping.shape == "wide" else reader.long())
    return Layout(rows=rows, problems=reader.problems, counts=reader.counts)


class _Layout:
    def __init__(self, raw: RawTable, mapping: ImportMapping, fields: Sequence[Field]) -> None:
        self.raw, self.mapping = raw, mapping
        self.problems: list[Problem] = []
        self.counts: Counter[str] = Counter()
        self.place = {name: k for k, name in enumerate(raw.header)}
        self.strip = "strip" in mapping.repairs
        self.changing = {each.name: each.place for each in fields if not each.constant}
        self.constant = {each.name: each.place for each in fields if each.constant and each.place}

    def long(self) -> Iterator[TextRow]:
        """Yield one row for each line that holds anything."""
        visits = {word: visit for visit in self.mapping.visits for word in visit.named}
        column = self.mapping.visit or (EVENT if self.mapping.shape == "redcap" and EVENT in self.place else "")
        for line, row in zip(self.raw.lines, self.raw.rows, strict=True):
            cells = {name: self._cell(row, str(place)) for name, place in {**self.constant, **self.changing}.items()}
            subject = self._subject(line, row, cells)
            if subject is None:
                continue
            event = self._text(row, column) if column else ""
            if self.mapping.by_arms:
                cells[PROTOCOL] = TextCell(text=self._arm(event), column=column)
            instance = self._instance(row)
            # The first instance of a repeated form is part of its event, unless it is named apart.
            key = event if instance == "#1" and event + instance not in visits else event + instance
            rated = any(cells[name].text.strip() for name in self.changing)
            if key in self.mapping.other_events:
                if rated:
                    self.problems.append(self._no_visit(line, column))
                rated = False
            elif key not in visits:
                self.problems.append(self._unknown_visit(line, column or INSTANCE, event, key, visits))
                continue
            elif not rated:
                self.counts["visits without any value"] += 1
            visit = visits[key].name if rated else ""
            part = self._text(row, INSTRUMENT) if self.mapping.shape == "redcap" else ""
            yield TextRow(line=line, subject=subject, visit=visit, part=f"{key} {part}".strip(), cells=cells)

    def wide(self) -> Iterator[TextRow]:
        """Yield one row of what does not change in a subject, and one for each visit of which anything is known."""
        places = {name: columns_of(place, self.mapping.visits) for name, place in self.changing.items()}
        first: dict[str, int] = {}
        for line, row in zip(self.raw.lines, self.raw.rows, strict=True):
            constant = {name: self._cell(row, str(place)) for name, place in self.constant.items()}
            changing = {
                (name, visit): self._cell(row, column) for name, at in places.items() for visit, column in at.items()
            }
            subject = self._subject(line, row, {**constant, **{str(key): cell for key, cell in changing.items()}})
            if subject is None:
                continue
            earlier = first.setdefault(subject, line)
            if earlier != line and self.mapping.duplicates == "error":
                self.problems.append(_second_row(line, earlier))
            yield TextRow(line=line, subject=subject, visit="", part="", cells=constant)
            for visit in self.mapping.visits:
                cells = {name: cell for (name, at), cell in changing.items() if at == visit.name}
                if any(cell.text.strip() for cell in cells.values()):
                    yield TextRow(line=line, subject=subject, visit=visit.name, part="", cells=cells)
                else:
                    self.counts["visits without any value"] += 1

    def _subject(self, line: int, row: Sequence[str], cells: Mapping[str, TextCell]) -> str | None:
        if not any(cell.text.strip() for cell in cells.values()):
            self.counts["rows without any value"] += 1
            return None
        subject = self._text(row, self.mapping.subject)
        if problem := subject_problem(subject, line, self.mapping.subject):
            self.problems.append(problem)
            return None
        return subject

    def _text(self, row: Sequence[str], column: str) -> str:
        if column not in self.place:
            return ""
        text = row[self.place[column]]
        if self.strip and text != text.strip():
            self.counts["repair strip"] += 1
            return text.strip()
        return text

    def _cell(self, row: Sequence[str], column: str) -> TextCell:
        return TextCell(text=row[self.place[column]], column=column)

    def _instance(self, row: Sequence[str]) -> str:
        instance = self._text(row, INSTANCE) if self.mapping.shape == "redcap" else ""
        return f"#{instance}" if instance else ""

    def _arm(self, event: str) -> str:
        found = ARM.fullmatch(event) if self.mapping.shape == "redcap" else None
        return "" if found is None else found["arm"] or found["named"]

    def _no_visit(self, line: int, column: str) -> Problem:
        return Problem(
            found="a value that changes from visit to visit, at an event that is no visit",
            expected="only what does not change in a subject",
            line=line,
            column=shorter(column),
            advice="Name the event under [import.visits] if it is a visit.",
        )

    def _unknown_visit(self, line: int, column: str, event: str, key: str, visits: Mapping[str, Visit]) -> Problem:
        """Say that a visit is not declared; events of a REDCap project are no patient's data and may be named."""
        what = f"the event {key!r}" if EVENT_NAME.fullmatch(event) and len(key) < 100 else kind_of(event)
        return Problem(
            found=f"{what}, which no visit names",
            expected=f"one of the {len(visits)} names under [import.visits]",
            line=line,
            column=shorter(column),
        )


def _second_row(line: int, earlier: int) -> Problem:
    return Problem(
        found=f"the same subject as in line {earlier}",
        expected="one row a subject",
        line=line,
        advice='Remove one, or name a resolver under `duplicates`, such as "complement".',
    )


def unplaced(raw: RawTable, subject: str, fields: Sequence[Field], *, strip: bool) -> Layout:
    """Return the rows of a second file, which knows no visits."""
    place = {name: k for k, name in enumerate(raw.header)}
    rows: list[TextRow] = []
    problems: list[Problem] = []
    counts: Counter[str] = Counter()
    for line, row in zip(raw.lines, raw.rows, strict=True):
        cells = {each.name: TextCell(text=row[place[str(each.place)]], column=str(each.place)) for each in fields}
        label = row[place[subject]].strip() if strip else row[place[subject]]
        if not any(cell.text.strip() for cell in cells.values()):
            counts["rows without any value"] += 1
        elif problem := subject_problem(label, line, subject):
            problems.append(problem)
        else:
            rows.append(TextRow(line=line, subject=label, visit="", part="", cells=cells))
    return Layout(rows=rows, problems=problems, counts=counts)


def subject_problem(subject: str, line: int, column: str) -> Problem | None:
    """Return why a text can't be a subject's label, without showing it."""
    if subject and subject == subject.strip() and subject.isprintable() and len(subject) <= LONGEST_LABEL:
        return None
    return Problem(
        found=kind_of(subject) if subject.strip() else "no subject",
        expected="a subject's label without spaces around it and without control characters",
        line=line,
        column=shorter(column),
        advice='Declare repairs = ["strip"] to remove spaces.' if subject.strip() not in {"", subject} else "",
    )


def header_problems(raw: RawTable, line: int, wanted: Sequence[str]) -> list[Problem]:
    """Return the columns that the header lacks or names twice; a first line of data is never shown."""
    header = list(raw.header)
    if not set(wanted) & set(header):
        numbers = sum(name.strip().replace(".", "", 1).isdigit() for name in header)
        found = (
            f"a first line of {len(header)} cells, {numbers} of them numbers, with none of the {len(wanted)} columns"
        )
        advice = "Is the header missing, or `header` or `delimiter` another one?"
        return [Problem(found=found, expected="a header", line=line, advice=advice)]
    problems = []
    for name in wanted:
        count = header.count(name)
        if count != 1:
            spaced = count == 0 and name in {known.strip() for known in raw.header}
            found = f"{count} columns of this name" if count else "no such column"
            advice = 'Declare repairs = ["strip"]: the header has it with spaces.' if spaced else ""
            expected = "one, because the mapping names it"
            problems.append(Problem(found=found, expected=expected, line=line, column=shorter(name), advice=advice))
    return problems


def wanted_columns(mapping: ImportMapping, fields: Sequence[Field]) -> list[str]:
    """Return the columns of the file that the mapping reads, each once."""
    own = [mapping.subject, mapping.visit]
    own += [EVENT] if mapping.by_arms and not mapping.visit else []
    for each in fields:
        visits = mapping.visits if mapping.shape == "wide" else mapping.visits[:1]
        own += columns_of(each.place, visits).values()
    return [name for name in dict.fromkeys(own) if name]
