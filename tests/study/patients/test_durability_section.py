"""S9: what follow-up tells of one protocol; two are compared only where both were followed.

Means and their intervals were computed by R 4.2.2, t.test(x) and t.test(x, y) of small samples.
"""

from dataclasses import replace

import numpy as np
import pytest

from harness.study.durability import durability
from harness.study.follow_up import afterwards_of, compare_kept_response, visits_of
from harness.two_samples.mean_intervals import mean_interval, welch

X, Y = np.array([3.0, 5, 8, 9, 12, 15]), np.array([1.0, 4, 4, 7, 10])


def test_means_and_their_difference_have_the_intervals_of_r():
    one = mean_interval(X)
    assert (one.lower, one.upper) == pytest.approx((4.0364468922794448, 13.296886441053887), rel=1e-13)
    both, p = welch(X, Y)
    assert (both.lower, both.upper) == pytest.approx((-1.8812679108335832, 8.8146012441669139), rel=1e-12)
    assert p == pytest.approx(0.1765230400677395, rel=1e-12)


def test_means_without_spread_or_with_one_value_have_no_interval():
    assert np.isnan(mean_interval(np.array([3.0])).lower)
    interval, p = welch(np.array([3.0, 3.0]), np.array([1.0, 1.0]))
    assert np.isnan(interval.lower)
    assert np.isnan(p)


@pytest.fixture(scope="module")
def section(ketamine):
    return durability(ketamine.data, ketamine.plan)


def test_changes_are_differences_of_the_rows(ketamine, section, estimates_of):
    table = ketamine.data.imported.table
    four = table[table["protocol"] == "four"].set_index(["subject", "visit"])
    found = estimates_of(section)
    for scale in ("madrs", "gad7"):
        wide = four[scale].unstack("visit")
        for visit in ("fu_1wk", "fu_1mo"):
            changes = (wide[visit] - wide["inf4"]).dropna()
            estimate = found[f"{scale}.change_after_treatment.four.{visit}"]
            assert (estimate.value, estimate.denominator) == (pytest.approx(changes.mean()), len(changes))
            assert estimate.standard_error == pytest.approx(changes.sem())


def test_only_the_protocol_with_follow_up_is_described_and_the_rest_refused(section, table_of):
    assert {row["protocol"] for row in table_of(section, "changes")} == {"four"}
    assert not [estimate for estimate in section.estimates if "six" in estimate.path]
    assert "only in 'four'" in section.paragraphs[0]
    assert all("0 of 115 patients in 'six'" in text for text in section.warnings)
    assert len(section.warnings) == 2
    assert not [table for table in section.tables if table.name == "comparisons"]
    assert "six" not in section.pictures[0].description


def test_the_years_in_which_protocols_were_given_are_told(section):
    assert "2017.9 in 'four', 2020.0 in 'six'" in section.paragraphs[1]


def test_kept_responses_are_counted_among_those_who_responded(ketamine):
    table = ketamine.data.imported.table
    wide = table[table["protocol"] == "four"].set_index(["subject", "visit"])["madrs"].unstack("visit")
    responders = wide[2 * wide["inf4"] <= wide["inf1"]]
    for one in visits_of(ketamine.data, ketamine.plan, ketamine.plan.scales[0], "four"):
        rated = responders[one.visit].dropna()
        assert (one.responders, one.kept.n) == (len(responders), len(rated))
        assert one.kept.events == (2 * rated <= responders.loc[rated.index, "inf1"]).sum()
        worst, best = one.bounds
        assert worst.events <= best.events
        assert best.events - worst.events == one.responders - one.kept.n


def test_sustained_responders_did_not_relapse_by_loss(ketamine):
    """P8: under one definition of a loss, sustained response and relapse exclude each other and leave nobody."""
    madrs = ketamine.plan.scales[0]
    loss = replace(madrs, relapse=replace(madrs.relapse, by="loss_of_response", cut=None))
    sustained, relapsed = afterwards_of(ketamine.data, ketamine.plan, loss, "four")
    assert sustained.answered.n == relapsed.answered.n
    assert sustained.answered.events + relapsed.answered.events == sustained.answered.n
    assert sustained.at_risk == relapsed.at_risk == 22


def test_small_counts_hide_what_they_are_parts_of(section, table_of, estimates_of):
    for row in table_of(section, "kept"):
        assert row["responders rated"] in {"> 11", "> 6"}
        assert row["responders who still respond"] == row["% (95 % interval)"] == row["bounds"] == "withheld"
    assert not [path for path in estimates_of(section) if "kept_response" in path or "relapse" in path]


def test_kept_responses_are_shown_where_counts_allow_it(ketamine, simulated, estimates_of):
    found = estimates_of(durability(simulated(7, 5), ketamine.plan))
    kept = found["madrs.kept_response.four.fu_1wk"]
    assert 0 < kept.lower < kept.value < kept.upper < 1


def test_arms_that_were_both_followed_are_compared(beat_the_blues, table_of):
    section = durability(beat_the_blues.data, beat_the_blues.plan)
    assert not section.warnings
    assert [row["visit"] for row in table_of(section, "comparisons")] == ["m3", "m5", "m8"]
    found = [row["difference of mean changes (95 % interval)"] for row in table_of(section, "comparisons")]
    # R 4.2.2: t.test of bdi.8m - bdi.2m, BtheB against TAU: 4.480, 0.318 to 8.642
    assert found[2] == "4.48 (0.32 to 8.64)"


def test_the_end_of_treatment_is_no_follow_up_of_itself(beat_the_blues, table_of):
    section = durability(beat_the_blues.data, beat_the_blues.plan)
    assert {row["visit"] for row in table_of(section, "changes")} == {"m3", "m5", "m8"}


def test_comparing_kept_responses_is_newcombes_difference_of_both(beat_the_blues):
    data, plan = beat_the_blues.data, beat_the_blues.plan
    kept = {
        one.protocol: one.kept
        for protocol in plan.protocols
        for one in visits_of(data, plan, plan.scales[0], protocol)
        if one.visit == "m3"
    }
    found = compare_kept_response(data, plan, plan.scales[0], "m3", other="BtheB", reference="TAU")
    expected = kept["BtheB"].events / kept["BtheB"].n - kept["TAU"].events / kept["TAU"].n
    assert found.estimate == pytest.approx(expected)


def test_a_study_without_follow_up_says_so(ketamine, refilled):
    data = refilled(ketamine, lambda frame: frame[frame["visit"].str.startswith("inf")])
    section = durability(data, ketamine.plan)
    assert "no protocol" in section.paragraphs[0]
    assert not section.tables
    assert not section.estimates
