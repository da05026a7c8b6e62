"""The simulation's truth is in the estimates: as far from it as chance takes them, and no farther.

The truth comes from 41 800 simulated patients and numpy alone, without the scoring or the sections: a response is
2 y <= b, and changes are differences of columns. A rate of n patients strays from it by sqrt(p (1 - p) / n), a mean
by its standard error; the Monte-Carlo error of the truth is a fourteenth of these and is added. Four such standard
errors are the limit, which chance passes once in 16 000 comparisons.
"""

import math

import numpy as np
import pytest

from harness.cohorts import simulate_ketamine
from harness.study.durability import durability
from harness.study.rates_section import rates_section

SCALES = {"madrs": 10, "gad7": 4}
LAST = {"four": 3, "six": 5}
LIMIT = 4.0
TIMES = 200
DENOMINATORS = {"locf": "last observation carried forward", "nri": "non-response where missing"}


@pytest.fixture(scope="module")
def truth():
    """Return true rates by (analysis, scale, outcome, protocol), true mean changes by (scale, visit)."""
    frame = simulate_ketamine("real", 2026, {"four": 94 * TIMES, "six": 115 * TIMES})
    rates, changes = {}, {}
    for protocol, last in LAST.items():
        own = frame[frame["protocol"] == protocol]
        for scale, cut in SCALES.items():
            scores = own[scale].to_numpy().reshape(-1, 6)
            baseline, end = scores[:, 0], scores[:, last]
            filled = scores[:, : last + 1].copy()
            for place in range(1, last + 1):
                filled[:, place] = np.where(np.isnan(filled[:, place]), filled[:, place - 1], filled[:, place])
            carried = filled[:, last]
            for name, score in (("primary", end), ("locf", carried), ("nri", np.where(np.isnan(end), 99.0, end))):
                defined = ~np.isnan(baseline) & (baseline > 0) & ~np.isnan(score)
                rates[name, scale, "response", protocol] = (2 * score <= baseline)[defined].mean()
                rates[name, scale, "remission", protocol] = (score <= cut)[~np.isnan(score)].mean()
            if protocol == "four":
                for visit, place in (("fu_1wk", 4), ("fu_1mo", 5)):
                    changes[scale, visit] = float(np.nanmean(scores[:, place] - end))
    return rates, changes


def strays(found, true, n):
    return (found - true) / math.sqrt(true * (1 - true) / n * (1 + 1 / TIMES))


@pytest.fixture(scope="module")
def shipped(ketamine):
    return rates_section(ketamine.data, ketamine.plan), durability(ketamine.data, ketamine.plan)


def test_rates_of_the_shipped_study_are_the_true_ones_up_to_chance(shipped, truth, estimates_of):
    found = estimates_of(shipped[0])
    table = {
        (scale, outcome, protocol): (
            found[f"{scale}.{outcome}.{protocol}"].value,
            truth[0]["primary", scale, outcome, protocol],
            found[f"{scale}.{outcome}.{protocol}"].denominator,
        )
        for scale in SCALES
        for outcome in ("response", "remission")
        for protocol in LAST
    }
    assert len(table) == 8
    off = {key: round(strays(*row), 2) for key, row in table.items() if abs(strays(*row)) > LIMIT}
    assert not off, table


def test_differences_of_the_shipped_study_are_the_true_ones_up_to_chance(shipped, truth, estimates_of):
    found = estimates_of(shipped[0])
    for scale in SCALES:
        for outcome in ("response", "remission"):
            p = {protocol: truth[0]["primary", scale, outcome, protocol] for protocol in LAST}
            n = {protocol: found[f"{scale}.{outcome}.{protocol}"].denominator for protocol in LAST}
            error = math.sqrt(sum(p[q] * (1 - p[q]) / n[q] for q in LAST))
            stem = f"{scale}.{outcome}.six_against_four"
            for key in ("difference", "adjusted_difference"):
                assert abs(found[f"{stem}.{key}"].value - (p["six"] - p["four"])) < LIMIT * error
            odds = math.log(p["six"] / (1 - p["six"])) - math.log(p["four"] / (1 - p["four"]))
            spread = math.sqrt(sum(1 / (n[q] * p[q] * (1 - p[q])) for q in LAST))
            assert abs(math.log(found[f"{stem}.odds_ratio"].value) - odds) < LIMIT * spread


def test_mean_changes_after_treatment_are_the_true_ones_up_to_chance(shipped, truth, estimates_of):
    found = estimates_of(shipped[1])
    for (scale, visit), true in truth[1].items():
        estimate = found[f"{scale}.change_after_treatment.four.{visit}"]
        assert abs(estimate.value - true) < LIMIT * estimate.standard_error, (scale, visit)


def test_a_study_five_times_as_large_comes_closer_in_every_analysis(simulated, ketamine, truth, table_of):
    """The limit is less than half as wide here; the same holds for both other denominators."""
    section = rates_section(simulated(7, 5), ketamine.plan)
    compared = 0
    titles = {"MADRS": "madrs", "GAD-7": "gad7"}
    for row in table_of(section, "rates"):
        true = truth[0]["primary", titles[row["scale"]], row["outcome"], row["protocol"]]
        assert abs(strays(row["%"] / 100, true, row["of"])) < LIMIT, row
        compared += 1
    analyses = {label: name for name, label in DENOMINATORS.items()}
    for row in table_of(section, "sensitivity"):
        if row["analysis"] not in analyses:
            continue
        for protocol, column in (("four", "reference"), ("six", "protocol's rate")):
            events, n = (int(part) for part in row[column].split(" (", maxsplit=1)[0].split(" of "))
            true = truth[0][analyses[row["analysis"]], titles[row["scale"]], row["outcome"], protocol]
            assert abs(strays(events / n, true, n)) < LIMIT, row
            compared += 1
    assert compared == 24


def test_intervals_of_changes_cover_the_truth_as_often_as_they_say(simulated, ketamine, truth, estimates_of):
    """Of 40 intervals of 95 %, fewer than 33 cover the truth once in 3 000 times (binomial)."""
    covered = 0
    for seed in range(10):
        found = estimates_of(durability(simulated(100 + seed), ketamine.plan))
        for (scale, visit), true in truth[1].items():
            estimate = found[f"{scale}.change_after_treatment.four.{visit}"]
            covered += estimate.lower <= true <= estimate.upper
    assert covered >= 33
