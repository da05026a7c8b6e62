"""A limit outside of what was seen and what misleads is found, whichever side it is on."""

import math
from dataclasses import replace

import pytest

from harness.comparison.tolerances import DEFAULT, Measure
from harness.comparison.verdict import Comparison, CrossEvidence, Outcome, Verdict
from harness.convergence import Convergence, Stop
from harness.envelope.bound import bounds_of, merged
from harness.envelope.ceiling import ceiling
from harness.envelope.measure import ended_elsewhere, moves_along_a_ridge
from harness.quantities import Kind, Reading

LIMIT = 1e-6


def verdict(observed=1e-8, limit=LIMIT, metric=Measure.STANDARD_ERROR, outcome=Outcome.AGREE, **changes):
    given = {
        "quantity": "fixed[days].standard_error",
        "kind": Kind.CURVATURE,
        "left_value": 1.5,
        "right_value": 1.5,
        "metric": metric,
        "observed": observed,
        "limit": limit,
        "basis": "a test",
        "digits": None,
        "outcome": outcome,
    }
    return Verdict(**{**given, **changes})


def comparison(*verdicts):
    reading = Reading(engine="lme4", source="pinned", versions={})
    return Comparison(
        case="sleepstudy",
        left=reading,
        right=reading,
        evidence=CrossEvidence(),
        verdicts=verdicts,
        outcome=Outcome.AGREE,
    )


def bound(*verdicts):
    (found,) = merged(bounds_of(comparison(*verdicts), "lme4", "a test"))
    return found


def test_the_largest_difference_is_the_floor_and_says_where_it_was():
    found = bound(verdict(1e-8), verdict(4e-7, quantity="fixed[intercept].standard_error"), verdict(2e-7))
    assert (found.floor, found.ceiling, found.count) == (4e-7, 0.05, 3)
    assert found.share == pytest.approx(0.4)
    assert found.where == "sleepstudy fixed[intercept].standard_error, a test"
    assert found.inside
    assert not found.is_tight
    assert bound(verdict(6e-7)).is_tight


@pytest.mark.parametrize("observed", [1.1e-6, 1e-6, math.inf, math.nan])
def test_a_difference_that_reaches_the_limit_puts_it_outside(observed):
    assert not bound(verdict(observed)).inside


@pytest.mark.parametrize("limit", [0.05, 0.06, 1.0])
def test_a_limit_that_lets_pass_what_misleads_is_outside(limit):
    assert not bound(verdict(limit=limit)).inside


def test_one_verdict_outside_is_not_hidden_by_many_inside():
    assert not bound(*[verdict()] * 100, verdict(2e-6)).inside
    assert not bound(*[verdict()] * 100, verdict(limit=0.07)).inside


def test_a_known_difference_is_no_noise_and_is_counted():
    found = bound(verdict(), verdict(0.5, outcome=Outcome.KNOWN))
    assert found.inside
    assert (found.floor, found.count, found.known) == (1e-8, 1, 1)


def test_what_is_exact_is_inside_only_if_it_is_equal():
    exact = verdict(0.0, 0.0, Measure.EQUALITY)
    assert bound(exact).inside
    assert not bound(exact, replace(exact, observed=1.0)).inside


def test_every_measure_but_the_stochastic_has_a_size_that_misleads():
    without = {measure for measure in DEFAULT if ceiling(verdict(metric=measure)) is None}
    assert without == {Measure.MONTE_CARLO}  # four standard errors of simulation are no size of a number


@pytest.mark.parametrize(
    ("metric", "quantity", "value", "expected"),
    [
        (Measure.OBJECTIVE, "objective[probe 1]", -2000.0, 5e-7),  # a thousandth of a log-likelihood
        (Measure.ALGEBRAIC, "aic", 4000.0, 2.5e-6),  # its second decimal
        (Measure.ALGEBRAIC, "aic.penalty", 12.0, 0.05),
        (Measure.INPUT_SUM, "input.outcome_sum", 50_000.0, 2e-7),
        (Measure.P_VALUE, "term[days].p_value", 0.5, math.log(1.05)),
        (Measure.P_VALUE, "term[days].p_value", 0.01, math.log(1.05) / math.log(100)),
        (Measure.P_VALUE, "term[days].p_value", 1e-40, math.log(1.05) / math.log(10_000)),  # printed as <0.0001
        (Measure.PROBABILITY, "class[1].posterior[308]", 0.7, 1e-3),
        (Measure.PROBABILITY, "contrasts[a - b].tukey_p_value", 0.04, 2e-3),
    ],
)
def test_what_misleads_is_a_size_of_printed_numbers(metric, quantity, value, expected):
    found = ceiling(verdict(metric=metric, quantity=quantity, left_value=value, right_value=value))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(("gap", "elsewhere"), [(1e-9, False), (0.004, False), (0.006, True), (4.0, True)])
def test_another_optimum_is_told_from_noise_by_the_log_likelihood(gap, elsewhere):
    between = comparison(verdict(gap, metric="log-likelihood gap", quantity="log_likelihood"))
    assert ended_elsewhere(between) is elsewhere


@pytest.mark.parametrize(
    ("stop", "observed", "ridge"),
    [(Stop.BOUNDARY, 0.03, True), (Stop.FLAT, 0.03, True), (Stop.OPTIMUM, 0.03, False), (Stop.BOUNDARY, 1e-9, False)],
)
def test_a_parameter_that_runs_away_at_a_boundary_is_no_noise(stop, observed, ridge):
    outcome = Outcome.AGREE if observed <= LIMIT else Outcome.DISAGREE
    between = comparison(verdict(observed, metric=Measure.RELATIVE, outcome=outcome))
    reading = replace(between.left, convergence=Convergence(stop=stop))
    assert moves_along_a_ridge(replace(between, left=reading)) is ridge
