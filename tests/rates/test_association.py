"""Tests of rates and tables, against R 4.2.2 (stats) and by properties."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom, nchypergeom_fisher

from harness.errors import ScoringError
from harness.rates import Proportion, chi_square, compare_rates, fisher, holm

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


def test_chi_square_tests_are_those_of_chisq_test():
    # By R's chisq.test, with `correct` as `yates` here.
    for table, yates, expected in (
        (TABLE, False, (4.177062143718377030, 1, 0.040974670338752253)),
        (TABLE, True, (3.497979200182955939, 1, 0.061443760933258262)),
        ([[5, 5], [5, 6]], True, (0, 1, 1)),
        ([[12, 5, 9], [3, 14, 8]], False, (9.7061052631578927929, 2, 0.0078045168342221029)),
    ):
        found = chi_square(table, yates=yates)
        assert (found.statistic, found.df, found.p) == pytest.approx(expected, **CLOSE)
        assert found.corrected == yates
    assert chi_square([[12, 5, 9], [3, 14, 8]]).least_expected == pytest.approx(7.3529411764705878696, rel=1e-15)


@TRIES
@given(RATES, RATES)
def test_the_statistic_of_two_rates_is_the_squared_score_statistic(one, other):
    found = chi_square([[one.events, one.others], [other.events, other.others]])
    n, events = one.n + other.n, one.events + other.events
    if events in {0, n}:
        assert math.isnan(found.statistic)
        assert found.remark
        return
    difference = Fraction(one.events, one.n) - Fraction(other.events, other.n)
    pooled = Fraction(events, n)
    squared = difference**2 / (pooled * (1 - pooled) * (Fraction(1, one.n) + Fraction(1, other.n)))
    assert found.statistic == float(squared)


@TRIES
@given(RATES, RATES)
def test_fishers_p_sums_the_tables_that_are_no_more_likely(one, other):
    found, n = fisher(one, other), one.n + other.n
    events = one.events + other.events
    tables = np.arange(max(0, events - other.n), min(events, one.n) + 1)
    likely = hypergeom(n, events, one.n).pmf(tables)
    # As in R's fisher.test: tables within 1e-7 of the observed one's probability count as equal to it.
    own = likely[one.events - tables[0]]
    assert found.p == pytest.approx(likely[likely <= own * (1 + 1e-7)].sum(), rel=1e-10)


def test_the_conditional_odds_ratio_solves_its_equations_and_is_near_that_of_fisher_test():
    found = fisher(SIX, FOUR)
    # R: fisher.test(rbind(c(29, 86), c(13, 81))); its searches stop at about four digits.
    assert found.p == pytest.approx(0.055624216295569483, rel=1e-12)
    assert found.odds_ratio.estimate == pytest.approx(2.093827572900743395, rel=1e-4)
    assert limits(found.odds_ratio) == pytest.approx((0.974488218729328670, 4.711205572957297250), rel=3e-4)
    below, above = (nchypergeom_fisher(209, 42, 115, odds) for odds in limits(found.odds_ratio))
    assert nchypergeom_fisher(209, 42, 115, found.odds_ratio.estimate).mean() == pytest.approx(29, rel=1e-8)
    assert (below.sf(28), above.cdf(29)) == pytest.approx((0.025, 0.025), rel=1e-6)


def test_fisher_without_a_row_or_column_says_nothing_against_equality():
    # R: fisher.test(rbind(c(0, 5), c(0, 6))) has p = 1 and the limits 0 and Inf.
    found = fisher(Proportion(events=0, n=5), Proportion(events=0, n=6))
    assert (found.p, *limits(found.odds_ratio)) == (1, 0, math.inf)
    assert found.odds_ratio.remark


def test_the_primary_test_is_the_one_that_was_named_whatever_the_counts():
    # On this table the two fall on different sides of .05.
    by_chi_square, by_fisher = (compare_rates(SIX, FOUR, primary) for primary in ("chi_square", "fisher"))
    assert by_chi_square.p == by_fisher.chi_square.p < 0.05 < by_fisher.p == by_chi_square.fisher.p
    few = compare_rates(Proportion(events=1, n=4), Proportion(events=0, n=3), "chi_square")
    assert few.p == few.chi_square.p
    with pytest.raises(ScoringError, match="primary 'yates'"):
        compare_rates(SIX, FOUR, "yates")


def test_holm_is_that_of_p_adjust():
    # By R's p.adjust, with NA for NaN.
    found = holm([0.01, 0.04, 0.03, math.nan, 0.005])
    assert found == pytest.approx((0.03, 0.06, 0.06, math.nan, 0.02), rel=1e-15, nan_ok=True)
    assert holm([]) == ()
    with pytest.raises(ScoringError, match=r"p = 1.5"):
        holm([0.1, 1.5])


@TRIES
@given(st.lists(st.floats(0, 1), min_size=1), st.randoms())
def test_holm_rejects_what_stepping_down_rejects_in_any_order(p_values, random):
    adjusted, level = holm(p_values), 0.05
    rejected, order = set(), sorted(range(len(p_values)), key=lambda place: p_values[place])
    for rank, place in enumerate(order):
        if p_values[place] * (len(p_values) - rank) > level:
            break
        rejected.add(place)
    assert {place for place, p in enumerate(adjusted) if p <= level} == rejected
    assert all(own <= new <= 1 for own, new in zip(p_values, adjusted, strict=True))
    order = random.sample(range(len(p_values)), len(p_values))
    assert holm([p_values[place] for place in order]) == tuple(adjusted[place] for place in order)


@pytest.mark.parametrize(
    ("table", "yates"),
    [
        ([[1, 2]], False),
        ([[1, 2], [3]], False),
        ([[1, 2], [3, 4.5]], False),
        ([[1, 2], [3, True]], False),
        ([[1, 2, 3], [3, 4, 5]], True),
    ],
)
def test_what_is_no_table_of_counts_is_refused(table, yates):
    with pytest.raises(ScoringError):
        chi_square(table, yates=yates)
