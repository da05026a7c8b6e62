"""The rules of a course: how often each was hit, on which lines, and that none is passed over."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from harness.importing import Covariate, check_table, import_table
from harness.importing.rules import ACCEPTABLE, COUNTED


@pytest.fixture
def checks(write, declared):
    """Return hits and lines of the rules that an export hits."""

    def found(export, **changes):
        result = import_table(write(export), declared(**changes))
        return {check.rule: check.lines for check in result.checks if check.hits}

    return found


def test_a_good_export_hits_no_rule_and_all_rules_are_in_the_table(export, mapping, write):
    table = check_table(import_table(write(export), mapping).checks)
    assert list(table["rule"]) == [*ACCEPTABLE, *COUNTED]
    assert table["hits"].tolist() == [0] * len(table)
    assert not table["accepted"].any()


@pytest.mark.parametrize(
    ("line", "days", "rules"),
    [
        (3, -2, ()),  # one day after the first infusion
        (3, -3, ("visit_order",)),  # on its day
        (6, 3, ()),  # 7 + 3 days after the last infusion
        (6, 4, ("follow_up_window",)),
        (7, -10, ()),
        (7, -11, ("follow_up_window",)),
        (13, 11, ()),  # 14 days after the infusion before
        (13, 12, ("infusion_interval",)),
    ],
)
def test_limits_of_rules_belong_to_what_is_allowed(export, checks, line, days, rules):
    assert tuple(checks(export.later(line, days), accept=tuple(ACCEPTABLE))) == rules


def unrated(export, *lines):
    for line in lines:
        for column in ("madrs", "gad7", *(f"m{number}" for number in range(1, 11))):
            export = export.put(line, column, "")
    return export


def test_who_has_only_a_baseline_or_none_is_counted_by_the_first_line(export, checks):
    assert checks(unrated(export, 3, 4, 5, 6, 7)) == {"only_baseline": (2,)}
    assert checks(unrated(export, 8)) == {"no_baseline": (8,)}


def test_infusions_are_counted_against_the_protocol(export, checks):
    assert checks(export.without(13).without(12)) == {"fewer_infusions": (8,)}
    assert checks(export.without(10)) == {"fewer_infusions": (8,), "skipped_infusion": (8,)}


def test_planned_visits_without_a_score_are_no_infusions(export, checks):
    missed = unrated(export, 12, 13)
    assert checks(missed) == {}
    assert checks(missed, planned=True) == {"fewer_infusions": (8,)}


def test_a_patient_without_scores_is_left_out_once_that_is_accepted(export, write, declared, refused):
    path = write(unrated(export, 8, 9, 10, 11, 12, 13))
    assert refused(path, declared()) == [
        (
            "line 8: a subject without any score; expected that every subject has a score (those without are left "
            'out). Correct it, or declare accept = ["never_rated"].'
        )
    ]
    found = import_table(path, declared(accept=("never_rated",)))
    assert found.cohort.n_subjects == 2
    (check,) = [check for check in found.checks if check.accepted]
    assert (check.rule, check.hits, check.lines) == ("never_rated", 1, (8,))


def infused(export, times):
    """Add the dates of infusions, as hours after midnight of the day of each rating."""
    cells = []
    for line in range(2, 20):
        day = date.fromisoformat(export.cell(line, "date"))
        hours = times.get(line, 24)
        moment = f"{day + timedelta(days=hours // 24)} {hours % 24:02}:00"
        cells.append(moment if export.cell(line, "visit").startswith("inf") else "")
    return export.each("date", lambda text: f"{text} 12:00").added("infused", cells)


def test_ratings_after_the_infusion_of_their_visit_are_refused_unless_accepted(export, write, declared, refused):
    # Infusions follow ratings of 12:00 at 14:00; line 3 at once, line 4 at 9:00 of the day, line 9 on the day before.
    export = infused(export, dict.fromkeys(range(2, 20), 14) | {3: 12, 4: 9, 9: -10})
    path = write(export)
    options = {"date_format": "%Y-%m-%d %H:%M", "infusion_date": "infused"}
    assert refused(path, declared(**options)) == [
        (
            f"line {line}: a rating after the infusion; expected that ratings precede the infusion of the same visit. "
            'Correct it, or declare accept = ["rated_after_infusion"].'
        )
        for line in (4, 9)
    ]
    found = import_table(path, declared(**options, accept=("rated_after_infusion",)))
    assert {check.rule: check.hits for check in found.checks if check.hits} == {"rated_after_infusion": 2}


def test_days_without_a_clock_do_not_tell_what_came_first(export, checks):
    cells = [export.cell(line, "date") if "inf" in export.cell(line, "visit") else "" for line in range(2, 20)]
    hits = checks(export.added("infused", cells), infusion_date="infused")
    assert len(hits.pop("same_day_unclear")) == 14
    assert not hits


def test_an_infusion_without_a_date_was_not_given_where_infusions_have_dates(export, checks):
    cells = [export.cell(line, "date") if "inf" in export.cell(line, "visit") else "" for line in range(2, 20)]
    cells[12 - 2] = ""
    hits = checks(export.added("infused", cells), infusion_date="infused")
    assert hits["fewer_infusions"] == hits["skipped_infusion"] == (8,)


def test_ages_over_89_are_coded_as_one(export, write, declared, mapping, refused):
    old = write(export.each("age", lambda text: "93" if text == "61" else text))
    age = Covariate(name="age", source="age", range=(18, 120), integer=True)
    covariates = (age, *mapping.covariates[1:])
    assert refused(old, declared(covariates=covariates)) == [
        (
            "line 14: an age over 89; expected that ages over 89 are coded as one, by `top_code`. "
            'Correct it, or declare accept = ["age_over_89"].'
        )
    ]
    found = import_table(old, declared(covariates=(replace(age, top_code=90), *covariates[1:])))
    assert found.table["age"].max() == 90
    assert {check.rule: check.hits for check in found.checks if check.hits} == {"age above 90": 6}


def test_screening_lies_before_the_first_infusion(export, write, mapping, refused):
    screened = export.put(8, "visit", "screen").put(9, "visit", "inf1").put(10, "visit", "inf2")
    for line in range(11, 14):
        screened = screened.put(line, "visit", f"inf{line - 8}")
    visit = replace(mapping.visits[0], name="screening", named=("screen",), infusion=None, screening=True)
    planned = replace(mapping.protocols[1], infusions=5)
    longer = replace(mapping, visits=(visit, *mapping.visits), protocols=(mapping.protocols[0], planned))
    table = import_table(write(screened), longer).table
    assert table.loc[table["protocol"] == "six", "day"].tolist() == [-3.0, 0.0, 4.0, 7.0, 11.0, 14.0]
    assert refused(write(screened), replace(longer, visits=(replace(visit, screening=False), *mapping.visits)))


def test_a_year_is_all_that_is_kept_of_a_date(export, write, declared):
    table = import_table(write(export), declared(start_year=True)).table
    years = table.groupby("protocol", observed=True)["start_year"].unique()
    assert {protocol: list(found) for protocol, found in years.items()} == {"four": [2019.0], "six": [2020.0]}


@pytest.mark.parametrize(("resolver", "gad7"), [("first", 9.0), ("last", 7.0), ("earliest", 7.0), ("latest", 9.0)])
def test_a_named_resolver_chooses_between_two_rows(export, write, declared, resolver, gad7):
    # Line 20 is an earlier rating at the visit of line 4.
    twice = export.again(4).put(4, "gad7", "9").later(4, 1)
    assert twice.cell(20, "gad7") == "7"
    table = import_table(write(twice), declared(duplicates=resolver)).table
    assert table.loc[(table["visit"] == "inf3") & (table["age"] == 44), "gad7"].tolist() == [gad7]


def test_rows_that_complement_each_other_are_one(export, write, declared, good):
    whole = export.again(4)
    halves = unrated(whole, 20).put(20, "gad7", "7").put(4, "gad7", "")
    assert import_table(write(halves), declared(duplicates="complement")).cohort.sha256 == good
    assert import_table(write(whole), declared(duplicates="complement")).cohort.sha256 == good


@pytest.mark.parametrize("resolver", ["identical", "complement", "earliest"])
def test_a_resolver_that_settles_nothing_says_so(export, write, declared, refused, resolver):
    (sentence,) = refused(write(export.again(4).put(20, "gad7", "9")), declared(duplicates=resolver))
    assert sentence.startswith(f"line 20: the same subject and visit as in line 4, which {resolver!r} does not settle;")
