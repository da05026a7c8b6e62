"""Arithmetic of twice the digits, against fractions, which have all of them."""

from fractions import Fraction

import numpy as np

from harness.lmm.twofold import plus_product, product, twofold


def exact(array):
    return np.vectorize(Fraction, otypes=[object])(array)


def test_what_a_large_product_leaves_of_its_subtrahend_is_exact():
    stream = np.random.default_rng(0)
    X = 2000 + stream.random((7, 3))
    b = 10.0 ** stream.uniform(-3, 8, (3, 2))
    start = twofold(-(X @ b))
    left = plus_product(start, X, b)
    expected = exact(start.high) + exact(X) @ exact(b)
    # The difference is nothing but the rounding of X @ b, 1e-16 of it; and of that, 1e-16 is lost.
    assert np.abs(left.high / (X @ b)).max() < 1e-14
    np.testing.assert_allclose(left.high, expected.astype(float), rtol=1e-14)


def test_a_factor_of_two_doubles_counts_with_both():
    stream = np.random.default_rng(1)
    Z, T, u = stream.random((5, 2)), 10.0 ** stream.uniform(-5, 5, (2, 2)), stream.random((2, 3))
    inner = product(T, u)
    total = plus_product(twofold(np.zeros((5, 3))), Z, inner)
    expected = exact(Z) @ (exact(T) @ exact(u))
    error = exact(total.high) + exact(total.low) - expected
    assert np.abs((error / expected).astype(float)).max() < 1e-30


def test_stacks_are_multiplied_as_by_matmul():
    stream = np.random.default_rng(2)
    left, right = stream.random((4, 3, 2)), stream.random((4, 2, 5))
    np.testing.assert_allclose(product(left, right).high, left @ right, rtol=1e-15)
