"""Intervals of rates, against R 4.2.2 (stats) and by properties."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from harness.errors import ScoringError
from harness.rates import (
    Proportion,
    chi_square,
    compare_rates,
    odds_ratio,
    risk_difference,
    risk_ratio,
    wilson,
)

FOUR, SIX = Proportion(events=13, n=94), Proportion(events=29, n=115)
TABLE = [[29, 86], [13, 81]]
TRIES = settings(max_examples=40, deadline=None)
# A few roundings of a double.
CLOSE = {"rel": 1e-13, "abs": 1e-15}


@st.composite
def proportions(draw):
    n = draw(st.integers(1, 60))
    return Proportion(events=draw(st.integers(0, n)), n=n)


RATES = proportions()


def limits(found):
    return found.lower, found.upper


def test_a_table_on_which_the_tests_disagree_comes_out_to_the_digits_known_for_it():
    both = compare_rates(SIX, FOUR, "chi_square")
    assert f"{both.chi_square.statistic:.4f} {both.chi_square.p:.5f} {both.fisher.p:.5f}" == "4.1771 0.04097 0.05562"
    assert f"{chi_square(TABLE, yates=True).p:.5f}" == "0.06144"
    printed = [f"{limit:.4f}" for rate in (FOUR, SIX) for limit in limits(wilson(rate))]
    assert printed == ["0.0826", "0.2224", "0.1817", "0.3387"]
    difference = risk_difference(SIX, FOUR)
    assert [f"{value:.4f}" for value in (difference.estimate, *limits(difference))] == ["0.1139", "0.0042", "0.2167"]


def test_wilson_intervals_are_those_of_prop_test():
    # R: prop.test(x, n, conf.level = level, correct = FALSE)$conf.int
    for events, n, level, expected in (
        (13, 94, 0.95, (0.082637781195936455, 0.222360316546883124)),
        (29, 115, 0.95, (0.18169936213655813, 0.33867003953831876)),
        (0, 20, 0.95, (0.0, 0.1611251580528193)),
        (20, 20, 0.90, (0.88084216263903548, 1.0)),
    ):
        assert limits(wilson(Proportion(events=events, n=n), level)) == pytest.approx(expected, **CLOSE)


@TRIES
@given(RATES, st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_limits_are_the_rates_that_a_score_test_does_not_reject(rate, level):
    found = wilson(rate, level)
    assert 0 <= found.lower <= found.estimate <= found.upper <= 1
    theirs = binomtest(rate.events, rate.n).proportion_ci(level, method="wilson")
    assert limits(found) == pytest.approx((theirs.low, theirs.high), rel=1e-12, abs=1e-14)


@TRIES
@given(RATES, RATES)
def test_the_difference_lies_in_its_interval_and_turns_its_sign_with_its_sides(one, other):
    there, back = risk_difference(one, other), risk_difference(other, one)
    assert -1 <= there.lower <= there.estimate <= there.upper <= 1
    assert (there.estimate, there.lower, there.upper) == pytest.approx(
        (-back.estimate, -back.upper, -back.lower), abs=1e-15
    )
    assert there.estimate == float(Fraction(one.events, one.n) - Fraction(other.events, other.n))


def test_newcombe_intervals_are_those_of_his_paper():
    # Newcombe (1998), Stat Med 17:873-890, table II, method 10, to the four digits printed there.
    for one, other, expected in (
        ((56, 70), (48, 80), ("0.0524", "0.3339")),
        ((9, 10), (3, 10), ("0.1705", "0.8090")),
        ((10, 10), (0, 10), ("0.6075", "1.0000")),
    ):
        found = risk_difference(*(Proportion(events=events, n=n) for events, n in (one, other)))
        assert tuple(f"{limit:.4f}" for limit in limits(found)) == expected


def test_ratios_are_those_of_binomial_regressions():
    # R: exp(confint.default(glm(cbind(events, others) ~ protocol, binomial(link)))), epsilon = 1e-15.
    odds, risk = odds_ratio(SIX, FOUR), risk_ratio(SIX, FOUR)
    assert (odds.estimate, *limits(odds)) == pytest.approx(
        (2.101073345259393, 1.0215287774325521, 4.3214731681418250), rel=1e-12
    )
    assert (risk.estimate, *limits(risk)) == pytest.approx(
        (1.8234113712374576, 1.0060083841514964, 3.3049714904337950), rel=1e-12
    )


@TRIES
@given(RATES, RATES)
def test_ratios_turn_over_with_their_sides_or_are_undefined_on_both(one, other):
    for ratio in (risk_ratio, odds_ratio):
        there, back = ratio(one, other), ratio(other, one)
        if math.isnan(there.lower):
            assert math.isnan(back.lower)
            assert there.remark
            assert 0 in {one.events, other.events, one.others, other.others}
        else:
            assert (there.estimate * back.estimate, there.lower * back.upper) == pytest.approx((1, 1), rel=1e-12)
            assert there.lower <= there.estimate <= there.upper


def test_a_count_of_zero_leaves_the_estimate_and_no_interval():
    none, some, every = (Proportion(events=events, n=5) for events in (0, 2, 5))
    assert [risk_ratio(one, other).estimate for one, other in ((none, some), (some, none))] == [0, math.inf]
    assert math.isnan(risk_ratio(none, none).estimate)
    assert [odds_ratio(one, other).estimate for one, other in ((every, some), (some, every))] == [math.inf, 0]
    assert limits(risk_ratio(every, every)) == (1, 1)
    assert "without width" in risk_ratio(every, every).remark
    nobody = Proportion(events=0, n=0)
    for found in (wilson(nobody), risk_difference(some, nobody), risk_ratio(nobody, some), odds_ratio(some, nobody)):
        assert math.isnan(found.lower)
        assert found.remark


@pytest.mark.parametrize(
    "build",
    [
        lambda: Proportion(events=3, n=2),
        lambda: Proportion(events=-1, n=2),
        lambda: Proportion(events=1.0, n=2),
        lambda: Proportion(events=True, n=2),
        lambda: Proportion(events="1", n=2),
        lambda: wilson(FOUR, 95),
        lambda: wilson(Proportion(events=0, n=0), 1),
    ],
)
def test_what_is_no_rate_is_refused(build):
    with pytest.raises(ScoringError):
        build()


def test_counts_of_numpy_do_not_overflow():
    large = [Proportion(events=np.int32(events), n=np.int32(2_000_000_000)) for events in (900_000_000, 900_100_000)]
    plain = [Proportion(events=events, n=2_000_000_000) for events in (900_000_000, 900_100_000)]
    assert risk_difference(*large) == risk_difference(*plain)
    cells = [[rate.events, rate.others] for rate in plain]
    assert chi_square(np.array(cells, dtype=np.int32)) == chi_square(cells)
