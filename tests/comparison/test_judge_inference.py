"""How tests of fixed effects are judged: degrees of freedom, statistics and p-values each on a scale of its own."""

import numpy as np
import pytest
from scipy import stats

from harness.comparison.rules import judge_pair
from harness.comparison.tolerances import Measure, tolerance
from harness.comparison.verdict import Outcome
from harness.comparison.yardstick import yardstick
from harness.quantities import Kind, Quantity, Reading

ENGINES = ("harness", "lmerTest")
SCALES = yardstick(*(Reading(engine=name, source="live", versions={}) for name in ENGINES))


def judged(path, ours, theirs):
    pair = (Quantity(path=path, kind=Kind.CURVATURE, value=value) for value in (ours, theirs))
    return judge_pair(*pair, SCALES)


@pytest.mark.parametrize(
    ("ending", "measure"),
    [
        ("df", Measure.DF),
        ("df2", Measure.DF),
        ("scaling", Measure.DF),
        ("statistic", Measure.STATISTIC),
        ("p_value", Measure.P_VALUE),
        ("tukey_p_value", Measure.PROBABILITY),
        ("standard_error", Measure.STANDARD_ERROR),
    ],
)
def test_the_end_of_a_path_tells_the_measure(ending, measure):
    assert judged(f"satterthwaite.fixed[week].{ending}", 0.5, 0.5).metric == measure


@pytest.mark.parametrize("df", [1.5, 17.0, 800.0])
def test_degrees_of_freedom_may_differ_by_a_millionth_of_them(df):
    limit = tolerance(Measure.DF, *ENGINES).limit
    assert limit == 1e-6
    assert judged("satterthwaite.fixed[week].df", df, df * (1 + limit / 2)).outcome is Outcome.AGREE
    assert judged("satterthwaite.fixed[week].df", df, df * (1 + limit * 2)).outcome is Outcome.DISAGREE


def test_a_statistic_near_zero_is_judged_in_standard_errors():
    assert judged("satterthwaite.fixed[week].statistic", 1e-9, -1e-9).outcome is Outcome.AGREE
    assert judged("satterthwaite.fixed[week].statistic", 1e-5, -1e-5).outcome is Outcome.DISAGREE


def test_a_sign_of_a_statistic_that_was_lost_disagrees():
    assert judged("satterthwaite.fixed[week].statistic", 2.0, -2.0).outcome is Outcome.DISAGREE


@pytest.mark.parametrize("t", [0.01, 1.0, 5.0, 30.0])
def test_a_p_value_moves_with_its_statistic_and_no_more(t):
    """|d log p / d log t| is at most 2 max(|log p|, 1), so that p agrees wherever t does."""
    relative = tolerance(Measure.STATISTIC, *ENGINES).limit / max(1.0, 1 / t)
    ours, theirs = (2 * stats.t.sf(value, 40) for value in (t, t * (1 + relative)))
    assert judged("satterthwaite.fixed[week].p_value", ours, theirs).outcome is Outcome.AGREE


@pytest.mark.parametrize(("ours", "theirs"), [(0.04, 0.06), (1e-30, 1e-31), (0.5, 1.0), (0.0, 1e-10)])
def test_p_values_that_say_something_else_disagree(ours, theirs):
    assert judged("satterthwaite.fixed[week].p_value", ours, theirs).outcome is Outcome.DISAGREE


def test_p_values_that_are_nothing_agree():
    assert judged("satterthwaite.fixed[week].p_value", 0.0, 1e-310).outcome is Outcome.AGREE


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_infinite_degrees_of_freedom_agree_with_nothing(value):
    assert judged("satterthwaite.fixed[week].df", value, value).outcome is Outcome.DISAGREE


def test_one_sided_and_two_sided_p_values_disagree():
    one, two = stats.t.sf(2.0, 40), 2 * stats.t.sf(2.0, 40)
    assert judged("satterthwaite.fixed[week].p_value", two, one).outcome is Outcome.DISAGREE
