"""When the referee is asked, and what the judge makes of it: rounding is neither a definition nor a constant."""

from dataclasses import replace
from math import log

import pytest

from harness.comparison.adjudication import adjudication_sentence, gap_is_rounding, needs_referee, rises_without_end
from harness.comparison.attribution import needs_restart
from harness.comparison.judge import judge
from harness.comparison.verdict import Adjudication, Attribution, CrossEvidence, ObjectivePair, Outcome, Restart, Ruling
from harness.convergence import Convergence, Stop
from harness.reports.explanation import render

LL = -871.814136
# Beyond the judge's limit of the objective, within half of a double's digits of 872: 1.3e-5.
OFFSETS = (4e-6, -3e-6, 5e-6, 2e-6)


def evidence(errors, *, adjudicated=True, gap=0.0):
    """Return both log-likelihoods at four points, ours exact and theirs off; and what a referee says of it."""
    exact = (LL, -890.25, -902.5, -1011.75)
    pairs = tuple(
        ObjectivePair(label=f"probe {k}", point=(float(k),), left=value, right=value + error)
        for k, (value, error) in enumerate(zip(exact, errors, strict=True))
    )
    rulings = tuple(
        Ruling(label=pair.label, exact=pair.left, left_error=0.0, right_error=error)
        for pair, error in zip(pairs, errors, strict=True)
    )
    return CrossEvidence(objectives=pairs, adjudication=Adjudication(rulings=rulings, gap=gap) if adjudicated else None)


def test_a_criterion_that_is_computed_badly_is_float_and_says_whose(ours_lmm, lme4):
    before = judge("c", ours_lmm, lme4, evidence(OFFSETS, adjudicated=False))
    assert before.attribution is Attribution.DEFINITION
    assert needs_referee(before)
    after = judge("c", ours_lmm, lme4, evidence(OFFSETS))
    assert after.outcome is Outcome.DISAGREE
    assert after.attribution is Attribution.FLOAT
    assert (
        "lme4's own log-likelihood at probe 2 is 5e-06 above the exact one; harness is off by 0 at most"
        in after.sentence
    )
    assert not needs_referee(after)
    assert "referee at probe 1: -890.25; harness is off by 0; lme4 is off by -3e-6" in render(after)


def test_a_constant_that_is_rounding_is_float_too(ours_lmm, lme4):
    comparison = judge("c", ours_lmm, lme4, evidence((4e-6,) * 4))
    assert comparison.attribution is Attribution.FLOAT


def test_a_function_that_is_right_elsewhere_may_lose_two_thirds_of_its_digits(ours_lmm, lme4):
    # sigma = 1e-5 beside random effects of 6: lme4 1.1-31 is right to 1e-13 at three points and 6e-3 off at a fourth.
    comparison = judge("c", ours_lmm, lme4, evidence((0.0, 1e-13, 0.0, 3e-3)))
    assert comparison.attribution is Attribution.FLOAT
    comparison = judge("c", ours_lmm, lme4, evidence((2e-3, 1e-3, 0.0, 3e-3)))
    assert comparison.attribution is Attribution.DEFINITION


@pytest.mark.parametrize("size", [1e-2, float("nan")])
def test_another_function_stays_a_definition_whatever_the_referee_says(ours_lmm, lme4, size):
    errors = (size, 4e-6, -2 * size, 1e-6)
    comparison = judge("c", ours_lmm, lme4, evidence(errors))
    assert comparison.attribution in {Attribution.DEFINITION, Attribution.UNEXPLAINED}


def test_agreement_needs_no_referee(ours_lmm, lme4):
    comparison = judge("c", ours_lmm, lme4, evidence((0.0, 0.0, 0.0, 0.0), adjudicated=False))
    assert not needs_referee(comparison)


@pytest.mark.parametrize(
    ("gap", "said"),
    [(0.196, "harness ended 0.196 higher than lme4"), (-2e-8, "lme4 ended 2e-08 higher than harness"), (None, "")],
)
def test_the_sentence_says_who_ended_higher(gap, said):
    adjudication = Adjudication(rulings=(Ruling(label="p", exact=-1.0, left_error=None, right_error=-3e-9),), gap=gap)
    text = adjudication_sentence(adjudication, "harness", "lme4")
    assert said in text
    assert "lme4's own log-likelihood at p is 3e-09 below the exact one." in text


def test_nothing_known_is_nothing_said():
    nothing = Adjudication(
        rulings=(Ruling(label="p", exact=-1.0, left_error=None, right_error=float("nan")),), gap=None
    )
    assert not adjudication_sentence(nothing, "harness", "lme4")
    both = replace(nothing, gap=0.0)
    assert adjudication_sentence(both, "harness", "lme4") == "By the referee both ended at the same log-likelihood."


def test_rounding_does_not_bring_a_search_to_another_end(ours_lmm, lme4, change):
    """A fuzzed case: weights over decades, both round, and one search gave up 27 below; that was called rounding."""
    stopped = Convergence(stop=Stop.ITERATION_LIMIT, message="Stopped at the iteration limit")
    ours = replace(change(ours_lmm, {"log_likelihood": LL - 27.0}), convergence=stopped)
    comparison = judge("c", ours, lme4, evidence(OFFSETS, gap=-27.0))
    assert comparison.attribution is Attribution.NOT_CONVERGED
    assert comparison.sentence.startswith("harness says that it did not converge")


def test_the_loser_of_two_rounded_searches_is_started_again(ours_lmm, lme4, change):
    elsewhere = {"fixed[intercept].estimate": lambda value: value + 7.0, "log_likelihood": LL - 27.0}
    lower = change(lme4, elsewhere)
    before = judge("c", ours_lmm, lower, evidence(OFFSETS, gap=27.0))
    assert before.attribution is Attribution.LOCAL_OPTIMUM
    assert "it was not started again" in before.sentence
    assert needs_restart(before)
    restarted = replace(before.evidence, restart=Restart(engine="lme4", log_likelihood=LL))
    after = judge("c", ours_lmm, lower, restarted)
    assert after.attribution is Attribution.LOCAL_OPTIMUM
    assert "started at the other's estimates it reaches" in after.sentence


def test_a_search_that_rounds_may_also_stop_a_little_early(ours_lmm, lme4, change, quantity):
    """Fuzzed: effects of 1e5 sigmas, D = 0.009; lme4 ended D^2/2 below, its modes by rounding an error off."""
    near = 0.005 * quantity(ours_lmm, "fixed[intercept].estimate").standard_error
    mode = "mode[301,intercept].estimate"
    off = 0.5 * quantity(ours_lmm, mode).standard_error
    values = {
        "fixed[intercept].estimate": lambda value: value + near,
        mode: lambda value: value + off,
        "log_likelihood": LL - 0.005**2 / 2,
    }
    found = evidence((4e-9, -4e-9, 4e-9, 4e-9), gap=0.005**2 / 2)
    comparison = judge("c", ours_lmm, change(lme4, values), found)
    assert comparison.distance == pytest.approx(0.005, rel=0.2)
    assert comparison.attribution is Attribution.FLOAT


@pytest.mark.parametrize(("gap", "excused"), [(0.5, True), (0.7, False), (-0.5, False), (None, True)])
def test_an_engine_is_excused_by_what_it_rounds_itself(gap, excused):
    """The right one is off by 0.3, at either end; the left one by nothing, and a rise of 0.5 would be seen by it."""
    found = replace(evidence((0.0, 1e-13, 0.0, 0.3)).adjudication, gap=gap)
    assert gap_is_rounding(found, 1e-6) is excused


@pytest.mark.parametrize(("room", "cause"), [(0.5, Attribution.FLOAT), (1e-2, Attribution.DEFINITION)])
def test_what_cross_products_lose_at_a_point_is_rounding_there(ours_lmm, lme4, room, cause):
    found = evidence((0.0, 1e-13, 0.0, 0.3))
    rulings = tuple(replace(ruling, room=room) for ruling in found.adjudication.rulings)
    comparison = judge("c", ours_lmm, lme4, replace(found, adjudication=Adjudication(rulings=rulings, gap=0.0)))
    assert comparison.attribution is cause


@pytest.mark.parametrize(
    ("ascent", "endless"),
    [
        ((11.49, 11.49 + log(10), 11.49 + 2 * log(10)), True),
        ((0.0, 3 * log(10), 6 * log(10)), True),
        ((0.0, 0.5, 0.6), False),  # towards an asymptote
        ((0.0, 0.0, 0.0), False),  # flat, as a restricted likelihood can be
        ((0.0, 2 * log(10), log(10)), False),
        ((0.0, log(10)), False),
        ((), False),
    ],
)
def test_a_way_without_an_end_rises_by_whole_multiples_of_log_ten(ascent, endless):
    assert rises_without_end(ascent) is endless
