"""Latent classes are matched by what they are, not by what they are called."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from harness.comparison.alignment import align, relabelled
from harness.comparison.judge import judge
from harness.comparison.verdict import Attribution, CrossEvidence, Outcome
from harness.quantities import Kind, OptimumCovariance, Quantity

ALL = [dict(zip((1, 2, 3), p, strict=True)) for p in permutations((1, 2, 3))]


def without_posteriors(reading):
    return replace(reading, quantities=tuple(q for q in reading.quantities if "posterior[" not in q.path))


@pytest.mark.parametrize("permutation", ALL)
@pytest.mark.parametrize("view", [lambda r: r, without_posteriors], ids=["posteriors", "curves"])
def test_every_renaming_is_undone(ours_gbtm, lcmm, relabel, permutation, view):
    renamed = relabel(view(lcmm), permutation)
    found = align(view(ours_gbtm), renamed)
    assert {permutation[g]: g for g in permutation} == dict(found.permutation)
    assert not found.is_ambiguous
    back = relabelled(renamed, found.permutation)
    assert {q.path: q.value for q in back.quantities} == {q.path: q.value for q in view(lcmm).quantities}


@pytest.mark.parametrize("permutation", ALL[1:])
def test_a_consistent_renaming_agrees_and_is_named(ours_gbtm, lcmm, relabel, permutation):
    comparison = judge("case", ours_gbtm, relabel(lcmm, permutation), CrossEvidence())
    assert (comparison.outcome, comparison.attribution) == (Outcome.AGREE, Attribution.LABELS)
    for g, theirs in permutation.items():
        assert f"class {theirs} of lcmm is class {g} of harness" in comparison.sentence
    assert comparison.distance == 0


def test_equal_names_are_kept_when_two_classes_are_twins(ours_gbtm):
    twins = tuple(
        replace(q, value=0.5) if ".posterior[" in q.path and q.latent_class in {1, 2} else q
        for q in ours_gbtm.quantities
    )
    reading = replace(ours_gbtm, quantities=twins)
    found = align(reading, reading)
    assert dict(found.permutation) == {1: 1, 2: 2, 3: 3}
    assert found.is_ambiguous


def test_noise_in_the_posteriors_does_not_change_the_match(ours_gbtm, lcmm, relabel):
    random = np.random.default_rng(5)
    noisy = tuple(
        replace(q, value=float(np.clip(q.value + random.normal(0, 0.05), 0, 1))) if ".posterior[" in q.path else q
        for q in lcmm.quantities
    )
    found = align(ours_gbtm, relabel(replace(lcmm, quantities=noisy), {1: 3, 2: 1, 3: 2}))
    assert dict(found.permutation) == {3: 1, 1: 2, 2: 3}


def test_nan_in_a_posterior_neither_crashes_nor_agrees(ours_gbtm, lcmm, change):
    broken = change(lcmm, {"class[1].posterior[P00]": float("nan")})
    assert judge("case", ours_gbtm, broken, CrossEvidence()).outcome is Outcome.DISAGREE


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_missing_class_leaves_no_agreement_on_either_side(ours_gbtm, lcmm, lost):
    rest = tuple(q for q in lcmm.quantities if q.latent_class != lost)
    fewer = replace(lcmm, quantities=rest, covariance=None)
    for left, right in ((ours_gbtm, fewer), (replace(fewer, engine="harness"), lcmm)):
        comparison = judge("case", left, right, CrossEvidence())
        assert comparison.outcome is Outcome.DISAGREE
        unmatched = [v for v in comparison.verdicts if v.reason.endswith("does not have it")]
        per_class = sum(q.latent_class == lost for q in lcmm.quantities)
        assert len(unmatched) >= per_class - 8  # the lost class may be matched with one of fewer coefficients


def test_models_without_classes_have_no_permutation(ours_lmm, lme4):
    assert dict(align(ours_lmm, lme4).permutation) == {}


@pytest.mark.parametrize("permutation", ALL)
def test_log_odds_are_against_the_class_of_the_same_name_after_a_renaming(ours_gbtm, permutation):
    against_third = {1: (0.4, 0.02), 2: (-1.1, 0.05)}
    odds = tuple(
        Quantity(
            path=f"class[{g}].membership[{name}].estimate",
            kind=Kind.OPTIMUM,
            value=value,
            standard_error=0.3,
            latent_class=g,
        )
        for g, values in against_third.items()
        for name, value in zip(("intercept", "age"), values, strict=True)
    )
    matrix = np.array([[4.0, 1, 2, 0], [1, 3, 0, 1], [2, 0, 5, 1], [0, 1, 1, 2]])
    covariance = OptimumCovariance(paths=tuple(q.path for q in odds), matrix=matrix)
    renamed = relabelled(replace(ours_gbtm, quantities=odds, covariance=covariance), permutation)
    found = {q.path: q for q in renamed.quantities}
    table = {g: np.array(against_third.get(g, (0.0, 0.0))) for g in (1, 2, 3)}
    by_new = {permutation[g]: values for g, values in table.items()}
    assert sorted(found) == sorted(q.path for q in odds)
    for g in (1, 2):
        for k, name in enumerate(("intercept", "age")):
            one = found[f"class[{g}].membership[{name}].estimate"]
            assert one.value == pytest.approx(by_new[g][k] - by_new[3][k], abs=1e-15)
            place = renamed.covariance.paths.index(one.path)
            if permutation[3] != 3:
                assert one.standard_error == pytest.approx(renamed.covariance.matrix[place, place] ** 0.5)
    # The variance of a difference, by hand: the intercepts' covariances above are [[4, 2], [2, 5]].
    if permutation == {1: 3, 2: 2, 3: 1}:
        assert found["class[1].membership[intercept].estimate"].standard_error == 2.0
        assert found["class[2].membership[intercept].estimate"].standard_error == pytest.approx(5**0.5)
    back = relabelled(renamed, {after: before for before, after in permutation.items()})
    assert [q.path for q in back.quantities] == [q.path for q in odds]
    assert [q.value for q in back.quantities] == pytest.approx([q.value for q in odds])
    assert back.covariance.matrix == pytest.approx(matrix)
