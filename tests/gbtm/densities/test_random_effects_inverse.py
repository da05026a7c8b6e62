"""Inverses of stacks of small covariance matrices."""

import numpy as np
import pytest

from harness.gbtm.densities.matrix_inverse import inverse_and_log_det


@pytest.mark.parametrize("m", [1, 3, 5, 6, 9])
def test_inverses_and_determinants_are_those_of_each_matrix(m):
    factors = np.random.default_rng(m).normal(size=(2, 7, m, m))
    matrices = factors @ factors.swapaxes(2, 3) + np.eye(m)
    inverses, log_det = inverse_and_log_det(np.moveaxis(matrices, 1, -1))
    np.testing.assert_allclose(np.moveaxis(inverses, -1, 1), np.linalg.inv(matrices), atol=1e-12)
    np.testing.assert_allclose(log_det, np.linalg.slogdet(matrices)[1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("m", [2, 6])
def test_no_search_goes_where_a_covariance_is_none(m):
    bad = np.eye(m)
    bad[0, 0] = -1.0
    singular = np.ones((m, m))
    _, log_det = inverse_and_log_det(np.stack([np.eye(m), bad, singular], axis=-1))
    assert log_det.tolist() == [0.0, np.inf, np.inf]
