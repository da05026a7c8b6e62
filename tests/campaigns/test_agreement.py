"""Rates with exact intervals, and a rule to stop that depends on the data alone."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from harness.campaigns.agreement import clopper_pearson, enough_after, summarise


@pytest.mark.parametrize(("events", "n"), [(0, 10), (10, 10), (1, 3), (97, 100), (9_950, 10_000)])
def test_intervals_equal_those_of_scipy(events, n):
    expected = binomtest(events, n).proportion_ci(0.95, method="exact")
    found = clopper_pearson(events, n)
    # scipy solves for the limits by brentq, to 1e-12 of one.
    assert (found.lower, found.upper) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_intervals_at_the_ends_have_a_closed_form():
    rate = clopper_pearson(185, 185)
    assert rate.upper == 1.0
    assert rate.lower == pytest.approx(0.025 ** (1 / 185), rel=1e-12)
    assert clopper_pearson(0, 0) == clopper_pearson(0, 0)
    assert (clopper_pearson(0, 0).lower, clopper_pearson(0, 0).upper) == (0.0, 1.0)


def test_more_events_than_replicates_are_refused():
    with pytest.raises(ValueError, match="3 of 2"):
        clopper_pearson(3, 2)


def test_the_rule_looks_at_whole_batches_in_order():
    # With all of 50 k agreeing, half the width is (1 - 0.025^(1/n))/2, which is below 0.02 from n = 91 on: two batches.
    assert enough_after([50, 50, 50], 50, 0.02) == 2
    assert enough_after([50], 50, 0.02) is None
    assert enough_after([40, 50, 50, 50], 50, 0.02) is None
    assert enough_after([50, 50], 50, None) is None


def covered_with_stops(rate, batch, most, half_width):
    """Return how often the interval at the stop has the rate in it, by adding up all paths of counts."""
    paths, covered = np.array([1.0]), 0.0
    for looks in range(1, most + 1):
        paths = np.convolve(paths, binom.pmf(np.arange(batch + 1), batch, rate))
        for events in np.flatnonzero(paths > 0):
            interval = clopper_pearson(int(events), looks * batch)
            if looks == most or interval.half_width <= half_width:
                covered += paths[events] * (interval.lower <= rate <= interval.upper)
                paths[events] = 0.0
    return covered


@pytest.mark.parametrize("rate", [0.9, 0.95, 0.98, 0.99])
def test_early_stops_cost_little_coverage(rate):
    # Docs give the lowest coverage over a grid of rates as computed by this function.
    assert covered_with_stops(rate, 50, 20, 0.02) > 0.94


def row(**given):
    return {
        "outcome": "agree",
        "attribution": None,
        "distance": None,
        "digits": None,
        "worst_ratio": None,
        "better": "both",
        "covered_left": None,
        "covered_right": None,
        "covered_t": None,
        "left_seconds": None,
        "right_seconds": None,
        "replicate": 0,
        **given,
    }


def test_what_could_not_be_compared_is_no_agreement():
    found = summarise([row(), row(outcome="not compared"), row(outcome="disagree", attribution="hessian")], (), "lme4")
    assert (found.agreement.events, found.agreement.n) == (1, 3)
    assert found.outcomes == {"agree": 1, "disagree": 1, "not compared": 1}
    assert found.attributions == {"hessian": 1}


def test_coverage_counts_only_intervals_that_there_are():
    rows = [row(covered_left=[True, None]), row(covered_left=[False, True]), row()]
    (coverage,) = summarise(rows, ("a", "b"), "lme4").coverage
    assert coverage.kind == "harness, Wald"
    assert {truth: (rate.events, rate.n) for truth, rate in coverage.rates.items()} == {"a": (1, 2), "b": (1, 1)}


def test_quantiles_are_values_that_were_seen():
    found = summarise([row(distance=d) for d in (1.0, 2.0, 10.0)], (), "lme4")
    assert found.distances == {0.5: 2.0, 0.9: 10.0, 0.99: 10.0, 1.0: 10.0}


def test_seconds_are_medians_and_their_ratio():
    found = summarise([row(left_seconds=1.0, right_seconds=4.0), row(left_seconds=3.0), row(left_seconds=2.0)], (), "x")
    assert (found.left_seconds, found.right_seconds, found.speed) == (2.0, 4.0, 2.0)
