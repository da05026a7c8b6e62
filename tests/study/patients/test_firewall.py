"""P10: whatever asks to compare or extend what was not observed is refused, with the data's own counts."""

import pickle

import numpy as np
import pandas as pd
import pytest

from harness.errors import StudyError
from harness.importing import import_table
from harness.study.durability import durability
from harness.study.endings import analyses_of, rates_of
from harness.study.firewall import (
    DurabilityNotEstimable,
    require_comparable_follow_up,
    require_follow_up,
    require_no_pooled_follow_up,
    require_within_observation,
)
from harness.study.follow_up import afterwards_of, compare_changes, compare_kept_response, visits_of
from harness.study.rates_section import rates_section
from harness.study.reading import read_data, study_data
from harness.study.study_file import read_study

MONTH = "fu_1mo"

ROUTES = {
    "a comparison": lambda d, _: require_comparable_follow_up(d, [MONTH], ["four", "six"]),
    "one scale": lambda d, _: require_comparable_follow_up(d, ["inf1", MONTH], ["six", "four"], ["gad7"]),
    "a pooled model": lambda d, _: require_no_pooled_follow_up(d, ("inf1", "inf4", MONTH)),
    "a day": lambda d, _: require_within_observation(d, "six", 39.0),
    "a day of one scale": lambda d, _: require_within_observation(d, "six", 40.0, "gad7"),
    "a protocol": lambda d, _: require_follow_up(d, ["six"]),
    "the section, one protocol": lambda d, p: durability(d, p, ["six"]),
    "the section, both": lambda d, p: durability(d, p, ["four", "six"]),
    "visits": lambda d, p: list(visits_of(d, p, p.scales[0], "six")),
    "relapse": lambda d, p: list(afterwards_of(d, p, p.scales[0], "six")),
    "kept responses": lambda d, p: compare_kept_response(d, p, p.scales[0], MONTH, other="six", reference="four"),
    "changes": lambda d, p: compare_changes(d, p, p.scales[1], MONTH, other="six", reference="four"),
}


def with_follow_up(frame, n, *, score, visit=MONTH, day=40.0):
    """Return the rows with a follow-up visit of the first n patients of the protocol that has none."""
    six = frame[(frame["protocol"] == "six") & (frame["visit"] == "inf1")].head(n).copy()
    six["visit"], six["day"], six["week"], six["infusion"] = visit, day, day / 7, np.nan
    for name in ("madrs", "gad7"):
        six[name] = score
    return pd.concat([frame, six], ignore_index=True)


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_to_a_follow_up_that_a_protocol_lacks_is_refused(ketamine, route):
    with pytest.raises(DurabilityNotEstimable) as refusal:
        ROUTES[route](ketamine.data, ketamine.plan)
    assert "0 of 115 patients in 'six'" in str(refusal.value)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("n", [1, 115])
def test_empty_rows_of_follow_up_unlock_nothing(ketamine, refilled, route, n):
    data = refilled(ketamine, lambda frame: with_follow_up(frame, n, score=np.nan))
    with pytest.raises(DurabilityNotEstimable) as refusal:
        ROUTES[route](data, ketamine.plan)
    assert "0 of 115 patients in 'six'" in str(refusal.value)


@pytest.mark.parametrize("route", ROUTES)
def test_a_few_patients_unlock_nothing_and_are_not_counted_aloud(ketamine, refilled, route):
    data = refilled(ketamine, lambda frame: with_follow_up(frame, 9, score=20.0))
    with pytest.raises(DurabilityNotEstimable) as refusal:
        ROUTES[route](data, ketamine.plan)
    assert "fewer than 11 of 115 patients in 'six'" in str(refusal.value)


def test_a_fifth_of_a_protocol_is_needed_and_is_enough(ketamine, refilled):
    # 23 is a fifth of 115, and more than ten.
    for n, fits in ((22, False), (23, True)):
        data = refilled(ketamine, lambda frame, n=n: with_follow_up(frame, n, score=20.0))
        for route in ("a comparison", "one scale", "kept responses", "changes", "visits", "a day"):
            if fits:
                ROUTES[route](data, ketamine.plan)
            else:
                with pytest.raises(DurabilityNotEstimable):
                    ROUTES[route](data, ketamine.plan)


def test_empty_events_of_an_export_unlock_nothing(edited, tmp_path):
    raw = read_study(edited()).data.read_text(encoding="utf-8").splitlines()
    header = raw[0].split(",")
    place = {name: header.index(name) for name in ("record_id", "redcap_event_name", "visit_date", "madrs_total")}
    subjects = {line.split(",")[0] for line in raw[1:] if ",infusion_6_arm_2," in line}
    for event, code, date in (("week_1_arm_2", "-9", "2030-01-01"), ("month_1_arm_2", "", "2030-02-01")):
        for subject in sorted(subjects):
            cells = [""] * len(header)
            cells[place["record_id"]], cells[place["redcap_event_name"]] = subject, event
            cells[place["visit_date"]], cells[place["madrs_total"]] = date, code
            raw.append(",".join(cells))
    (tmp_path / "ketamine_redcap.csv").write_text("\n".join(raw) + "\n", encoding="utf-8")
    both = {
        'named = "week_1_arm_1"': 'named = ["week_1_arm_1", "week_1_arm_2"]',
        'named = "month_1_arm_1"': 'named = ["month_1_arm_1", "month_1_arm_2"]',
        "missing = [-9]": 'missing = [-9]\naccept = ["follow_up_window", "visit_order"]',
    }
    plan = read_study(edited(replace=both, folder=tmp_path))
    with pytest.raises(DurabilityNotEstimable, match="0 of 115 patients in 'six'"):
        durability(read_data(plan), plan, ["six"])


def test_a_study_file_that_pools_follow_up_is_refused_when_its_data_are_read(edited):
    plan = read_study(
        edited(replace={'time_axis = "visit"': 'time_axis = "visit"\nvisits = ["inf1", "inf4", "fu_1mo"]'})
    )
    with pytest.raises(DurabilityNotEstimable, match=r"absent, or nearly so, in \{six\}"):
        read_data(plan)


def test_an_end_of_treatment_at_a_follow_up_is_refused_unless_all_have_it(edited):
    later = 'rule = "post_last", window = [4, 10]'
    plan = read_study(edited(replace={'rule = "last_preinfusion"': later}))
    data = read_data(plan)
    with pytest.raises(DurabilityNotEstimable, match="'fu_1wk'"):
        rates_section(data, plan)


def test_a_forced_end_can_not_smuggle_a_follow_up_into_a_comparison(edited):
    four = {'four = { rule = "last_preinfusion" }': 'four = { rule = "post_last", window = [4, 10] }'}
    forced = four | {"carry_baseline = true": "carry_baseline = true\nforce_different_ends = true"}
    plan = read_study(edited(replace=forced))
    data = read_data(plan)
    with pytest.raises(DurabilityNotEstimable, match="'fu_1wk'"):
        rates_section(data, plan)


def test_an_alternative_end_at_a_follow_up_is_left_out_with_its_reason(edited):
    late = {
        '"day 10" = { rule = "window", window = [8, 12], target = 10 }': 'late = { rule = "window", window = [30, 50] }'
    }
    plan = read_study(edited(replace=late))
    data = read_data(plan)
    with pytest.raises(DurabilityNotEstimable):
        rates_of(data, plan, plan.scales[0], "response", analyses_of(plan)[-1])
    section = rates_section(data, plan)
    assert [text for text in section.warnings if "'end of treatment: late' could not be made" in text]
    assert not [row for table in section.tables for row in table.rows if "late" in str(row[0])]


def test_arms_that_were_both_followed_may_be_compared(beat_the_blues):
    plan, data = beat_the_blues.plan, beat_the_blues.data
    require_comparable_follow_up(data, plan.follow_up_visits, ["TAU", "BtheB"])
    require_no_pooled_follow_up(data, plan.model_visits)
    require_within_observation(data, "TAU", 244.0)
    kept = compare_kept_response(data, plan, plan.scales[0], "m8", other="BtheB", reference="TAU")
    assert -1 <= kept.lower <= kept.estimate <= kept.upper <= 1


def test_one_protocol_alone_may_be_followed(ketamine):
    require_comparable_follow_up(ketamine.data, [MONTH], ["four"])
    require_within_observation(ketamine.data, "four", 45.0)
    require_follow_up(ketamine.data, ["four"])


def test_visits_in_treatment_are_nobodys_follow_up(ketamine):
    require_comparable_follow_up(ketamine.data, ketamine.plan.treatment_visits, ["four", "six"])
    require_no_pooled_follow_up(ketamine.data, ketamine.plan.treatment_visits)


@pytest.mark.parametrize(("day", "fits"), [(0.0, True), (18.0, True), (18.5, False), (46.0, False)])
def test_a_curve_ends_with_the_last_rating_of_its_protocol(ketamine, day, fits):
    if fits:
        require_within_observation(ketamine.data, "six", day)
    else:
        with pytest.raises(DurabilityNotEstimable, match="no patient was rated on day"):
            require_within_observation(ketamine.data, "six", day)


def test_one_late_patient_does_not_lengthen_a_curve(ketamine, refilled):
    data = refilled(ketamine, lambda frame: with_follow_up(frame, 1, score=20.0))
    with pytest.raises(DurabilityNotEstimable, match="too few patients were rated on day 33 or later"):
        require_within_observation(data, "six", 40.0)


def test_counts_of_which_the_rest_is_small_are_not_told_either(beat_the_blues, refilled):
    def without_late_ratings_of_the_program(frame):
        return frame[(frame["protocol"] == "TAU") | (frame["visit"] == "pre")]

    # 45 of the 48 patients with usual treatment were rated after two months.
    with pytest.raises(DurabilityNotEstimable) as refusal:
        refilled(beat_the_blues, without_late_ratings_of_the_program)
    assert "more than 37 of 48 patients in 'TAU'; 0 of 52 patients in 'BtheB'" in str(refusal.value)


def test_a_refusal_is_an_error_of_the_study_and_survives_another_process(ketamine):
    with pytest.raises(StudyError) as refusal:
        require_follow_up(ketamine.data, ["six"])
    copied = pickle.loads(pickle.dumps(refusal.value))  # noqa: S301  # our own bytes
    assert (str(copied), copied.observed, copied.visits) == (
        str(refusal.value),
        refusal.value.observed,
        refusal.value.visits,
    )


def test_an_import_without_the_visits_of_the_plan_has_no_follow_up(ketamine):
    plan = ketamine.plan
    data = study_data(import_table(plan.data, plan.mapping), plan)
    with pytest.raises(DurabilityNotEstimable):
        require_follow_up(data, ["four", "six"])
