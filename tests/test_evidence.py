"""What is measured between engines: our estimates anywhere, the flattest direction, and a point that nobody chose."""

from dataclasses import replace

import numpy as np
import pytest

from harness.comparison.directions import flat_direction
from harness.engines import RANDOM_POINT, solve
from harness.runs import read_cases


def solved(name):
    (case,) = read_cases([name])
    return solve(case)


@pytest.mark.parametrize(
    "name",
    [
        "sleepstudy__random_slope_reml",  # one grouping factor
        "penicillin__crossed_ml",
        "orthodont__us_reml",  # a residual structure
        "orthodont__distance_2_classes",
    ],
)
def test_given_our_optimum_the_estimates_and_their_errors_are_ours(name):
    """By the same formulas without a search: all but the errors of variances, which need an optimum."""
    ours = solved(name)
    best = ours.probes()[-1].point
    said = {q.path: q for q in ours.reading("lme4").quantities}
    there = {q.path: q for q in ours.quantities_at(best)}
    assert there.keys() == said.keys()
    for path, quantity in there.items():
        assert quantity.value == pytest.approx(said[path].value, rel=1e-7, abs=1e-9), path
        if path.startswith(("fixed[", "class[")) and quantity.standard_error is not None:
            assert quantity.standard_error == pytest.approx(said[path].standard_error, rel=1e-7), path


def test_away_from_the_optimum_the_errors_are_those_of_that_point():
    """For one random intercept se(intercept) has a closed form: sigma sqrt((1 + n theta^2) / (m n)), 18 by 10 rows."""
    ours = solved("sleepstudy__random_intercept_ml")
    for theta in (0.5, 2.0):
        there = {q.path: q.value for q in ours.quantities_at((theta,))}
        days = np.arange(10.0)
        within = there["sigma.estimate"] / np.sqrt(18 * np.sum((days - days.mean()) ** 2))
        assert there["fixed[days].standard_error"] == pytest.approx(within, rel=1e-10)
        mean = there["sigma.estimate"] ** 2 * (1 + 10 * theta**2) / 180
        intercept = np.sqrt(mean + (days.mean() * within) ** 2)
        assert there["fixed[intercept].standard_error"] == pytest.approx(intercept, rel=1e-10)


def test_the_flattest_direction_is_the_one_along_which_the_log_likelihood_falls_least():
    ours = solved("sleepstudy__random_slope_reml")
    found = ours.flattest()
    best = np.array(ours.probes()[-1].point)
    units = np.array([1.0, *(2 * [1 / np.sqrt(np.mean(np.arange(10.0) ** 2))])])
    names = ("theta[intercept,intercept]", "theta[days,intercept]", "theta[days,days]")
    along = np.array([found.weights.get(name, 0.0) for name in names])

    def falls(direction):
        step = 0.02 * units * direction / np.linalg.norm(direction)
        return 2 * ours.log_likelihood(best) - ours.log_likelihood(best + step) - ours.log_likelihood(best - step)

    stream = np.random.default_rng(1)
    assert all(falls(along) <= 1.01 * falls(stream.normal(size=3)) for _ in range(20))
    assert falls(along) / 0.02**2 == pytest.approx(found.information, rel=0.02)


def test_a_direction_names_what_moves_and_what_moves_most_first_by_one():
    found = flat_direction(np.array([0.02, -0.5, 0.25]), ("a", "b", "c"), 3.0)
    assert dict(found.weights) == {"b": 1.0, "c": -0.5}
    assert flat_direction(np.array([np.nan, 1.0]), ("a", "b"), 3.0) is None
    assert flat_direction(np.zeros(2), ("a", "b"), 3.0) is None


@pytest.mark.parametrize(
    "name", ["sleepstudy__random_slope_reml", "orthodont__us_reml", "orthodont__distance_2_classes"]
)
def test_the_random_point_is_the_same_each_time_and_another_in_another_case(name):
    ours = solved(name)

    def drawn(side):
        (point,) = (probe.point for probe in side.probes() if probe.label == RANDOM_POINT)
        return point

    assert drawn(ours) == drawn(ours)
    other = replace(ours, case=replace(ours.case, name="another"))
    assert drawn(other) != drawn(ours)
    assert np.isfinite(ours.log_likelihood(drawn(ours)))
    assert ours.log_likelihood(drawn(ours)) < ours.log_likelihood(ours.probes()[-1].point)
