"""What the tidy table holds: totals by rule, covariates by visit, days in their order, and nothing twice."""

from dataclasses import replace

import pytest

from harness.importing import Covariate, Dating, import_table, write_long, write_redcap, write_wide
from harness.importing.rekeying import new_labels


def hits(found):
    return {check.rule: check.hits for check in found.checks if check.hits}


def test_a_total_without_one_item_is_missing_unless_prorated(export, write, mapping):
    # Line 2 has the items 4, 3, ... 3 with the sum 31; without the last one, 9 items make 28.
    path = write(export.put(2, "m10", "").put(2, "madrs", ""))
    strict = import_table(path, mapping)
    assert strict.table["madrs"].isna().sum() == 1
    assert hits(strict) == {"incomplete_items": 1}
    prorating = replace(mapping, scores=(replace(mapping.scores[0], prorate=True), mapping.scores[1]))
    prorated = import_table(path, prorating)
    baseline = prorated.table[(prorated.table["visit"] == "inf1") & (prorated.table["age"] == 44)]
    assert baseline["madrs"].tolist() == [pytest.approx(10 * 28 / 9, rel=1e-15)]
    assert hits(prorated) == {"prorated": 1}


def test_two_missing_items_are_never_prorated(export, write, mapping):
    prorating = replace(mapping, scores=(replace(mapping.scores[0], prorate=True), mapping.scores[1]))
    found = import_table(write(export.put(2, "m10", "").put(2, "m9", "").put(2, "madrs", "")), prorating)
    assert found.table["madrs"].isna().sum() == 1
    assert hits(found) == {"incomplete_items": 1}


def test_items_are_kept_beside_the_table_in_its_order(export, write, mapping):
    found = import_table(write(export), mapping)
    items = found.items["madrs"]
    assert items[["subject", "visit"]].equals(found.table[["subject", "visit"]])
    assert items.drop(columns=["subject", "visit"]).sum(axis=1).tolist() == found.table["madrs"].tolist()


def test_a_given_total_stands_where_there_are_no_items(export, write, mapping):
    blank = export
    for number in range(1, 11):
        blank = blank.put(2, f"m{number}", "")
    found = import_table(write(blank), mapping)
    assert found.table["madrs"].sum() == import_table(write(export), mapping).table["madrs"].sum()


def test_the_declared_side_wins_where_items_and_total_differ(export, write, mapping):
    path = write(export.put(2, "madrs", "30"))
    for side, total in (("items", 31), ("total", 30)):
        declared = replace(mapping, scores=(replace(mapping.scores[0], differing=side), mapping.scores[1]))
        found = import_table(path, declared)
        table = found.table[(found.table["visit"] == "inf1") & (found.table["age"] == 44)]
        assert table["madrs"].tolist() == [total]
        assert hits(found) == {"items_and_total": 1}


def test_half_points_are_scores_where_they_are_declared(export, write, mapping):
    halves = (mapping.scores[0], replace(mapping.scores[1], integer=False))
    found = import_table(write(export.put(2, "gad7", "10.5")), replace(mapping, scores=halves))
    assert 10.5 in found.table["gad7"].tolist()


def test_half_points_beside_items_are_a_contradiction(export, write, mapping, refused):
    halves = (replace(mapping.scores[0], integer=False), mapping.scores[1])
    assert refused(write(export.put(2, "madrs", "31.5")), replace(mapping, scores=halves)) == [
        (
            "line 2, column 'madrs': items that make 31 beside the total 31.5; expected items that make the total. "
            'Correct it, or declare differing = "items" or "total".'
        )
    ]


def test_a_total_that_was_decided_at_import_survives_the_round_trip(export, write, mapping, tmp_path):
    decided = (replace(mapping.scores[0], differing="total"), mapping.scores[1])
    first = import_table(write(export.put(2, "madrs", "30")), replace(mapping, scores=decided))
    found, path = first, tmp_path / "again.csv"
    for write_shape in (write_long, write_wide, write_redcap):
        found = import_table(path, write_shape(found, path))
        assert found.cohort.sha256 == first.cohort.sha256


def test_a_code_is_compared_as_a_number(export, write, declared):
    found = import_table(write(export.put(2, "gad7", "-9.0").put(3, "gad7", "-9")), declared(missing=(-9.0,)))
    assert hits(found) == {"missing code -9": 2}


def test_new_labels_tell_equal_rows_apart_by_details_and_never_by_old_labels():
    rows, details = {"a": ["x"], "b": ["x"]}, {"a": ["1"], "b": ["2"]}
    first = new_labels(rows, details)
    swapped = new_labels(rows, {"a": ["2"], "b": ["1"]})
    assert sorted(first.values()) == ["S001", "S002"]
    assert swapped == {"a": first["b"], "b": first["a"]}


def test_a_covariate_may_change_from_visit_to_visit(export, write, mapping, refused):
    path = write(export.put(3, "weight", "70"))
    assert refused(path, mapping) == [
        "line 3: another weight than in line 2 for the same subject; expected one weight a subject."
    ]
    changing = replace(mapping.covariates[2], changes=True)
    found = import_table(path, replace(mapping, covariates=(*mapping.covariates[:2], changing)))
    assert found.table.loc[found.table["age"] == 44, "weight"].tolist() == [71.5, 70, *[71.5] * 4]
    assert found.cohort.units["weight"] == "kg"


def test_what_stands_once_holds_for_all_visits_of_a_subject(export, write, mapping, good):
    once = export
    for line in (3, 4, 5, 6, 7):
        for column in ("arm", "age", "sex", "weight"):
            once = once.put(line, column, "")
    assert import_table(write(once), mapping).cohort.sha256 == good


def test_a_covariate_without_range_takes_no_usual_code_for_a_number(export, write, mapping, refused):
    free = Covariate(name="weight", source="weight")
    path = write(export.each("weight", lambda text: text.replace("88", "80")).put(2, "weight", "-99"))
    assert refused(path, replace(mapping, covariates=(free,))) == [
        (
            "line 2, column 'weight': -99, which often stands for a missing value; expected `range` or `missing`. "
            "Declare missing = [-99] if it stands for a missing value."
        )
    ]


def test_days_may_stand_in_the_file(export, write, mapping, good, refused):
    days = ["0", "3", "7", "10", "17", "40", "0", "3", "7", "10", "14", "17", "0", "3", "7", "10", "17", "40"]
    by_day = replace(mapping, dating=Dating(day="day"))
    assert import_table(write(export.added("day", days)), by_day).cohort.sha256 == good
    assert refused(write(export.added("day", ["1", *days[1:]])), by_day) == [
        "line 2: another day than 0 at the visit 'inf1'; expected day 0, because days are counted from it."
    ]
    assert refused(write(export.added("day", [*days[:3], "", *days[4:]])), by_day)[0].startswith(
        "line 5: a visit without a day; expected one."
    )


def test_nominal_days_hold_where_a_file_has_neither_dates_nor_days(export, write, mapping, good):
    nominal = dict(zip([visit.name for visit in mapping.visits], (0, 3, 7, 10, 14, 17, 17, 40), strict=True))
    visits = tuple(replace(visit, day=nominal[visit.name]) for visit in mapping.visits)
    found = import_table(write(export), replace(mapping, visits=visits, dating=Dating()))
    assert found.cohort.sha256 == good
    assert hits(found) == {"nominal_day": 18}


def test_a_wide_file_has_one_row_a_subject(write, mapping, refused):
    wide = replace(
        mapping,
        shape="wide",
        visit="",
        protocol="",
        protocols=(),
        scores=(replace(mapping.scores[1], total="gad7_{visit}"),),
        covariates=(),
        dating=Dating(date={"inf1": "first", "inf2": "second"}, date_format="%d.%m.%Y"),
        visits=mapping.visits[:2],
    )
    header = "id,first,gad7_inf1,second,gad7_inf2\n"
    rows = "A,18.03.2019,12,,\nB,18.03.2019,9,21.03.2019,4\nA,,,21.03.2019,8\n"
    assert refused(write(header + rows), wide) == [
        (
            "line 4: the same subject as in line 2; expected one row a subject. "
            'Remove one, or name a resolver under `duplicates`, such as "complement".'
        )
    ]
    found = import_table(write(header + rows), replace(wide, duplicates="complement"))
    assert sorted(found.table["gad7"]) == [4, 8, 9, 12]
    assert hits(found) == {"visits without any value": 2}
