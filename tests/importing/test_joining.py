"""Two files, joined on subject and nearest date: nothing joined from afar, nothing that found no place unsaid."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.importing import Companion, Score, TableFile, import_table
from harness.importing.joining import nearest_matches

START = date(2019, 3, 18)


def on(*days, subject="a"):
    return [(subject, START + timedelta(days=day)) for day in days]


PAIRS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 12).map(lambda day: START + timedelta(days=day))), max_size=8
)


def test_a_row_goes_to_the_nearest_visit_and_not_beyond_the_gap():
    found = nearest_matches(on(0, 3, 7), on(1, 6, 12), within_days=1, ties="error")
    assert found.pairs == {0: 0, 2: 1}
    assert (found.without_row, found.without_visit) == ([1], [2])


def test_only_the_own_subject_is_joined():
    found = nearest_matches(on(0), on(0, subject="b"), within_days=9, ties="error")
    assert not found.pairs
    assert found.without_visit == [0]


@pytest.mark.parametrize(("ties", "visit"), [("earlier", 0), ("later", 1)])
def test_a_row_between_two_visits_is_a_tie(ties, visit):
    found = nearest_matches(on(0, 4), on(2), within_days=3, ties=ties)
    assert found.pairs == {visit: 0}
    assert found.tied_rows == [0]


@pytest.mark.parametrize(("ties", "row"), [("earlier", 0), ("later", 1)])
def test_two_rows_around_a_visit_are_a_tie_and_one_is_surplus(ties, row):
    found = nearest_matches(on(2), on(1, 3), within_days=3, ties=ties)
    assert found.pairs == {0: row}
    assert (found.tied_visits, found.surplus) == ([0], [1 - row])


@given(visits=PAIRS, rows=PAIRS, within=st.integers(0, 5), ties=st.sampled_from(["earlier", "later"]))
def test_every_row_and_every_visit_is_accounted_for_once(visits, rows, within, ties):
    visits = sorted(set(visits))
    found = nearest_matches(visits, rows, within, ties)
    assert sorted([*found.pairs, *found.without_row]) == list(range(len(visits)))
    assert sorted([*found.pairs.values(), *found.without_visit, *found.surplus]) == list(range(len(rows)))
    for visit, row in found.pairs.items():
        gap = abs((visits[visit][1] - rows[row][1]).days)
        own = [day for subject, day in visits if subject == rows[row][0]]
        assert visits[visit][0] == rows[row][0]
        assert gap == min(abs((day - rows[row][1]).days) for day in own) <= within
    for row in found.without_visit:
        own = [day for subject, day in visits if subject == rows[row][0]]
        assert all(abs((day - rows[row][1]).days) > within for day in own)


@pytest.fixture
def sheet(export, write):
    """The clinicians' sheet, without GAD-7."""
    return write(export.dropped("gad7"))


@pytest.fixture
def two_files(mapping):
    return replace(
        mapping,
        scores=mapping.scores[:1],
        companion=Companion(
            subject="pid",
            date="on",
            within_days=1,
            scores=(Score(name="gad7", total="gad7", range=(0, 21)),),
            file=TableFile(encoding="utf-8", delimiter=",", decimal="."),
        ),
    )


@pytest.fixture
def join(sheet, two_files, write):
    """Import the sheet with rows of a second file."""
    return lambda rows, mapping=two_files: import_table(sheet, mapping, companion=write(text(rows), "portal.csv"))


def portal(export, gap=0):
    """The patients' answers, dated some days before the visit."""
    rows = [
        (
            row[export.place("id")],
            f"{date.fromisoformat(row[export.place('date')]) - timedelta(days=gap):%d.%m.%Y}",
            row[export.place("gad7")],
        )
        for row in export.rows[1:]
    ]
    return [("pid", "on", "gad7"), *rows]


def text(rows):
    return "".join(",".join(row) + "\n" for row in rows)


@pytest.mark.parametrize("gap", [0, 1])
def test_two_files_give_the_cohort_of_one(export, mapping, join, write, gap):
    found = join(portal(export, gap))
    assert found.cohort.sha256 == import_table(write(export, "one.csv"), mapping).cohort.sha256
    assert {check.rule: check.hits for check in found.checks}["joined"] == 18


def test_what_found_no_place_is_counted_with_its_lines(export, join):
    rows = portal(export)
    rows[4] = (rows[4][0], "14.04.2019", rows[4][2])  # 17 days after the visit of line 5, and 10 after that of line 6
    rows.append(("QX-9999", "18.03.2019", "7"))
    rows.append((rows[2][0], "22.03.2019", "9"))  # the day after the visit of line 3, which has its own row
    checks = {check.rule: check for check in join(rows).checks}
    assert checks["joined"].hits == 17
    assert checks["join_without_row"].lines == (5,)
    assert checks["join_without_visit"].lines == (5, 20)
    assert checks["join_surplus"].lines == (21,)


def test_faults_of_the_second_file_are_told_apart(export, sheet, two_files, write, refused):
    rows = portal(export)
    rows[3] = (rows[3][0], rows[3][1], "angry")
    rows[5] = (rows[5][0], "", rows[5][2])
    rows.append((*rows[1][:2], "3"))
    assert refused(sheet, two_files, companion=write(text(rows), "portal.csv")) == [
        "line 4, column 'gad7': second file: text of 5 characters; expected a whole number from 0 to 21.",
        "line 6: second file: a row without a date; expected one, to join it by.",
        (
            "line 20: second file: the same subject and visit as in line 2; expected each subject and visit once. "
            "Remove one, or name a resolver under `duplicates`."
        ),
    ]


def test_ties_are_refused_unless_declared(export, sheet, two_files, write, refused):
    rows = portal(export)
    rows[1] = (rows[1][0], "17.03.2019", rows[1][2])
    rows.append((rows[1][0], "19.03.2019", "3"))
    second = write(text(rows), "portal.csv")
    (sentence,) = refused(sheet, two_files, companion=second)
    assert sentence == (
        "the visit in line 2 with two rows of the second file equally near; expected one that is nearest. "
        'Declare ties = "earlier" or "later" under [import.companion].'
    )
    for ties, gad7 in (("earlier", 10), ("later", 3)):
        declared = replace(two_files, companion=replace(two_files.companion, ties=ties))
        table = import_table(sheet, declared, companion=second).table
        first = table[(table["visit"] == "inf1") & (table["age"] == 44)]
        assert first["gad7"].tolist() == [gad7]


def test_files_of_other_subjects_are_no_join(sheet, two_files, write, refused):
    second = write("pid,on,gad7\n1,18.03.2019,3\n2,28.03.2019,4\n", "portal.csv")
    assert (
        "no row of the second file has the subject and a near date of any visit"
        in refused(sheet, two_files, companion=second)[0]
    )


def test_a_second_file_must_be_declared_and_given(mapping, two_files, sheet, refused):
    assert refused(sheet, two_files) == ["no second file; expected one, because [import.companion] is declared."]
    assert refused(sheet, mapping, companion=sheet) == ["a second file; expected [import.companion]."]
