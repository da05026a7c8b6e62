"""Excel workbooks: every cell as text first, dates as dates, and nothing taken for a blank that is none."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from openpyxl import Workbook

from harness.importing import TableFile, import_table

NUMERIC = ("age", "madrs", "gad7", "weight", *(f"m{number}" for number in range(1, 11)))


ABOVE = (["Exported by the clinic"], [None], ["Visits", None, "Scores"])
"""Notes and a merged header above the names of the columns."""


@pytest.fixture
def workbook(export, mapping, tmp_path):
    """Write the good export as a spreadsheet holds it: numbers as numbers, dates as dates, blanks as nothing.

    `changes` maps lines and columns to other cells. Return the path, and the mapping with what is declared of the file.
    """

    def written(changes=None, sheets=("Visits",), above=(), **file):
        book = Workbook()
        book.remove(book.active)
        for name in sheets:
            page = book.create_sheet(name)
            for row in (*above, export.rows[0]):
                page.append(list(row))
            for line, row in enumerate(export.rows[1:], start=2):
                cells = dict(zip(export.rows[0], row, strict=True))
                cells |= {column: float(cells[column]) for column in NUMERIC}
                cells["date"] = datetime.fromisoformat(cells["date"])
                cells |= {column: cell for (at, column), cell in (changes or {}).items() if at == line}
                page.append([None if cell == "" else cell for cell in cells.values()])
        path = tmp_path / "clinic.xlsx"
        book.save(path)
        return path, replace(mapping, file=TableFile(**file))

    return written


def test_a_workbook_gives_the_cohort_of_its_csv(workbook, good):
    found = import_table(*workbook())
    assert found.cohort.sha256 == good
    assert [(each.value, each.evidence) for each in found.detected] == [("dates as ISO 8601", "18 cells of dates")]


def test_notes_above_the_header_are_passed_over_by_its_line(workbook, good, refused):
    assert refused(*workbook(above=ABOVE))[0].startswith("line 1: a first line of")
    assert import_table(*workbook(above=ABOVE, header=4)).cohort.sha256 == good
    (sentence,) = refused(*workbook({(4, "gad7"): "10*"}, above=ABOVE, header=4))
    assert sentence.startswith("line 7, column 'gad7': a number with a mark ('10*')")


def test_a_sheet_is_named_where_there_are_several(workbook, good, refused):
    assert refused(*workbook(sheets=("Old", "Visits"))) == [
        "2 sheets; expected one of the sheets 'Old', 'Visits'. Set sheet under [import.file].",
    ]
    assert import_table(*workbook(sheets=("Old", "Visits"), sheet="Visits")).cohort.sha256 == good


def test_a_formula_without_a_value_is_no_blank(workbook, refused):
    # openpyxl stores formulas, but not their values.
    assert refused(*workbook({(3, "gad7"): "=SUM(G3:P3)"})) == [
        "line 3, column 'gad7': a formula without a stored value; expected a whole number from 0 to 21."
    ]


def test_numbers_stored_as_text_follow_the_declared_sign(workbook, good, refused):
    text = {(2, "weight"): "71,5"}
    assert refused(*workbook(text)) == [
        (
            "line 2, column 'weight': a number with a decimal comma; expected a number from 30 to 300. "
            "Declare `decimal` under [import.file] if that is the decimal sign."
        )
    ]
    assert import_table(*workbook(text, decimal=",")).cohort.sha256 == good


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        (True, "a truth value ('TRUE')"),
        (datetime.fromisoformat("2019-03-18"), "a date"),
        (datetime.fromisoformat("2019-03-18 14:30"), "a date"),
        (date(2019, 3, 18), "a date"),
        ("#N/A", "an error value of a spreadsheet ('#N/A')"),
        ("32*", "a number with a mark ('32*')"),
        (10.5, "a number ('10.5') that is not whole"),
    ],
)
def test_other_cells_are_no_scores(workbook, refused, cell, found):
    (sentence,) = refused(*workbook({(2, "gad7"): cell}))
    assert sentence.startswith(f"line 2, column 'gad7': {found}; expected a whole number from 0 to 21.")


def test_dates_as_text_or_serial_beside_real_ones_are_refused(workbook, refused):
    sentences = refused(*workbook({(3, "date"): "25.03.2019", (4, "date"): 43549}))
    assert [sentence.split(";")[0] for sentence in sentences] == [
        "line 3, column 'date': a date in another form",
        "line 4, column 'date': a number in another form",
    ]


def test_a_damaged_workbook_is_refused(tmp_path, mapping, refused):
    path = tmp_path / "clinic.xlsx"
    path.write_bytes(b"PK\x03\x04 no workbook")
    assert "a damaged file" in refused(path, mapping)[0]
