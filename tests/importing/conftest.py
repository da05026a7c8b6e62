"""A small good export, which tests break by one change each, and the mapping that reads it."""

import csv
import io
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest

from harness.errors import CohortError
from harness.importing import Covariate, Dating, ImportMapping, Protocol, Score, TableFile, Visit, import_table
from harness.scoring import MADRS

ITEMS = tuple(f"m{number}" for number in range(1, 11))
DAYS = {"four": (0, 3, 7, 10, 17, 40), "six": (0, 3, 7, 10, 14, 17)}
NAMES = {
    "four": ("inf1", "inf2", "inf3", "inf4", "fu_1wk", "fu_1mo"),
    "six": ("inf1", "inf2", "inf3", "inf4", "inf5", "inf6"),
}
PATIENTS = (
    ("QX-4711", "four", date(2019, 3, 18), 44, "F", "71.5", (31, 26, 22, 19, 20, 24)),
    ("QX-4712", "six", date(2020, 11, 27), 29, "M", "88", (38, 36, 35, 33, 30, 31)),
    ("QX-4713", "four", date(2019, 5, 20), 61, "F", "64.25", (27, 20, 14, 9, 10, 13)),
)
NOTE = "sister Ottilie drove"
PERSONAL = ("QX-47", "4711", "4712", "4713", "Ottilie", "sister", "2019", "2020", "27.11", "18/03", "03/18")
"""Pieces of labels, dates and notes that no message may show."""


@dataclass(frozen=True)
class Export:
    """The cells of an export, header first; every change gives a new one."""

    rows: tuple[tuple[str, ...], ...]

    def place(self, column):
        return self.rows[0].index(column)

    def cell(self, line, column):
        return self.rows[line - 1][self.place(column)]

    def put(self, line, column, text):
        """Change one cell; lines count from 1, as in the file."""
        rows = [list(row) for row in self.rows]
        rows[line - 1][self.place(column)] = text
        return Export(tuple(map(tuple, rows)))

    def each(self, column, change):
        place = self.place(column)
        return Export((self.rows[0], *((*row[:place], change(row[place]), *row[place + 1 :]) for row in self.rows[1:])))

    def without(self, line):
        return Export(self.rows[: line - 1] + self.rows[line:])

    def again(self, line):
        """Repeat a line at the end."""
        return Export((*self.rows, self.rows[line - 1]))

    def renamed(self, **names):
        return Export((tuple(names.get(name, name) for name in self.rows[0]), *self.rows[1:]))

    def dropped(self, *columns):
        kept = [place for place, name in enumerate(self.rows[0]) if name not in columns]
        return Export(tuple(tuple(row[place] for place in kept) for row in self.rows))

    def added(self, column, cells):
        return Export(tuple((*row, cell) for row, cell in zip(self.rows, [column, *cells], strict=True)))

    def dated(self, pattern):
        """Write all dates in another format."""
        return self.each("date", lambda text: date.fromisoformat(text).strftime(pattern))

    def later(self, line, days):
        """Move the date of one line."""
        return self.put(line, "date", str(date.fromisoformat(self.cell(line, "date")) + timedelta(days)))

    def everywhere(self, column, *cells):
        """Put cells one below the other, from line 2 on."""
        export = self
        for line, text in enumerate(cells, start=2):
            export = export.put(line, column, text)
        return export

    def text(self, delimiter=","):
        stream = io.StringIO()
        csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows(self.rows)
        return stream.getvalue()


def items_of(total):
    """Return ten items that make a total."""
    return [total // 10 + (number < total % 10) for number in range(10)]


def good_export():
    header = ("id", "visit", "arm", "date", "age", "sex", *ITEMS, "madrs", "gad7", "weight", "note")
    rows = []
    for label, arm, start, age, sex, weight, scores in PATIENTS:
        for visit, day, madrs in zip(NAMES[arm], DAYS[arm], scores, strict=True):
            when = start + timedelta(days=day)
            cells = (label, visit, arm, when, age, sex, *items_of(madrs), madrs, madrs // 3, weight)
            rows.append((*map(str, cells), NOTE if visit == "inf2" else ""))
    return Export((header, *rows))


def good_mapping():
    visits = [Visit(name=f"inf{number}", named=(f"inf{number}",), infusion=number) for number in range(1, 7)]
    return ImportMapping(
        name="clinic",
        shape="long",
        subject="id",
        visit="visit",
        visits=(
            *visits,
            Visit(name="fu_1wk", named=("fu_1wk",), follow_up=(7, 3)),
            Visit(name="fu_1mo", named=("fu_1mo",), follow_up=(30, 10)),
        ),
        protocol="arm",
        protocols=(
            Protocol(name="four", named=("four",), infusions=4),
            Protocol(name="six", named=("six",), infusions=6),
        ),
        scores=(
            Score(name="madrs", scale=MADRS, total="madrs", items=ITEMS),
            Score(name="gad7", total="gad7", range=(0, 21)),
        ),
        covariates=(
            Covariate(name="age", source="age", range=(18, 89), integer=True),
            Covariate(name="sex", source="sex", levels={"F": ("F",), "M": ("M",)}),
            Covariate(name="weight", source="weight", range=(30, 300), unit="kg"),
        ),
        dating=Dating(date="date", date_format="%Y-%m-%d"),
        file=TableFile(encoding="utf-8", delimiter=",", decimal="."),
    )


@pytest.fixture
def export():
    return good_export()


@pytest.fixture
def mapping():
    return good_mapping()


@pytest.fixture
def good(export, mapping, write):
    """The hash of the cohort of the good export."""
    return import_table(write(export, "good.csv"), mapping).cohort.sha256


@pytest.fixture
def declared(mapping):
    """Return the good mapping with some declarations changed; those of the file and the dates by their own names."""

    def changed(**changes):
        for part in ("file", "dating"):
            names = {name for name in changes if name in type(getattr(mapping, part)).__dataclass_fields__}
            if names:
                changes[part] = replace(getattr(mapping, part), **{name: changes.pop(name) for name in names})
        return replace(mapping, **changes)

    return changed


@pytest.fixture
def write(tmp_path):
    """Write an export, a text or bytes to a file; return its path."""

    def write_file(content, name="export.csv"):
        path = tmp_path / name
        if isinstance(content, Export):
            content = content.text()
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


@pytest.fixture
def refused():
    """Return the problems of an import that must be refused, as sentences without anything personal."""

    def problems_of(path, mapping, **options):
        with pytest.raises(CohortError) as caught:
            import_table(path, mapping, **options)
        sentences = [str(problem) for problem in caught.value.problems]
        assert not [(piece, s) for piece in PERSONAL for s in sentences if piece in s]
        return sentences

    return problems_of


@pytest.fixture
def judge(export, mapping, declared, write, refused, good):  # noqa: PLR0917 - fixtures
    """Break the good export, and look at what the import says of it.

    `problems` are those that it must give; what it gives none of, or `declare` mends, must be the good export's cohort
    unless it says that it does not. Short words stand for parts of the mapping: which of items and total is right, and
    the nominal days of visits.
    """
    days = dict(zip([visit.name for visit in mapping.visits], (0, 3, 7, 10, 14, 17, 17, 40), strict=True))
    nominal = tuple(replace(visit, day=days[visit.name]) for visit in mapping.visits)

    def mapped(changes):
        changes = dict(changes)
        if "differing" in changes:
            changes["scores"] = (replace(mapping.scores[0], differing=changes.pop("differing")), mapping.scores[1])
        if changes.pop("nominal_days", False):
            changes["visits"] = nominal
        return declared(**changes)

    def judged(change, problems=(), declare=None, before=None, name="export.csv", *, mends=True):
        path = write(change(export), name)
        if problems:
            assert refused(path, mapped(before or {})) == list(problems)
        if declare or not problems:
            found = import_table(path, mapped({**(before or {}), **(declare or {})}))
            assert (found.cohort.sha256 == good) == mends

    return judged
