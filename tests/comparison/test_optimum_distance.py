"""D, the distance of two optima: a quadratic form that a log-likelihood gap must match."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.comparison.optimum import conditioning, covariance_difference, distance, distance_between, marginal_errors
from harness.quantities import OptimumCovariance

seeds = st.integers(0, 2**32 - 1)


def spd(random, size):
    root = random.normal(size=(size, size))
    return root @ root.T + 0.1 * np.eye(size)


@given(seeds, st.integers(1, 6))
def test_half_its_square_is_the_gap_of_a_quadratic_log_likelihood(seed, size):
    random = np.random.default_rng(seed)
    covariance, d = spd(random, size), random.normal(size=size)
    gap = d @ np.linalg.solve(covariance, d) / 2
    assert distance(d, covariance) ** 2 / 2 == pytest.approx(gap, rel=1e-8)


@given(seeds)
def test_it_does_not_depend_on_units_or_coordinates(seed):
    random = np.random.default_rng(seed)
    covariance, d = spd(random, 4), random.normal(size=4)
    units = np.diag(10.0 ** random.uniform(-6, 6, size=4))
    turned = random.normal(size=(4, 4)) + 3 * np.eye(4)
    expected = distance(d, covariance)
    assert distance(units @ d, units @ covariance @ units) == pytest.approx(expected, rel=1e-8)
    if np.linalg.cond(turned) < 1e3:
        assert distance(turned @ d, turned @ covariance @ turned.T) == pytest.approx(expected, rel=1e-5)


@given(seeds)
def test_it_is_never_less_than_any_single_difference_in_standard_errors(seed):
    random = np.random.default_rng(seed)
    covariance, d = spd(random, 5), random.normal(size=5)
    assert distance(d, covariance) >= np.max(np.abs(d) / np.sqrt(np.diag(covariance))) * (1 - 1e-12)


def test_shares_that_sum_to_one_give_the_distance_of_any_two_of_them():
    shares = np.array([0.5, 0.3, 0.2])
    covariance = (np.diag(shares) - np.outer(shares, shares)) / 100
    d = np.array([0.01, -0.004, -0.006])
    expected = np.sqrt(d[:2] @ np.linalg.solve(covariance[:2, :2], d[:2]))
    assert distance(d, covariance) == pytest.approx(expected, rel=1e-9)


def test_a_difference_without_any_variance_is_counted_not_lost():
    shares = np.array([0.5, 0.3, 0.2])
    covariance = (np.diag(shares) - np.outer(shares, shares)) / 100
    d = np.full(3, 0.01)  # the shares no longer sum to one
    assert distance(d, covariance) > 0.2


@pytest.mark.parametrize(
    "covariance",
    [
        np.array([[1.0, 2.0], [2.0, 1.0]]),
        np.array([[1.0, 0.0], [0.0, -1.0]]),
        np.array([[1.0, 0.0], [0.0, np.nan]]),
        np.array([[1.0, 0.5], [0.5, np.inf]]),
    ],
)
def test_what_is_no_covariance_gives_no_distance(covariance):
    assert np.isnan(distance(np.array([1.0, 1.0]), covariance))


def test_a_parameter_that_the_model_fixes_must_be_equal_and_adds_nothing():
    # The covariance of uncorrelated random effects is zero without any uncertainty.
    covariance = np.diag([4.0, 0.0, 9.0])
    assert distance(np.array([2.0, 0.0, 3.0]), covariance) == pytest.approx(np.sqrt(2), rel=1e-15)
    assert distance(np.array([2.0, 1e-9, 3.0]), covariance) == np.inf
    assert distance(np.zeros(1), np.zeros((1, 1))) == 0
    fixed = OptimumCovariance(paths=("a", "b"), matrix=np.diag([4.0, 0.0]))
    free = OptimumCovariance(paths=("a", "b"), matrix=np.diag([4.0, 1e-9]))
    assert covariance_difference(fixed, fixed) == 0
    assert covariance_difference(fixed, free) == np.inf


def test_only_what_both_engines_give_enters():
    covariance = OptimumCovariance(paths=("a", "b"), matrix=np.diag([4.0, 9.0]))
    assert distance_between({"a": 1.0, "b": 3.0}, {"a": 3.0}, covariance) == pytest.approx(1.0, rel=1e-15)
    assert np.isnan(distance_between({"a": 1.0}, {}, covariance))
    assert marginal_errors(covariance) == {"a": 2.0, "b": 3.0}


def test_covariances_are_compared_by_name_in_products_of_standard_errors():
    left = OptimumCovariance(paths=("a", "b"), matrix=np.array([[4.0, 1.0], [1.0, 9.0]]))
    right = OptimumCovariance(paths=("b", "a"), matrix=np.array([[9.0, 1.6], [1.6, 4.0]]))
    assert covariance_difference(left, right) == pytest.approx(0.6 / 6, rel=1e-14)


@given(seeds, st.integers(2, 5))
def test_the_conditioning_bounds_what_noise_in_the_information_does_to_standard_errors(seed, size):
    random = np.random.default_rng(seed)
    covariance = spd(random, size)
    information = np.linalg.inv(covariance)
    noise = 1e-9
    entries = noise * np.sqrt(np.outer(np.diag(information), np.diag(information)))
    signs = np.sign(random.normal(size=(size, size)))
    disturbed = np.linalg.inv(information + entries * np.triu(signs) + entries * np.triu(signs, 1).T)
    off = np.abs(np.sqrt(np.diag(disturbed) / np.diag(covariance)) - 1).max()
    factor = conditioning(OptimumCovariance(paths=tuple("abcde"[:size]), matrix=covariance))
    assert off <= noise * factor * 1.01 + 1e-13 * np.linalg.cond(covariance)


def test_the_conditioning_of_independent_parameters_is_one_half():
    assert conditioning(OptimumCovariance(paths=("a", "b"), matrix=np.diag([4.0, 1e-8]))) == 0.5
    assert conditioning(OptimumCovariance(paths=("a", "b"), matrix=np.diag([4.0, 0.0]))) == 0.5
    assert conditioning(None) == 0


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [(1.0, 1.0 + 2**-52, 0.0), (0.0, 5e-324, 0.0), (1.0, 1.0 + 1e-9, float("inf")), (0.0, 1e-9, float("inf"))],
)
def test_rounding_of_what_a_model_fixes_is_no_difference(ours, theirs, expected):
    """As the share of a single class is, 1, and the covariance of uncorrelated random effects, 0."""
    covariance = OptimumCovariance(paths=("share", "beta"), matrix=np.diag([0.0, 4.0]))
    sides = ({"share": value, "beta": 3.0} for value in (ours, theirs))
    assert distance_between(*sides, covariance) == expected
