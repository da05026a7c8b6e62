import numpy as np
import pytest

from harness.gbtm.design import build_design, slots
from harness.gbtm.em import begin
from harness.gbtm.mixture import e_step
from harness.gbtm.newcomers import has_small_sigma, is_rugged, newcomer_starts
from harness.gbtm.selection.search import End, best_end, is_collapsed, search_from, search_larger


def test_newcomers_find_a_small_class_that_partitions_miss(four_classes):
    # 4 against 5 quadratic classes: 138 starts of all kinds end at -3977.0720; every subject with its neighbours tried
    # for the new class leads to -3976.6540 (this engine, both).
    smaller = four_classes.design
    design = smaller.with_another(smaller.class_kinds[0])
    best = End(vector=four_classes.fit.vector, log_likelihood=four_classes.log_likelihood)
    found = search_larger(best, smaller, design, 0, np.random.default_rng(1))
    assert found.log_likelihood >= -3976.6541


def test_a_larger_model_never_ends_below_the_smaller_one(fits):
    design = fits[2].design.with_another(fits[2].design.class_kinds[0])
    smaller = End(vector=fits[2].fit.vector, log_likelihood=fits[2].log_likelihood)
    found = search_larger(smaller, fits[2].design, design, 0, np.random.default_rng(1))
    assert found.log_likelihood >= fits[2].log_likelihood - 1e-8
    assert found.log_likelihood == pytest.approx(fits[3].log_likelihood, abs=1e-6)


def test_the_search_from_the_truth_returns_to_the_best_optimum(fits):
    posterior = fits[2].posterior.T
    assert search_from(posterior, fits[2].design, 0).log_likelihood == pytest.approx(fits[2].log_likelihood, abs=1e-8)


def test_newcomers_are_class_probabilities_with_a_class_that_the_smaller_model_lacks(fits):
    design = fits[3].design
    places = slots(design.class_kinds, fits[2].design.class_kinds)
    starts = newcomer_starts(fits[2].posterior.T, places, design, np.random.default_rng(1))
    assert starts.shape == (20, 3, 48)
    assert starts.sum(axis=1) == pytest.approx(1.0)


def test_an_end_whose_sigma_collapsed_is_passed_over(two_groups, spec_of, fits):
    design = build_design(spec_of((1, 1), sigma="class"), two_groups)
    assert is_rugged(design.mixture)
    assert not is_rugged(fits[2].design.mixture)
    spike = np.zeros((2, 48))
    spike[1] = 1.0
    spike[:, 0] = (1.0, 0.0)
    starts = np.stack([spike, fits[2].posterior.T])
    # A class of one subject with its own line: the likelihood grows without a bound where four visits lie on it.
    flat = begin(spike[None], design.mixture)
    flat[0, -2] = np.log(1e-4)
    assert has_small_sigma(flat, design.mixture).all()
    found = best_end(starts, design.mixture)
    assert not is_collapsed(found, design.mixture)
    assert e_step(found.vector[None], design.mixture)[1][0] == pytest.approx(found.log_likelihood)
