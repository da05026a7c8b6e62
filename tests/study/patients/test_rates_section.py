"""S4: every number is that of R for the same counts, and nothing depends on what the counts turned out to be.

Numbers were computed by R 4.2.2 (prop.test, chisq.test and fisher.test of stats; the others by hand as the docstrings
of harness.rates say), from the counts of the shipped study: 22 of 84 and 37 of 105 responded on MADRS.
"""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from harness.errors import ScoringError
from harness.rates import adjusted_difference
from harness.study.endings import OUTCOMES, analyses_of, rates_of
from harness.study.rates_section import rates_section

STEM = "madrs.response.six_against_four"
R = {
    "wilson": (0.1797847837872554, 0.36484937260067785),
    "newcombe": (0.090476190476190488, -0.042826282780586117, 0.21613103083675386),
    "chi_square": (1.7791134289439376, 0.18225822994774443),
    "fisher": 0.20803746667242545,
    "ratio": (0.86405382627376437, 2.0950638476899051),
    "odds_ratio": (0.81669728418645982, 2.8791383123634859),
}


@pytest.fixture(scope="module")
def section(ketamine):
    return rates_section(ketamine.data, ketamine.plan)


def test_counts_are_those_of_the_scores_themselves(ketamine):
    """From the table of the import, with no scoring at all."""
    table = ketamine.data.imported.table.set_index(["subject", "visit"])
    for scale, cut in (("madrs", 10), ("gad7", 4)):
        wide = table[scale].unstack("visit")
        protocol = table["protocol"].groupby("subject").first()
        plan = next(own for own in ketamine.plan.scales if own.name == scale)
        primary = analyses_of(ketamine.plan)[0]
        found = {outcome: rates_of(ketamine.data, ketamine.plan, plan, outcome, primary) for outcome in OUTCOMES}
        for label, last in (("four", "inf4"), ("six", "inf6")):
            own = wide[protocol == label]
            both = own["inf1"].notna() & own[last].notna()
            assert found["response"].by_protocol[label].n == both.sum()
            assert found["response"].by_protocol[label].events == (2 * own[last] <= own["inf1"])[both].sum()
            assert found["remission"].by_protocol[label].n == own[last].notna().sum()
            assert found["remission"].by_protocol[label].events == (own[last] <= cut).sum()


def test_intervals_and_tests_are_those_of_r(section, estimates_of):
    found = estimates_of(section)
    four, difference = found["madrs.response.four"], found[f"{STEM}.difference"]
    assert four.denominator == 84
    assert (four.lower, four.upper) == pytest.approx(R["wilson"], rel=1e-12)
    assert (difference.value, difference.lower, difference.upper) == pytest.approx(R["newcombe"], rel=1e-12)
    chi, exact = found[f"{STEM}.chi_square"], found[f"{STEM}.fisher"]
    assert (chi.value, chi.p) == pytest.approx(R["chi_square"], rel=1e-12)
    assert exact.p == pytest.approx(R["fisher"], rel=1e-10)
    assert (found[f"{STEM}.ratio"].lower, found[f"{STEM}.ratio"].upper) == pytest.approx(R["ratio"], rel=1e-12)
    odds = found[f"{STEM}.odds_ratio"]
    assert (odds.lower, odds.upper) == pytest.approx(R["odds_ratio"], rel=1e-12)


def test_the_primary_test_is_the_declared_one_and_both_are_printed(ketamine, estimates_of, table_of):
    for name, p in (("chi-square", R["chi_square"][1]), ("fisher", R["fisher"])):
        section = rates_section(ketamine.data, replace(ketamine.plan, primary_test=name))
        assert estimates_of(section)[f"{STEM}.difference"].p == pytest.approx(p, rel=1e-10)
        row = table_of(section, "comparisons")[0]
        # Both stand in the table whichever is primary.
        assert (row["p, chi-square"], row["p, Fisher"]) == (f"{R['chi_square'][1]:.3f}", f"{R['fisher']:.3f}")


def test_holm_is_over_all_comparisons_of_the_table(section, table_of):
    """R: p.adjust(c(0.18225, 0.34776, 0.23621, 0.21283), "holm"), all of which are four times the smallest."""
    rows = table_of(section, "comparisons")
    assert [row["p, primary, Holm"] for row in rows] == ["0.729"] * 4


def test_protocols_are_also_compared_after_as_many_treatments(ketamine, table_of, section):
    table = ketamine.data.imported.table
    six = table[table["protocol"] == "six"].set_index(["subject", "visit"])["madrs"].unstack("visit")
    both = six["inf1"].notna() & six["inf4"].notna()
    row = next(row for row in table_of(section, "sensitivity") if row["analysis"].startswith("before treatment 4"))
    events = int((2 * six["inf4"] <= six["inf1"])[both].sum())
    assert row["protocol's rate"].startswith(f"{events} of {both.sum()} ")


def test_response_and_remission_are_never_inferred_from_each_other(ketamine, simulated, table_of):
    """Their margins are the events of both rates, as far as both have an answer: of MADRS, which has all baselines."""
    section = rates_section(simulated(7, 5), replace(ketamine.plan, small_cell_limit=3))
    events = {(row["outcome"], row["protocol"]): row["patients with it"] for row in table_of(section, "rates")[:4]}
    for row in table_of(section, "response_and_remission")[:2]:
        assert int(row["both"]) + int(row["response alone"]) == events["response", row["protocol"]]
        assert int(row["both"]) + int(row["remission alone"]) == events["remission", row["protocol"]]
        assert int(row["response alone"]) > 0


def test_a_small_count_is_withheld_with_all_that_would_tell_it(beat_the_blues, estimates_of, table_of):
    section = rates_section(beat_the_blues.data, beat_the_blues.plan)
    assert not [path for path in estimates_of(section) if path.startswith("bdi.response.BtheB_against")]
    assert "bdi.response.TAU" not in estimates_of(section)
    row = table_of(section, "rates")[0]
    assert (row["patients with it"], row["of"], row["%"], row["lower"]) == ("< 11", 45, None, None)
    assert set(list(table_of(section, "comparisons")[0].values())[3:]) == {"withheld"}


def test_a_withheld_test_does_not_make_others_smaller(beat_the_blues, table_of):
    """It is 0.227 by R's chisq.test of 9 of 45 against 16 of 52, and p.adjust of both gives 0.093 for the other."""
    rows = table_of(rates_section(beat_the_blues.data, beat_the_blues.plan), "comparisons")
    assert rows[1]["p, primary, Holm"] == "0.093"
    assert rows[1]["p, chi-square"] == "0.047"


def test_one_protocol_alone_is_described_and_compared_with_nothing(ketamine, refilled):
    plan = ketamine.plan
    single = replace(plan, protocols={"four": 4}, end_of_treatment={"four": plan.end_of_treatment["four"]})
    alone = SimpleNamespace(plan=single, data=ketamine.data)
    section = rates_section(refilled(alone, lambda frame: frame[frame["protocol"] == "four"]), single)
    assert not [table for table in section.tables if table.name in {"comparisons", "sensitivity", "adjusted"}]
    assert {estimate.path for estimate in section.estimates} == {
        f"{scale}.{outcome}.four" for scale in ("madrs", "gad7") for outcome in OUTCOMES
    }


def test_the_adjusted_difference_is_that_of_glm():
    """R 4.2.2: glm(y ~ x + c + d, binomial), averaged predictions, delta method by hand as the docstring says."""
    i = np.arange(40)
    y, x = (i * 7 + i // 6) % 5 < 2, i % 2 == 1
    covariates = np.column_stack([((i * 13) % 17) / 3, (i * 5) % 3 == 0]).astype(float)
    found = adjusted_difference(y, x, covariates)
    half = 1.959963984540054 * 0.15440241464465512
    assert found.estimate == pytest.approx(0.10655613827651189, rel=1e-9)
    assert (found.lower, found.upper) == pytest.approx((found.estimate - half, found.estimate + half), rel=1e-9)


def test_without_covariates_the_adjusted_difference_is_the_difference():
    y, x = np.array([1, 0, 0, 1, 1, 1, 0, 1], bool), np.array([0, 0, 0, 0, 1, 1, 1, 1], bool)
    assert adjusted_difference(y, x, np.empty((8, 0))).estimate == pytest.approx(3 / 4 - 2 / 4, abs=1e-12)


def test_an_adjusted_difference_without_a_maximum_is_no_number():
    y, x = np.array([1, 1, 0, 0, 1, 0], bool), np.array([1, 0, 1, 0, 0, 1], bool)
    separated = adjusted_difference(y, x, y[:, None].astype(float))
    doubled = adjusted_difference(y, x, np.column_stack([x, y]).astype(float))
    for found in (separated, doubled):
        assert math.isnan(found.estimate)
        assert found.remark
    with pytest.raises(ScoringError, match="missing covariates"):
        adjusted_difference(y, x, np.full((6, 1), np.nan))
