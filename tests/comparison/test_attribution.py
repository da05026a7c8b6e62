"""Ten seeded disagreements, one for each cause: each gets its own code, a sentence with numbers and a next step."""

from dataclasses import replace

import numpy as np
import pytest

from harness.comparison.attribution import needs_restart
from harness.comparison.judge import judge
from harness.comparison.verdict import Attribution, CrossEvidence, ObjectivePair, Outcome, Restart
from harness.convergence import Convergence, Stop
from harness.quantities import Kind

LL = -871.814136
N = 180


def pairs(*offsets):
    values = (LL, -890.25, -902.5, -1011.75, -940.0)
    return tuple(
        ObjectivePair(label=f"probe {k}", point=(float(k),), left=value, right=value - offset)
        for k, (value, offset) in enumerate(zip(values, offsets, strict=False))
    )


SAME = pairs(0.0, 1e-13, 0.0, 0.0)


@pytest.fixture(scope="session")
def moved(change, quantity):
    """Return a reading whose fixed effects lie so many standard errors, and log-likelihood so far, off."""

    def of(reading, errors=0.0, drop=0.0):
        paths = ("fixed[intercept].estimate", "fixed[days].estimate")
        values = {p: quantity(reading, p).value + errors * quantity(reading, p).standard_error for p in paths}
        return change(reading, {**values, "log_likelihood": LL - drop})

    return of


def assert_cause(comparison, attribution, *shown):
    assert comparison.outcome is Outcome.DISAGREE
    assert comparison.attribution is attribution, comparison.sentence
    for text in shown:
        assert text in comparison.sentence
    assert comparison.next_step.endswith(".")


def test_engine(ours_lmm, lme4, crashed):
    assert_cause(judge("c", ours_lmm, replace(lme4, failure=crashed), CrossEvidence()), Attribution.ENGINE, "crashed")


def test_input_goes_before_everything_that_follows_from_it(ours_lmm, lme4, moved):
    right = replace(moved(lme4, 1.0, 5.0), evidence=replace(lme4.evidence, n_observations=179))
    evidence = CrossEvidence(objectives=pairs(1.0, 2.0, 3.0))
    assert_cause(judge("c", ours_lmm, right, evidence), Attribution.INPUT, "input.n_observations is 180 and 179")


def test_labels_are_agreement(ours_gbtm, lcmm, relabel):
    comparison = judge("c", ours_gbtm, relabel(lcmm, {1: 2, 2: 3, 3: 1}), CrossEvidence())
    assert (comparison.outcome, comparison.attribution) == (Outcome.AGREE, Attribution.LABELS)


@pytest.mark.parametrize("stop", [Stop.ITERATION_LIMIT, Stop.SADDLE, Stop.REPORTED_FAILURE])
def test_not_converged_by_its_own_word(ours_lmm, lme4, moved, stop):
    stopped = Convergence(stop=stop, message="maxfun < 10 * length(par)^2")
    right = replace(moved(lme4, 0.3, 0.1), convergence=stopped)
    comparison = judge("c", ours_lmm, right, CrossEvidence(objectives=SAME))
    assert_cause(comparison, Attribution.NOT_CONVERGED, "lme4", "maxfun")
    left = replace(moved(ours_lmm, 0.3, 0.1), convergence=stopped)
    assert_cause(judge("c", left, lme4, CrossEvidence(objectives=SAME)), Attribution.NOT_CONVERGED, "harness")


def test_not_converged_by_its_gradient(ours_lmm, lme4, moved):
    evidence = CrossEvidence(objectives=SAME, gradient_at_right=0.3)
    comparison = judge("c", ours_lmm, moved(lme4, 0.3, 0.05), evidence)
    assert_cause(comparison, Attribution.NOT_CONVERGED, "0.3 standard errors", "0.05 lower")


def test_constant_names_half_log_two_pi(ours_lmm, lme4, change):
    constant = N * np.log(2 * np.pi) / 2
    right = change(lme4, {"log_likelihood": LL - constant})
    comparison = judge("c", ours_lmm, right, CrossEvidence(objectives=pairs(*[constant] * 4)))
    assert_cause(comparison, Attribution.CONSTANT, "165.408", "all of 4 points", "half of log(2 pi)")


def test_constant_names_the_single_precision_two_pi_of_lcmm(ours_lmm, lme4, change):
    constant = N * np.log(6.2831854820251465 / (2 * np.pi)) / 2
    right = change(lme4, {"log_likelihood": LL - constant})
    comparison = judge("c", ours_lmm, right, CrossEvidence(objectives=pairs(*[constant] * 4)))
    assert_cause(comparison, Attribution.CONSTANT, "lcmm's single-precision 2 pi")


def test_a_constant_does_not_excuse_estimates(ours_lmm, lme4, moved):
    comparison = judge("c", ours_lmm, moved(lme4, 0.5, 3.0), CrossEvidence(objectives=pairs(3.0, 3.0, 3.0)))
    assert_cause(comparison, Attribution.UNEXPLAINED)


def test_definition(ours_lmm, lme4, moved):
    comparison = judge("c", ours_lmm, moved(lme4, 0.5, 4.0), CrossEvidence(objectives=pairs(4.1, 4.5, 3.9)))
    assert_cause(comparison, Attribution.DEFINITION, "3.9 to 4.5")


def test_two_points_cannot_tell_a_constant(ours_lmm, lme4, moved):
    comparison = judge("c", ours_lmm, moved(lme4, 0.0, 3.0), CrossEvidence(objectives=pairs(3.0, 3.0)))
    assert_cause(comparison, Attribution.DEFINITION, "Fewer than three points")


@pytest.mark.parametrize("ours_loses", [False, True])
def test_local_optimum_names_the_loser_after_a_restart(ours_lmm, lme4, moved, ours_loses):
    left, right = (moved(ours_lmm, 4.0, 2.5), lme4) if ours_loses else (ours_lmm, moved(lme4, 4.0, 2.5))
    loser = "harness" if ours_loses else "lme4"
    evidence = CrossEvidence(objectives=SAME, gradient_at_right=1e-5)
    assert needs_restart(judge("c", left, right, evidence))
    reached = replace(evidence, restart=Restart(engine=loser, log_likelihood=LL - 1e-9))
    comparison = judge("c", left, right, reached)
    assert_cause(comparison, Attribution.LOCAL_OPTIMUM, f"{loser} ended at a local optimum, 2.5 below", "it reaches")
    assert not needs_restart(comparison)
    back = replace(evidence, restart=Restart(engine=loser, log_likelihood=LL - 2.5))
    assert_cause(judge("c", left, right, back), Attribution.UNEXPLAINED)


def test_a_stationary_loser_that_cannot_be_restarted_is_at_a_local_optimum(ours_lmm, lme4, moved):
    evidence = CrossEvidence(objectives=SAME, gradient_at_right=1e-5)
    comparison = judge("c", ours_lmm, moved(lme4, 4.0, 2.5), evidence)
    assert_cause(comparison, Attribution.LOCAL_OPTIMUM, "not started again")


def test_boundary(ours_lmm, lme4, moved):
    right = replace(moved(lme4, 0.8, 0.3), convergence=Convergence(stop=Stop.SINGULAR))
    comparison = judge("c", ours_lmm, right, CrossEvidence(objectives=SAME, gradient_at_right=0.001))
    assert comparison.attribution is Attribution.LOCAL_OPTIMUM
    assert needs_restart(comparison)
    fell_back = CrossEvidence(objectives=SAME, restart=Restart(engine="lme4", log_likelihood=LL - 0.3))
    assert_cause(judge("c", ours_lmm, right, fell_back), Attribution.BOUNDARY, "lme4 stopped at: singular optimum")


def test_optimiser_noise(ours_lmm, lme4, moved):
    error = 2e-3
    far = error * np.sqrt(2 / (1 - 0.13755))
    comparison = judge("c", ours_lmm, moved(lme4, error, far**2 / 2), CrossEvidence(objectives=SAME))
    assert_cause(comparison, Attribution.OPTIMISER_NOISE, "limit 0.001", "consistent with D^2/2")
    assert comparison.distance == pytest.approx(far, rel=1e-3)


def test_noise_does_not_excuse_a_gap_beyond_its_square(ours_lmm, lme4, moved):
    comparison = judge("c", ours_lmm, moved(lme4, 2e-3, 1e-3), CrossEvidence(objectives=SAME))
    assert_cause(comparison, Attribution.UNEXPLAINED)


def test_hessian(ours_lmm, lme4, change):
    factor = np.sqrt(180 / 178)
    errors = {q.path: factor * q.value for q in lme4.quantities if q.path.endswith("].standard_error")}
    comparison = judge("c", ours_lmm, change(lme4, errors), CrossEvidence(objectives=SAME))
    assert_cause(comparison, Attribution.HESSIAN, "2 standard errors, covariances or tests do not")


@pytest.mark.parametrize("path", ["aic.penalty", "n_parameters"])
def test_unexplained_even_beside_a_search_that_did_not_converge(ours_lmm, lme4, change, quantity, path):
    wrong = change(lme4, {path: quantity(lme4, path).value + 1})
    right = replace(wrong, convergence=Convergence(stop=Stop.ITERATION_LIMIT))
    comparison = judge("c", ours_lmm, right, CrossEvidence(objectives=SAME))
    assert_cause(comparison, Attribution.UNEXPLAINED, path)


def test_a_dropped_quantity_is_never_explained_by_the_optimiser(ours_lmm, lme4):
    rest = tuple(q for q in lme4.quantities if q.kind is not Kind.CURVATURE)
    right = replace(lme4, quantities=rest, convergence=Convergence(stop=Stop.ITERATION_LIMIT))
    comparison = judge("c", ours_lmm, right, CrossEvidence(objectives=SAME))
    assert_cause(comparison, Attribution.UNEXPLAINED, "the reference does not have it")


def test_agreement_needs_no_restart(ours_lmm, lme4, agreeing_evidence):
    assert not needs_restart(judge("c", ours_lmm, lme4, agreeing_evidence))


def test_noise_is_noise_whatever_the_gradient_or_a_restart_says(ours_lmm, lme4, moved):
    far = 2e-3 * np.sqrt(2 / (1 - 0.13755))
    for evidence in (
        CrossEvidence(objectives=SAME, gradient_at_right=far),
        CrossEvidence(objectives=SAME, restart=Restart(engine="lme4", log_likelihood=LL)),
    ):
        comparison = judge("c", ours_lmm, moved(lme4, 2e-3, far**2 / 2), evidence)
        assert_cause(comparison, Attribution.OPTIMISER_NOISE)
