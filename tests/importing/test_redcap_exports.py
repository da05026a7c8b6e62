"""REDCap exports: events, arms, repeated forms and empty rows, by a declared table."""

from dataclasses import replace

import pytest

from harness.importing import Covariate, Dating, ImportMapping, Protocol, Score, TableFile, Visit, import_table

HEADER = (
    "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,"
    "sex,on,madrs,rating_complete,gad7,gad7_complete"
)
ROWS = """\
1,enrolment_arm_1,,,1,,,,,
1,baseline_arm_1,,,,2019-03-18,31,2,,
1,baseline_arm_1,gad7,1,,,,,12,2
1,infusion_arm_1,,2,,2019-03-21,26,2,10,2
1,infusion_arm_1,,3,,2019-03-25,20,2,9,2
1,month_6_arm_1,,,,,,0,,0
2,enrolment_arm_2,,,2,,,,,
2,baseline_arm_2,,,,2019-05-20,22,2,7,2
2,infusion_arm_2,,2,,2019-05-23,18,2,,2
"""


@pytest.fixture
def mapping():
    return ImportMapping(
        name="project",
        shape="redcap",
        subject="record_id",
        other_events=("enrolment_arm_1", "enrolment_arm_2"),
        visits=(
            Visit(name="inf1", named=("baseline_arm_1", "baseline_arm_2"), infusion=1),
            Visit(name="inf2", named=("infusion_arm_1#2", "infusion_arm_2#2"), infusion=2),
            Visit(name="inf3", named=("infusion_arm_1#3",), infusion=3),
        ),
        protocols=(
            Protocol(name="three", named=("arm_1",), infusions=3),
            Protocol(name="two", named=("arm_2",), infusions=2),
        ),
        scores=(
            Score(name="madrs", total="madrs", range=(0, 60)),
            Score(name="gad7", total="gad7", range=(0, 21)),
        ),
        covariates=(Covariate(name="sex", source="sex", levels={"F": ("1",), "M": ("2",)}),),
        dating=Dating(date="on", date_format="%Y-%m-%d"),
        file=TableFile(encoding="utf-8", delimiter=",", decimal="."),
    )


@pytest.fixture
def project(write):
    return lambda rows=ROWS: write(f"{HEADER}\n{rows}", "project.csv")


def test_events_instances_and_arms_become_visits_and_protocols(project, mapping):
    table = import_table(project(), mapping).table
    rows = table[["protocol", "sex", "visit", "day", "madrs", "gad7"]].astype(object).fillna("none")
    assert sorted(map(tuple, rows.to_numpy().tolist())) == [
        ("three", "F", "inf1", 0.0, 31.0, 12.0),
        ("three", "F", "inf2", 3.0, 26.0, 10.0),
        ("three", "F", "inf3", 7.0, 20.0, 9.0),
        ("two", "M", "inf1", 0.0, 22.0, 7.0),
        ("two", "M", "inf2", 3.0, 18.0, "none"),
    ]


def test_labels_of_events_are_read_as_their_raw_names_are(project, mapping):
    rows = ROWS
    for raw, label in (
        ("baseline", "Baseline"),
        ("infusion", "Infusion"),
        ("enrolment", "Enrolment"),
        ("month_6", "Month 6"),
    ):
        rows = rows.replace(f"{raw}_arm_1", f"{label} (Arm 1: Three)").replace(f"{raw}_arm_2", f"{label} (Arm 2: Two)")
    labelled = replace(
        mapping,
        other_events=("Enrolment (Arm 1: Three)", "Enrolment (Arm 2: Two)"),
        visits=(
            replace(mapping.visits[0], named=("Baseline (Arm 1: Three)", "Baseline (Arm 2: Two)")),
            replace(mapping.visits[1], named=("Infusion (Arm 1: Three)#2", "Infusion (Arm 2: Two)#2")),
            replace(mapping.visits[2], named=("Infusion (Arm 1: Three)#3",)),
        ),
        protocols=(
            replace(mapping.protocols[0], named=("Arm 1",)),
            replace(mapping.protocols[1], named=("Arm 2",)),
        ),
    )
    assert import_table(project(rows), labelled).cohort.sha256 == import_table(project(), mapping).cohort.sha256


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        (
            ("1,infusion_arm_1,,3,", "1,infusion_arm_1,,4,"),
            [
                (
                    "line 6, column 'redcap_event_name': the event 'infusion_arm_1#4', which no visit names; "
                    "expected one of the 5 names under [import.visits]."
                )
            ],
        ),
        (
            ("month_6_arm_1,,,,,,0", "month_6_arm_1,,,,2019-09-18,12,0"),
            [
                (
                    "line 7, column 'redcap_event_name': the event 'month_6_arm_1', which no visit names; "
                    "expected one of the 5 names under [import.visits]."
                )
            ],
        ),
        (
            ("1,enrolment_arm_1,,,1,,,,", "1,enrolment_arm_1,,,1,,29,,"),
            [
                (
                    "line 2, column 'redcap_event_name': a value that changes from visit to visit, at an event that is "
                    "no visit; expected only what does not change in a subject. Name the event under [import.visits] "
                    "if it is a visit."
                )
            ],
        ),
        (
            ("1,baseline_arm_1,gad7,1,", "1,baseline_arm_1,gad7,2,"),
            [
                (
                    "line 4, column 'redcap_event_name': the event 'baseline_arm_1#2', which no visit names; "
                    "expected one of the 5 names under [import.visits]."
                )
            ],
        ),
        (
            ("2,infusion_arm_2", "2,infusion_arm_1"),
            ["line 10: another protocol than in line 8 for the same subject; expected one protocol a subject."],
        ),
        (
            ("1,baseline_arm_1,gad7,1,,,,,12,2", "1,baseline_arm_1,gad7,1,,,30,,12,2"),
            [
                (
                    "line 4: the same subject and visit as in line 3; expected each subject and visit once. "
                    "Remove one, or name a resolver under `duplicates`."
                )
            ],
        ),
        (
            ("1,infusion_arm_1,,2,,2019-03-21,26,2,10,2\n", "1,infusion_arm_1,,2,,2019-03-21,26,2,10,2\n" * 2),
            [
                (
                    "line 6: the same subject and visit as in line 5; expected each subject and visit once. "
                    "Remove one, or name a resolver under `duplicates`."
                )
            ],
        ),
    ],
)
def test_events_that_contradict_the_mapping_are_refused(project, mapping, refused, change, problems):
    assert change[0] in ROWS
    assert refused(project(ROWS.replace(*change)), mapping) == problems


def test_an_export_without_events_has_no_visits(write, mapping, refused):
    path = write("record_id,sex,on,madrs,gad7\n1,1,2019-03-18,31,12\n", "project.csv")
    assert refused(path, mapping) == [
        "line 1, column 'redcap_event_name': no such column; expected one, because the mapping names it.",
        "line 1: neither redcap_event_name nor redcap_repeat_instance; expected one of them in a REDCap export.",
    ]


def test_instances_alone_tell_visits_apart_where_a_project_has_no_events(write, mapping):
    rows = [
        "record_id,redcap_repeat_instrument,redcap_repeat_instance,sex,on,madrs,gad7",
        "1,,,1,,,",
        "1,rating,1,,2019-03-18,31,12",
        "1,rating,2,,2019-03-21,26,10",
    ]
    single = replace(
        mapping,
        protocols=(),
        other_events=("",),
        visits=(
            Visit(name="inf1", named=("#1",), infusion=1),
            Visit(name="inf2", named=("#2",), infusion=2),
        ),
    )
    table = import_table(write("\n".join(rows), "project.csv"), single).table
    assert table[["sex", "day", "madrs"]].astype(object).to_numpy().tolist() == [["F", 0.0, 31.0], ["F", 3.0, 26.0]]
