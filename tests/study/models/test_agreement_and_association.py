"""Agreement of assignments and association of classes, against definitions by pairs and against scipy."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from harness.study.class_sensitivity import agreement
from harness.study.class_tables import adjusted_residuals, association, cramers_v

COUNTS = np.array([[19.0, 12, 7, 4], [14, 24, 16, 12], [5, 17, 12, 13], [1, 6, 7, 25]])


def test_rands_index_is_that_of_all_pairs_less_chance():
    generator = np.random.default_rng(1)
    one, other = generator.integers(1, 5, 60), generator.integers(1, 4, 60)
    pairs = [(one[i] == one[j], other[i] == other[j]) for i, j in combinations(range(60), 2)]
    both, first, second = (sum(map(bool, column)) for column in zip(*[(a and b, a, b) for a, b in pairs], strict=True))
    chance = first * second / len(pairs)
    assert agreement(one, other).rand == pytest.approx((both - chance) / ((first + second) / 2 - chance), rel=1e-12)


def test_renamed_classes_agree_fully():
    one = np.array([1, 1, 2, 3, 3, 3])
    found = agreement(one, np.array([3, 3, 1, 2, 2, 2]))
    assert (found.rand, found.same) == (1.0, 1.0)


def test_the_matching_of_classes_is_the_best_one():
    generator = np.random.default_rng(2)
    one, other = generator.integers(1, 4, 50), generator.integers(1, 4, 50)
    every = [
        np.mean(np.array(names)[one - 1] == other)
        for names in ((1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1))
    ]
    assert agreement(one, other).same == max(every)


def test_association_is_scipys():
    found = association(COUNTS, seed=1, draws=200)
    test = stats.chi2_contingency(COUNTS, correction=False)
    assert (found.statistic, found.df) == (pytest.approx(test.statistic, rel=1e-12), test.dof)
    assert found.p == pytest.approx(test.pvalue, rel=1e-10)
    assert found.cramers_v == pytest.approx(stats.contingency.association(COUNTS.astype(int)), rel=1e-12)
    assert found.least_expected == pytest.approx(test.expected_freq.min(), rel=1e-12)


def test_permuted_p_values_are_uniform_without_association():
    generator = np.random.default_rng(3)
    p = []
    for _ in range(200):
        rows, columns = generator.integers(0, 3, 60), generator.integers(0, 3, 60)
        counts = np.zeros((3, 3))
        np.add.at(counts, (rows, columns), 1.0)
        p.append(association(counts, seed=int(generator.integers(2**31)), draws=99).p_permuted)
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_residuals_are_differences_from_independence_in_standard_errors():
    found = adjusted_residuals(COUNTS)
    total, j, k = COUNTS.sum(), 0, 0
    expected = COUNTS[j].sum() * COUNTS[:, k].sum() / total
    error = np.sqrt(expected * (1 - COUNTS[j].sum() / total) * (1 - COUNTS[:, k].sum() / total))
    assert found[0, 0] == pytest.approx((19 - expected) / error, rel=1e-12)
    # R: chisq.test(matrix(c(10, 20, 30, 40), 2), correct = FALSE)$stdres has +-0.7905694 = sqrt(X-squared)
    two = np.array([[10.0, 30], [20, 40]])
    root = np.sqrt(stats.chi2_contingency(two, correction=False).statistic)
    np.testing.assert_allclose(np.abs(adjusted_residuals(two)), root, rtol=1e-12)


def test_cramers_v_goes_from_none_to_full():
    assert cramers_v(np.outer([10.0, 20, 30], [1.0, 2, 3])) == pytest.approx(0, abs=1e-12)
    assert cramers_v(np.diag([5.0, 6, 7])) == pytest.approx(1, rel=1e-12)
    assert cramers_v(np.diag([5.0, 6, 0])) == pytest.approx(1, rel=1e-12)
