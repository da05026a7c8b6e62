"""Curves of both engines: our design at either side's estimates, whatever the classes are called."""

from dataclasses import replace

import numpy as np
import pytest

from harness.comparison.judge import judge
from harness.comparison.verdict import CrossEvidence
from harness.curves import curves_of
from harness.engines import solve
from harness.figures import overlay
from harness.lmm.curve import population_curves
from harness.quantities import Failure, Reading
from harness.runs import read_cases


@pytest.fixture(scope="module")
def mixed():
    (case,) = read_cases(["sleepstudy__random_slope_reml"])
    return solve(case)


@pytest.fixture(scope="module")
def trajectories():
    (case,) = read_cases(["epil__seizures_3_classes"])
    return solve(case)


def compared(ours, right):
    left = ours.reading("lme4")
    return judge(ours.case.name, left, right, CrossEvidence())


def moved(reading, path, by):
    changed = (replace(q, value=q.value + by) if q.path == path else q for q in reading.quantities)
    return replace(reading, engine="other", quantities=tuple(changed))


def test_a_moved_slope_turns_the_references_line_and_leaves_ours(mixed):
    reading = mixed.reading("lme4")
    (pair,) = curves_of(mixed, compared(mixed, moved(reading, "fixed[days].estimate", 1.0)))
    times, left, right = (np.array(values) for values in (pair.times, pair.left, pair.right))
    assert right - left == pytest.approx(times, abs=1e-9)  # one unit of outcome a day
    (curve,) = population_curves(mixed.result.design, mixed.result.estimates, "days", None)
    assert left == pytest.approx(np.interp(times, curve.x, curve.mean), abs=1e-9)  # a line: both are linear in days
    assert (pair.along, pair.outcome, len(pair.observed)) == ("days", "reaction", 10)


def test_classes_in_another_order_give_the_same_curves(trajectories):
    reading = trajectories.reading("flexmix")
    straight = curves_of(trajectories, compared(trajectories, replace(reading, engine="other")))
    turned = tuple(q.relabelled({1: 3, 2: 1, 3: 2}) for q in reading.quantities)
    comparison = compared(trajectories, replace(reading, engine="other", quantities=turned, covariance=None))
    assert comparison.permutation == {3: 1, 1: 2, 2: 3}
    again = curves_of(trajectories, comparison)
    assert len(again) == len(straight) == 3
    for pair, first in zip(again, straight, strict=True):
        assert pair.left == first.left
        assert pair.right == pytest.approx(first.right, rel=1e-9)  # shares stand in for log-odds, which curves ignore


def test_an_engine_without_an_answer_has_no_curves(mixed):
    failure = Failure(reason="crashed", sentence="it ended")
    assert curves_of(mixed, compared(mixed, Reading(engine="other", source="live", versions={}, failure=failure))) == ()


def test_an_estimate_that_is_missing_or_no_number_costs_the_picture_only(mixed):
    reading = mixed.reading("lme4")
    without = tuple(q for q in reading.quantities if q.path != "fixed[days].estimate")
    assert curves_of(mixed, compared(mixed, replace(reading, engine="other", quantities=without))) == ()
    assert curves_of(mixed, compared(mixed, moved(reading, "fixed[days].estimate", np.nan))) == ()


def test_the_overlay_draws_the_references_curves(mixed):
    comparison = compared(mixed, moved(mixed.reading("lme4"), "fixed[days].estimate", 1.0))
    curves = curves_of(mixed, comparison)
    figure = overlay(mixed.result, replace(comparison, curves=curves))
    assert tuple(figure.axes[0].lines[-1].get_ydata()) == curves[0].right
