"""What no comparator may let pass: each way to corrupt a reference is a disagreement, and harmless changes are not."""

from dataclasses import replace

import numpy as np
import pytest

from harness.comparison.judge import judge
from harness.comparison.verdict import Attribution, CrossEvidence, Outcome
from harness.quantities import Kind, OptimumCovariance

NAN, INF = float("nan"), float("inf")


def verdict_at(comparison, path):
    return next(v for v in comparison.verdicts if v.quantity == path)


@pytest.mark.parametrize(
    ("path", "corrupt"),
    [
        ("fixed[days].standard_error", lambda x: 10 * x),
        ("fixed[days].standard_error", lambda x: x * (1 + 2e-6)),
        ("fixed[days].standard_error", lambda _: NAN),
        ("fixed[days].standard_error", lambda _: 0.0),
        ("fixed[days].estimate", lambda x: -x),
        ("fixed[days].estimate", lambda _: NAN),
        ("fixed[days].estimate", lambda _: INF),
        ("fixed[days].estimate", lambda _: -2147483648.0),
        ("fixed[days].estimate", str),
        ("fixed[days].estimate", lambda _: True),
        ("fixed.correlation[days,intercept]", lambda x: -x),
        ("random.covariance[days,days]", lambda x: x * 1.01),
        ("sigma.estimate", lambda x: x**2),
        ("log_likelihood", lambda x: x + 1e-6),
        ("log_likelihood", lambda x: x - 1e-6),
        ("log_likelihood", lambda x: -2 * x),
        ("aic.penalty", lambda x: x + 2),
        ("bic.penalty", lambda x: x / np.log(180) * np.log(178)),
        ("n_observations", lambda x: x - 1),
        ("n_subjects", lambda x: x + 1),
        ("n_parameters", str),
        ("n_parameters", bool),
        ("n_parameters", lambda _: -2147483648),
        ("mode[301,days].estimate", lambda x: -x),
        ("mode[301,days].estimate", lambda x: 1.01 * x),
        ("mode[301,days].variance", lambda x: x**0.5),
        ("mode[301,days].variance", lambda _: 0.0),
    ],
)
def test_a_corrupted_value_of_a_mixed_model_disagrees(ours_lmm, lme4, change, path, corrupt):
    corrupted = change(lme4, {path: corrupt})
    comparison = judge("case", ours_lmm, corrupted, CrossEvidence())
    assert comparison.outcome is Outcome.DISAGREE
    assert verdict_at(comparison, path).outcome is Outcome.DISAGREE
    assert comparison.attribution is not Attribution.LABELS
    assert comparison.sentence
    assert comparison.next_step


@pytest.mark.parametrize(
    ("path", "corrupt"),
    [
        ("class[1].share.estimate", lambda x: x + 0.003),
        ("class[1].beta[week^2].estimate", lambda x: -x),
        ("class[2].beta[week].standard_error", lambda x: x * 1.001),
        ("sigma.estimate", lambda x: x * 1.01),
        ("entropy", lambda x: 1 - x),
        ("class[3].posterior[P07]", lambda x: x + 1e-3),
        ("class[2].average_posterior", lambda x: x - 1e-3),
        ("bic_subjects.penalty", lambda x: x / np.log(24) * np.log(330)),
        ("n_classes", lambda x: x + 1),
    ],
)
def test_a_corrupted_value_of_a_trajectory_model_disagrees(ours_gbtm, lcmm, change, path, corrupt):
    corrupted = change(lcmm, {path: corrupt})
    comparison = judge("case", ours_gbtm, corrupted, CrossEvidence())
    assert comparison.outcome is Outcome.DISAGREE
    assert verdict_at(comparison, path).outcome is Outcome.DISAGREE


def test_a_dropped_quantity_disagrees_under_its_name(ours_lmm, lme4):
    for dropped in lme4.quantities:
        rest = tuple(q for q in lme4.quantities if q is not dropped)
        comparison = judge("case", ours_lmm, replace(lme4, quantities=rest), CrossEvidence())
        found = verdict_at(comparison, dropped.path)
        assert (found.outcome, found.reason) == (Outcome.DISAGREE, "the reference does not have it")
        assert comparison.outcome is Outcome.DISAGREE


def test_a_renamed_quantity_disagrees_under_both_names(ours_lmm, lme4, quantity):
    target = quantity(lme4, "fixed[days].estimate")
    renamed = tuple(replace(q, path="fixed[day].estimate") if q is target else q for q in lme4.quantities)
    comparison = judge("case", ours_lmm, replace(lme4, quantities=renamed), CrossEvidence())
    reasons = {v.quantity: v.reason for v in comparison.verdicts if v.outcome is Outcome.DISAGREE}
    assert reasons["fixed[days].estimate"] == "the reference does not have it"
    assert reasons["fixed[day].estimate"] == "our side does not have it"


def test_a_path_that_occurs_twice_disagrees_even_with_equal_values(ours_lmm, lme4):
    for left, right in (
        (ours_lmm, replace(lme4, quantities=(*lme4.quantities, lme4.quantities[4]))),
        (replace(ours_lmm, quantities=(*ours_lmm.quantities, ours_lmm.quantities[4])), lme4),
    ):
        comparison = judge("case", left, right, CrossEvidence())
        assert verdict_at(comparison, lme4.quantities[4].path).outcome is Outcome.DISAGREE


def test_a_quantity_of_another_kind_disagrees_even_with_an_equal_value(ours_lmm, lme4, quantity):
    target = quantity(lme4, "fixed[days].standard_error")
    changed = tuple(replace(q, kind=Kind.DIAGNOSTIC) if q is target else q for q in lme4.quantities)
    comparison = judge("case", ours_lmm, replace(lme4, quantities=changed), CrossEvidence())
    assert verdict_at(comparison, target.path).outcome is Outcome.DISAGREE


def test_two_swapped_standard_errors_both_disagree(ours_lmm, lme4, change, quantity):
    a, b = "fixed[intercept].standard_error", "fixed[days].standard_error"
    swapped = change(lme4, {a: quantity(lme4, b).value, b: quantity(lme4, a).value})
    comparison = judge("case", ours_lmm, swapped, CrossEvidence())
    assert {verdict_at(comparison, path).outcome for path in (a, b)} == {Outcome.DISAGREE}


def test_a_standard_error_without_a_path_of_its_own_is_judged_too(ours_lmm):
    path = "random.covariance[days,days]"
    wrong = tuple(
        replace(q, standard_error=q.standard_error * 1.05) if q.path == path else q for q in ours_lmm.quantities
    )
    right = replace(ours_lmm, engine="nlme", quantities=wrong, covariance=None)
    comparison = judge("case", ours_lmm, right, CrossEvidence())
    assert verdict_at(comparison, "random.covariance[days,days].standard_error").outcome is Outcome.DISAGREE


def test_a_covariance_that_differs_or_contradicts_its_standard_errors_disagrees(ours_gbtm, lcmm):
    covariance = lcmm.covariance
    tilted = covariance.matrix.copy()
    tilted[3, 4] = tilted[4, 3] = -tilted[3, 4]
    for matrix in (tilted, 100 * covariance.matrix, np.full_like(tilted, NAN)):
        wrong = OptimumCovariance(paths=covariance.paths, matrix=matrix)
        for left, right in ((ours_gbtm, replace(lcmm, covariance=wrong)), (replace(ours_gbtm, covariance=wrong), lcmm)):
            comparison = judge("case", left, right, CrossEvidence())
            assert verdict_at(comparison, "optimum.covariance").outcome is Outcome.DISAGREE


def test_classes_swapped_in_the_estimates_but_not_in_the_posteriors_disagree(ours_gbtm, lcmm):
    swap = {1: 2, 2: 1, 3: 3}
    mixed = tuple(q if ".posterior[" in q.path else q.relabelled(swap) for q in lcmm.quantities)
    comparison = judge("case", ours_gbtm, replace(lcmm, quantities=mixed, covariance=None), CrossEvidence())
    assert comparison.permutation == {1: 1, 2: 2, 3: 3}
    assert comparison.outcome is Outcome.DISAGREE
    assert comparison.attribution is Attribution.UNEXPLAINED


def test_the_input_evidence_is_judged_item_by_item(ours_lmm, lme4):
    given = lme4.evidence
    dropped = {name: value for name, value in given.design_sums.items() if name != "days"}
    for path, wrong in {
        "input.n_observations": replace(given, n_observations=179),
        "input.n_subjects": replace(given, n_subjects=17),
        "input.outcome_sum": replace(given, outcome_sum=given.outcome_sum * (1 + 1e-9)),
        "input.design[days]": replace(given, design_sums={**given.design_sums, "days": 811.0}),
        "input.design[centred]": replace(given, design_sums={**given.design_sums, "centred": NAN}),
        "input.design[week]": replace(given, design_sums={**dropped, "week": given.design_sums["days"]}),
    }.items():
        comparison = judge("case", ours_lmm, replace(lme4, evidence=wrong), CrossEvidence())
        assert verdict_at(comparison, path).outcome is Outcome.DISAGREE
        assert comparison.attribution is Attribution.INPUT


def test_infinite_input_sums_never_agree(ours_lmm, lme4):
    both = [replace(r, evidence=replace(r.evidence, outcome_sum=INF)) for r in (ours_lmm, lme4)]
    assert verdict_at(judge("case", *both, CrossEvidence()), "input.outcome_sum").outcome is Outcome.DISAGREE


@pytest.mark.parametrize("value", [NAN, INF, -2147483648.0])
def test_values_that_mean_nothing_do_not_agree_with_themselves(ours_lmm, lme4, change, value):
    both = [change(r, {"sigma.estimate": value}) for r in (ours_lmm, lme4)]
    found = verdict_at(judge("case", *both, CrossEvidence()), "sigma.estimate")
    assert found.outcome is Outcome.DISAGREE
    assert ("R's missing integer" in found.reason) is (value == -2147483648.0)


def test_one_unit_in_the_last_place_is_never_flagged(ours_lmm, lme4, ours_gbtm, lcmm):
    for left, right in ((ours_lmm, lme4), (ours_lmm, ours_lmm), (ours_gbtm, lcmm), (ours_gbtm, ours_gbtm)):
        for towards in (-INF, INF):
            noisy = tuple(
                q if q.kind is Kind.EXACT else replace(q, value=float(np.nextafter(q.value, towards)))
                for q in right.quantities
            )
            comparison = judge("case", left, replace(right, quantities=noisy), CrossEvidence())
            assert comparison.outcome is Outcome.AGREE, comparison.sentence


def test_the_order_of_quantities_is_never_flagged(ours_gbtm, lcmm):
    comparison = judge("case", ours_gbtm, replace(lcmm, quantities=lcmm.quantities[::-1]), CrossEvidence())
    assert comparison.outcome is Outcome.AGREE
    assert comparison.attribution is None
