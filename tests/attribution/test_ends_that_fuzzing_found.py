"""Ends of searches that fuzzing found, each told by a twin of our engine that stays where lme4 1.1-31 ended."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.comparison.rules import NEGLIGIBLE
from harness.comparison.verdict import Attribution
from harness.convergence import Convergence, Stop
from harness.counterexamples.file_format import read_counterexample_case
from harness.engines import solve
from harness.evidence.design import effect_errors, told_twice
from harness.fuzzing.acceptable import of_comparison
from harness.runs import read_cases


def fuzzed(name):
    """Return a case that was drawn when fuzzing; what is drawn for a seed changes with Hypothesis and the code."""
    return read_counterexample_case(Path(__file__).parent / "ends" / f"{name}.json")


@pytest.fixture(scope="module")
def ended_at(compare, twin, stop_after):
    """Return the comparison with an engine that is content with a point: our own, which takes no step from it."""

    def compared(case, point, retell=lambda reading: reading):
        def content(reading):
            return retell(replace(reading, convergence=Convergence(stop=Stop.OPTIMUM)))

        return compare(case, twin("lme4", fit=lambda got, _: stop_after(got, point, limit=0), retell=content))

    return compared


def test_an_end_beside_the_optimum_at_which_ours_says_the_same(ended_at, assert_named):
    """Weights over decades move predictions by fifty times D: no basin holds them, but the function is one."""
    comparison = ended_at(fuzzed("weights_over_decades"), (5.954439983587974, 205.18277344397444))
    assert_named(comparison, Attribution.OPTIMISER_NOISE, "At the parameters where lme4 ended, harness says the same")
    assert not comparison.evidence.retelling.differing
    assert of_comparison(comparison).acceptable


def test_another_method_is_no_end_beside_the_optimum(ended_at, change):
    """There ours says other standard errors than the engine does: the method differs, not the point."""

    def larger(q):
        return replace(q, value=q.value * 1.01) if q.path.endswith("].standard_error") else q

    point = (5.954439983587974, 205.18277344397444)
    comparison = ended_at(fuzzed("weights_over_decades"), point, retell=lambda reading: change(reading, larger))
    assert comparison.attribution is Attribution.UNEXPLAINED
    assert comparison.evidence.retelling.differing


def test_two_grouping_factors_of_the_same_rows_are_flat(ended_at, assert_named):
    comparison = ended_at(fuzzed("told_twice"), (262.73044098219094, 364.6366149964894))
    assert_named(comparison, Attribution.FLAT, "site and site:id put the same rows together", "only the sum of")
    assert of_comparison(comparison).acceptable


def test_factors_that_differ_in_one_row_are_not_told_twice():
    (case,) = read_cases(["penicillin__crossed_ml"])
    assert told_twice(solve(case)) == ()


def test_a_likelihood_without_a_maximum(ended_at, assert_named):
    """Five fixed effects and five random intercepts reproduce seven outcomes: it rises by 2 log(10) a power of ten."""
    comparison = ended_at(fuzzed("without_a_maximum"), (3491743.2459617252, 0.0))
    assert_named(comparison, Attribution.BOUNDARY, "The likelihood has no maximum", "4.61 higher", "29.4 above harness")
    assert np.diff(comparison.evidence.ascent) == pytest.approx(2 * [2 * np.log(10)], rel=1e-6)
    finding = of_comparison(comparison)
    assert (finding.code, finding.acceptable) == ("boundary:lme4", True)


def test_a_variance_of_zero_is_measured_by_what_its_effect_would_be_known_to(ended_at):
    """Of x nothing is in the fixed part, and ours is a zero: 1e-10 beside it was infinitely many errors."""
    case = fuzzed("exact_zero")
    comparison = ended_at(case, (2.833985400541899e-06, 9.81682555621602e-06))
    judged = {v.quantity: v for v in comparison.verdicts if ",x]" in v.quantity and v.observed is not None}
    assert any(abs(v.left_value) < 1e-30 and abs(v.right_value) > 1e-12 for v in judged.values())
    assert all(v.outcome.value == "agree" for v in judged.values()), judged
    ours = solve(case)
    x, sigma = ours.result.design.random[1].Z[:, 0], ours.result.estimates.sigma
    nearest = judged[f"mode[{ours.result.design.random[1].labels[0]},x].estimate"]
    apart = abs(nearest.left_value - nearest.right_value)
    assert nearest.observed == pytest.approx(apart * np.linalg.norm(x) / sigma / NEGLIGIBLE, rel=1e-6)


def test_no_mean_is_known_better_than_by_least_squares_alone():
    """A fixed effect's own standard error is never below the one that stands in where there is no fixed effect."""
    for name in ("sleepstudy__random_slope_reml", "penicillin__crossed_ml"):
        ours = solve(read_cases([name])[0])
        said = {q.path: q.value for q in ours.reading("lme4").quantities}
        for effect, least in effect_errors(ours).items():
            assert 0 < least <= said[f"fixed[{effect}].standard_error"]
