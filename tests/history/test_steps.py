"""A step or a trend towards a limit is told, and noise is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.history.steps import FACTOR, LEAST_EARLIER, NEAR, step, trend

quiet = st.lists(st.floats(0.9, 1.1), min_size=LEAST_EARLIER, max_size=29)


@given(quiet, st.floats(NEAR * 1.2, 0.09))
def test_a_tenfold_step_is_found_at_once(noise, level):
    found = step(np.array([*(level * factor for factor in noise), 10 * level]))
    assert found is not None
    assert found.factor == pytest.approx(10, rel=0.2)
    assert found.runs == 1


@given(quiet, st.integers(2, 4))
def test_a_step_goes_on_being_told_and_says_since_when(noise, runs):
    found = step(np.array([*(0.05 * factor for factor in noise), *[0.5] * runs]))
    assert found is not None or len(noise) < LEAST_EARLIER + runs - 1
    assert found is None or found.runs == runs


@given(quiet, st.floats(0, NEAR))
def test_a_step_far_from_the_limit_is_no_reason_to_worry(noise, now):
    assert step(np.array([*(1e-9 * factor for factor in noise), now])) is None


def test_what_is_beyond_its_limit_is_a_disagreement_and_no_warning():
    assert step(np.array([0.05] * 10 + [1.01])) is None
    assert step(np.array([0.05] * 10 + [1.0])) is not None


@given(quiet)
def test_less_than_a_factor_of_three_is_no_step(noise):
    level = 0.1
    assert step(np.array([*(level * factor for factor in noise), FACTOR * level * 0.85])) is None


@given(st.lists(st.floats(0, 1), max_size=LEAST_EARLIER))
def test_few_runs_tell_nothing(ratios):
    assert step(np.array(ratios)) is None
    assert trend(np.array(ratios)) is None


@given(st.lists(st.floats(0.9, 1.1), min_size=8, max_size=29), st.integers(0, 28))
def test_one_odd_run_in_the_past_hides_no_step(noise, place):
    earlier = [0.05 * factor for factor in noise]
    earlier[place % len(earlier)] = 1.0
    assert step(np.array([*earlier, 0.5])) is not None


def test_a_step_downwards_is_no_warning():
    assert step(np.array([0.9] * 10 + [0.05] * 3)) is None


def rate_of_false_alarms(deviation, runs, series, seed=6):
    """Return how often stationary series of log-normal noise around a tenth of the limit end in a warning."""
    noise = np.random.default_rng(seed).standard_normal((series, runs))
    ratios = np.minimum(0.1 * 10 ** (deviation * noise), 1.0)
    return np.mean([step(row) is not None or trend(row) is not None for row in ratios])


@pytest.mark.parametrize(
    ("deviation", "runs", "most"),
    [(0.1, 6, 0.0), (0.1, 30, 0.0), (0.3, 6, 0.008), (0.3, 11, 0.003), (1.0, 11, 0.004), (1.0, 30, 0.001)],
)
def test_stationary_noise_warns_as_seldom_as_is_said(deviation, runs, most):
    assert rate_of_false_alarms(deviation, runs, 4000) <= most


def test_a_trend_that_will_cross_is_told_before_it_does():
    ratios = 0.05 * 1.3 ** np.arange(10)  # 0.05 to 0.53
    found = trend(ratios)
    assert found is not None
    assert found.factor == pytest.approx(1.3)
    assert found.runs == 3  # 0.53 * 1.3^3 = 1.16


def test_a_trend_that_will_not_cross_soon_is_not_told():
    assert trend(0.05 * 1.05 ** np.arange(10)) is None
    assert trend(0.5 * 0.9 ** np.arange(10)) is None
    assert trend(np.full(10, 0.9)) is None
