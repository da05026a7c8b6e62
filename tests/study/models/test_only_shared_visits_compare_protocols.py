"""What lies beyond the visits that protocols share never touches a comparison of them, nor any follow-up a model."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.study.firewall import DurabilityNotEstimable
from harness.study.mixed_models import begin_mixed_models
from harness.study.model_rows import model_rows, own_visits, shared_visits
from harness.study.trajectories import fit_trajectories
from harness.study.trajectory_models import trajectory_models

FIRST = ("inf1", "inf2", "inf3", "inf4")


@pytest.fixture
def frame(real):
    return real.frame


@pytest.fixture(scope="module")
def section_from(plan, no_r, data_of, finished):
    def make(frame):
        return finished(begin_mixed_models(data_of(frame), plan, no_r))

    return make


def changed(frame, visits):
    """Return the cohort with other scores at some visits."""
    other = frame.copy()
    here = other["visit"].isin(visits)
    other.loc[here, "madrs"] = (other.loc[here, "madrs"] + 17) % 61
    other.loc[here, "gad7"] = (other.loc[here, "gad7"] + 8) % 22
    assert (other.loc[here, "madrs"].dropna() != frame.loc[here, "madrs"].dropna()).all()
    return other


def compares_protocols(path):
    return any(part in path for part in (".visit_by_protocol.", ".change_difference.", ".constrained_difference."))


def test_later_scores_of_one_protocol_change_no_comparison_of_protocols(section_from, mixed, frame):
    before, after = mixed, section_from(changed(frame, ["inf5", "inf6"]))
    kept = [each for each in before.estimates if compares_protocols(each.path) and not each.path.startswith("scales")]
    assert len(kept) == 2 * 7
    assert kept == [
        each for each in after.estimates if compares_protocols(each.path) and not each.path.startswith("scales")
    ]
    # The models of all visits do use them.
    pairs = zip(before.estimates, after.estimates, strict=True)
    assert any(one.value != other.value for one, other in pairs if one.path.startswith("madrs.change."))
    names = {"madrs.by_protocol", "madrs.protocol_differences", "gad7.by_protocol", "gad7.protocol_differences"}
    shown = [table for table in before.tables if table.name in names]
    assert len(shown) == 4
    assert shown == [table for table in after.tables if table.name in names]
    assert all(row[1] in FIRST for table in shown for row in table.rows)


def test_follow_up_scores_change_no_model(section_from, mixed, *, plan, no_r, data_of, frame):
    other = changed(frame, ["fu_1wk", "fu_1mo"])
    assert section_from(other) == mixed
    small = replace(plan, classes=(2,), chosen_classes={}, starts=5, scales=plan.scales[1:])
    fits = [fit_trajectories(data_of(rows), small, no_r) for rows in (frame, other)]
    for one, two in zip(*fits, strict=True):
        np.testing.assert_array_equal(one.fit.fit.point, two.fit.fit.point)


def test_models_use_the_visits_in_treatment_and_comparisons_those_of_all_protocols(plan, data_of, frame):
    data = data_of(frame)
    rows = model_rows(data, plan)
    assert set(rows["visit"]) == set(plan.treatment_visits)
    assert rows["occasion"].tolist() == [plan.treatment_visits.index(visit) for visit in rows["visit"]]
    assert shared_visits(data, plan) == FIRST
    assert own_visits(plan, "four") == FIRST
    assert own_visits(plan, "six") == plan.treatment_visits


@pytest.mark.parametrize("extra", [("fu_1wk",), ("fu_1wk", "fu_1mo")])
@pytest.mark.parametrize("fill", [False, True])
def test_models_that_reach_into_a_follow_up_of_one_protocol_are_refused(plan, no_r, data_of, *, frame, extra, fill):
    rows = frame.copy()
    if fill:  # rows without scores at the follow-up visits of those who have none
        empty = rows[(rows["protocol"] == "six") & (rows["visit"] == "inf6")].assign(visit=extra[0], week=9.0, day=63)
        rows = pd.concat([rows, empty.assign(madrs=np.nan, gad7=np.nan)], ignore_index=True)
    reaching = replace(plan, model_visits=(*plan.treatment_visits, *extra))
    data = data_of(rows)
    with pytest.raises(DurabilityNotEstimable, match=r"0 of 115 patients in 'six'"):
        begin_mixed_models(data, reaching, no_r)
    with pytest.raises(DurabilityNotEstimable):
        fit_trajectories(data, reaching, no_r)
    with pytest.raises(DurabilityNotEstimable):
        trajectory_models(data, reaching)


def test_protocols_that_were_all_followed_up_are_compared_there(beat_the_blues):
    plan, data = beat_the_blues.plan, beat_the_blues.data
    assert shared_visits(data, plan) == ("pre", "m2", "m3", "m5", "m8")
