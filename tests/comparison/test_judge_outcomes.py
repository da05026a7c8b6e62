"""What the judge concludes: from limits to verdicts, from verdicts to an outcome."""

from dataclasses import replace

import numpy as np
import pytest

from harness.comparison.judge import judge
from harness.comparison.tolerances import Measure, tolerance
from harness.comparison.verdict import Attribution, CrossEvidence, ObjectivePair, Outcome
from harness.convergence import Convergence, Stop
from harness.quantities import Kind, Quantity

NAN = float("nan")


def verdict_at(comparison, path):
    return next(v for v in comparison.verdicts if v.quantity == path)


def test_equal_readings_agree_without_a_cause(ours_lmm, lme4, ours_gbtm, lcmm, agreeing_evidence):
    for left, right in ((ours_lmm, lme4), (ours_gbtm, lcmm)):
        comparison = judge("case", left, right, agreeing_evidence)
        assert (comparison.outcome, comparison.attribution, comparison.sentence) == (Outcome.AGREE, None, "")
        assert comparison.distance == 0


def test_a_comparison_prints_its_outcome_counts_and_cause_and_not_its_readings(ours_lmm, lme4, agreeing_evidence):
    wrong = replace(lme4, quantities=lme4.quantities[1:])
    comparison = judge("case", ours_lmm, wrong, agreeing_evidence)
    lines = str(comparison).splitlines()
    assert lines[0] == f"case: {ours_lmm.engine} and {lme4.engine}: disagree"
    assert f"{comparison.count(Outcome.DISAGREE)} disagree" in lines[1]
    assert lines[2:] == [f"  {comparison.sentence}", f"  {comparison.next_step}"]


def test_every_quantity_of_either_side_has_exactly_one_verdict(ours_gbtm, lcmm):
    comparison = judge("case", ours_gbtm, lcmm, CrossEvidence())
    paths = [v.quantity for v in comparison.verdicts]
    assert len(paths) == len(set(paths))
    assert set(paths) >= {q.path for q in ours_gbtm.quantities}


def test_every_measured_verdict_carries_metric_limit_and_basis(ours_lmm, lme4, agreeing_evidence):
    for verdict in judge("case", ours_lmm, lme4, agreeing_evidence).verdicts:
        if verdict.outcome is not Outcome.NOT_COMPARED:
            assert verdict.metric
            assert verdict.limit is not None
            assert verdict.basis.endswith(".")


@pytest.mark.parametrize(
    ("path", "shift"),
    [
        ("fixed[intercept].estimate", lambda q: 1e-3 * q.standard_error),
        ("fixed[days].standard_error", lambda q: 1e-6 * q.value),
        ("fixed.correlation[days,intercept]", lambda _: 2e-6),
        ("log_likelihood", lambda q: 1e-6 / 2 + 1e-12 * abs(q.value)),
        ("mode[303,intercept].estimate", lambda q: 1e-3 * q.standard_error),
        ("mode[303,intercept].variance", lambda q: 1e-5 * q.value),
    ],
)
def test_half_the_limit_agrees_and_twice_the_limit_disagrees(ours_lmm, lme4, change, path, shift):
    target = next(q for q in lme4.quantities if q.path == path)
    for factor, outcome in (
        (0.5, Outcome.AGREE),
        (2.0, Outcome.DISAGREE),
        (-0.5, Outcome.AGREE),
        (-2.0, Outcome.DISAGREE),
    ):
        moved = change(lme4, {path: target.value + factor * shift(target)})
        found = verdict_at(judge("case", ours_lmm, moved, CrossEvidence()), path)
        assert found.outcome is outcome
        assert found.observed / found.limit == pytest.approx(abs(factor), rel=1e-4)


def test_the_joint_distance_catches_what_single_estimates_let_pass(ours_lmm, lme4, change, quantity):
    # Both move by 0.9 of the limit, in the direction against their correlation of -0.14.
    paths = ("fixed[intercept].estimate", "fixed[days].estimate")
    moved = change(lme4, {p: quantity(lme4, p).value + 0.9e-3 * quantity(lme4, p).standard_error for p in paths})
    comparison = judge("case", ours_lmm, moved, CrossEvidence())
    assert {verdict_at(comparison, path).outcome for path in paths} == {Outcome.AGREE}
    assert verdict_at(comparison, "optimum.distance").outcome is Outcome.DISAGREE
    correlation = quantity(ours_lmm, "fixed.correlation[days,intercept]").value
    assert comparison.distance == pytest.approx(0.9e-3 * np.sqrt(2 / (1 + correlation)), rel=1e-9)


def test_a_penalty_may_lose_the_digits_of_its_deviance_and_no_more(ours_lmm, lme4, change, quantity):
    exact = quantity(lme4, "aic.penalty").value
    rounding = np.spacing(1743.628272)
    for error, outcome in ((2 * rounding, Outcome.AGREE), (200 * rounding, Outcome.DISAGREE)):
        found = verdict_at(
            judge("case", ours_lmm, change(lme4, {"aic.penalty": exact + error}), CrossEvidence()), "aic.penalty"
        )
        assert found.outcome is outcome


@pytest.mark.parametrize(
    ("left", "right", "outcome"),
    [
        (1, 1, Outcome.AGREE),
        (1, 1.0, Outcome.AGREE),
        ("six", "six", Outcome.AGREE),
        (True, True, Outcome.AGREE),
        (1, True, Outcome.DISAGREE),
        (1, "1", Outcome.DISAGREE),
        (True, "True", Outcome.DISAGREE),
        (1, 2, Outcome.DISAGREE),
        ("six", "four", Outcome.DISAGREE),
        (0, False, Outcome.DISAGREE),
    ],
)
def test_exact_values_are_equal_in_value_and_sort(ours_lmm, lme4, left, right, outcome):
    both = [
        replace(r, quantities=(Quantity(path="flag", kind=Kind.EXACT, value=value),))
        for r, value in ((ours_lmm, left), (lme4, right))
    ]
    assert verdict_at(judge("case", *both, CrossEvidence()), "flag").outcome is outcome


def test_what_a_reference_declared_is_not_compared_with_its_reason(ours_lmm, lme4):
    rest = tuple(q for q in lme4.quantities if not q.path.endswith(".variance"))
    right = replace(lme4, quantities=rest, not_given={".variance": "it gives no conditional variances"})
    comparison = judge("case", ours_lmm, right, CrossEvidence())
    found = verdict_at(comparison, "mode[301,days].variance")
    assert (found.outcome, found.reason) == (Outcome.NOT_COMPARED, "it gives no conditional variances")
    assert comparison.outcome is Outcome.AGREE


def test_nan_in_place_of_what_was_declared_is_not_compared(ours_lmm, lme4, change):
    right = replace(change(lme4, {"sigma.estimate": NAN}), not_given={"sigma": "no residual variance"})
    assert verdict_at(judge("case", ours_lmm, right, CrossEvidence()), "sigma.estimate").outcome is Outcome.NOT_COMPARED


def test_a_declared_quantity_that_is_given_all_the_same_is_judged(ours_lmm, lme4, change):
    right = replace(change(lme4, {"sigma.estimate": 26.0}), not_given={"sigma": "no residual variance"})
    assert verdict_at(judge("case", ours_lmm, right, CrossEvidence()), "sigma.estimate").outcome is Outcome.DISAGREE


def test_diagnostics_are_shown_and_never_judged(ours_lmm, lme4):
    seconds = Quantity(path="iterations", kind=Kind.DIAGNOSTIC, value=7)
    other = Quantity(path="iterations", kind=Kind.DIAGNOSTIC, value=90)
    left = replace(ours_lmm, quantities=(*ours_lmm.quantities, seconds))
    for right in (lme4, replace(lme4, quantities=(*lme4.quantities, other))):
        comparison = judge("case", left, right, CrossEvidence())
        assert verdict_at(comparison, "iterations").outcome is Outcome.NOT_COMPARED
        assert comparison.outcome is Outcome.AGREE


def test_bootstrap_results_are_judged_on_their_monte_carlo_error(ours_lmm, lme4):
    def outcome(error, apart=3.0):
        both = [
            replace(r, quantities=(Quantity(path="p", kind=Kind.STOCHASTIC, value=v, standard_error=error),))
            for r, v in ((ours_lmm, 0.0), (lme4, apart))
        ]
        return verdict_at(judge("case", *both, CrossEvidence()), "p").outcome

    assert outcome(1.0) is Outcome.AGREE  # 3 / sqrt(2) = 2.1
    assert outcome(0.5) is Outcome.DISAGREE  # 4.2
    assert outcome(None, apart=0.0) is Outcome.DISAGREE


def test_objectives_are_judged_point_by_point(ours_lmm, lme4):
    pairs = (
        ObjectivePair(label="good", point=(1.0,), left=-900.0, right=-900.0 - 9e-12),
        ObjectivePair(label="off", point=(2.0,), left=-900.0, right=-900.0 - 9e-9),
        ObjectivePair(label="none", point=(3.0,), left=NAN, right=NAN),
    )
    comparison = judge("case", ours_lmm, lme4, CrossEvidence(objectives=pairs))
    outcomes = [verdict_at(comparison, f"objective[{pair.label}]").outcome for pair in pairs]
    assert outcomes == [Outcome.AGREE, Outcome.DISAGREE, Outcome.DISAGREE]


def test_nothing_judged_is_not_agreement(ours_lmm, lme4):
    for left, right in (
        (replace(ours_lmm, quantities=(), covariance=None), replace(lme4, quantities=(), covariance=None)),
        (ours_lmm, replace(lme4, quantities=(), not_given={"": "it gives nothing"})),
    ):
        comparison = judge("case", left, right, CrossEvidence())
        assert comparison.outcome is Outcome.NOT_COMPARED
        assert comparison.count(Outcome.DISAGREE) == 0


def test_a_failed_engine_is_a_disagreement_without_verdicts(ours_lmm, lme4, crashed):
    for left, right in ((ours_lmm, replace(lme4, failure=crashed)), (replace(ours_lmm, failure=crashed), lme4)):
        comparison = judge("case", left, right, CrossEvidence())
        assert (comparison.outcome, comparison.attribution) == (Outcome.DISAGREE, Attribution.ENGINE)
        assert comparison.verdicts == ()
        assert "signal 9" in comparison.sentence
        assert "Killed" in comparison.sentence


def test_a_missing_input_evidence_is_said_and_does_not_count_as_agreement(ours_lmm, lme4):
    comparison = judge("case", ours_lmm, replace(lme4, evidence=None), CrossEvidence())
    assert verdict_at(comparison, "input.evidence").outcome is Outcome.NOT_COMPARED


class TestSingularOptimum:
    """Where the information is singular, D has no meaning: the gap, the predictions and moment scales stand in."""

    def test_equal_fits_agree_and_say_on_what(self, ours_singular, lme4_singular):
        comparison = judge("case", ours_singular, lme4_singular, CrossEvidence())
        assert comparison.outcome is Outcome.AGREE
        assert comparison.distance is None
        assert verdict_at(comparison, "optimum.distance").metric == "log-likelihood gap in place of D"
        variance = verdict_at(comparison, "random.covariance[days,days]")
        assert variance.metric == "moment standard errors"
        assert "singular optimum" in variance.basis
        assert verdict_at(comparison, "fixed[days].estimate").metric == Measure.DISTANCE

    def test_a_variance_that_is_zero_but_for_the_optimiser_agrees(self, ours_singular, lme4_singular, change):
        # lme4 leaves Lambda_22 at up to 1e-4, so the variance at 1e-8 sigma^2.
        tiny = 1e-8 * 25.5918**2
        near = {"random.covariance[days,days]": tiny}
        near |= {q.path: tiny for q in lme4_singular.quantities if q.path.endswith(",days].variance")}
        near |= {q.path: q.value + 1e-6 for q in lme4_singular.quantities if q.path.endswith(",days].estimate")}
        assert judge("case", ours_singular, change(lme4_singular, near), CrossEvidence()).outcome is Outcome.AGREE

    @pytest.mark.parametrize(
        ("path", "shift"),
        [
            ("random.covariance[intercept,intercept]", 30.0),
            ("random.covariance[days,days]", 0.5),
            ("sigma.estimate", 0.3),
            ("log_likelihood", -1e-5),
            ("mode[305,intercept].estimate", 0.2),
            ("mode[305,days].estimate", 0.01),
            ("mode[305,intercept].variance", 1.0),
            ("fixed[days].estimate", 0.01),
        ],
    )
    def test_a_material_difference_still_disagrees(self, ours_singular, lme4_singular, change, path, shift):
        moved = change(lme4_singular, {path: lambda value: value + shift})
        comparison = judge("case", ours_singular, moved, CrossEvidence())
        assert verdict_at(comparison, path).outcome is Outcome.DISAGREE

    def test_a_boundary_of_ours_is_recognised_though_a_covariance_is_given(self, ours_lmm, lme4):
        left = replace(ours_lmm, convergence=Convergence(stop=Stop.BOUNDARY))
        comparison = judge("case", left, lme4, CrossEvidence())
        assert comparison.distance is None
        assert verdict_at(comparison, "sigma.estimate").metric == "moment standard errors"


def test_two_references_without_a_covariance_are_still_judged(lme4, change):
    other = replace(lme4, engine="nlme")
    assert judge("case", lme4, other, CrossEvidence()).outcome is Outcome.AGREE
    wrong = change(other, {"random.covariance[days,days]": 36.0})
    assert judge("case", lme4, wrong, CrossEvidence()).outcome is Outcome.DISAGREE


def test_between_two_engines_the_looser_limit_holds():
    for measure in Measure:
        for a in ("harness", "lme4", "nlme", "lcmm", "flexmix"):
            assert tolerance(measure, "harness", a).limit == max(
                tolerance(measure, "harness").limit, tolerance(measure, a).limit
            )
    assert tolerance(Measure.DISTANCE, "harness", "lme4").limit == 1e-3
    assert tolerance(Measure.DISTANCE, "harness", "flexmix").limit == 1e-2
    assert tolerance(Measure.STANDARD_ERROR, "harness", "lcmm").limit == 1e-5
    assert tolerance(Measure.OBJECTIVE, "harness", "lme4").limit == 1e-12


def test_every_tolerance_has_a_basis_in_a_sentence():
    for measure in Measure:
        for engine in ("other", "harness", "lme4", "nlme", "lcmm"):
            found = tolerance(measure, engine)
            assert found.limit >= 0
            assert found.basis.endswith(".")


def test_only_a_numerical_hessian_is_allowed_for_and_never_beyond_a_twentieth():
    lcmm = tolerance(Measure.STANDARD_ERROR, "harness", "lcmm")
    assert lcmm.at(400).limit == pytest.approx(1e-5 + 400 * 3e-7, rel=1e-12)
    assert lcmm.at(1e9).limit == 0.05
    assert "Conditioning here: 400" in lcmm.at(400).basis
    lme4 = tolerance(Measure.STANDARD_ERROR, "harness", "lme4")
    assert lme4.at(400) == lme4
