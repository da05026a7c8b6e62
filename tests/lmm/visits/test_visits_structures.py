"""Each structure against its definition in words, with derivatives against differences."""

import numpy as np
import pytest

from harness.lmm.visits.structures import continuous_autoregression, structure

VISITS = ("one", "two", "three", "four")
LAG = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
SDS = np.array([1.0, 1.5, 0.8, 2.0])
STEPS = np.array([0.7, -0.4, 0.2])


def antedependence(a, b):
    return np.prod(STEPS[min(a, b) : max(a, b)])


ANTE = np.array([[antedependence(a, b) for b in range(4)] for a in range(4)])
BANDS = np.array([1.0, 0.5, 0.2, -0.1])[LAG]
FREE = np.array([[2.0, 0.5, 0.1, -0.3], [0.5, 1.5, 0.4, 0.2], [0.1, 0.4, 1.0, 0.6], [-0.3, 0.2, 0.6, 3.0]])
SCALE = np.outer(SDS, SDS)
# Parameters, and the covariance that SAS documents for them.
DEFINED = {
    "us": (FREE[np.tril_indices(4)], FREE),
    "cs": ((0.6, 1.4), 0.6 + 1.4 * np.eye(4)),
    "toep": ((2.0, 1.0, 0.4, -0.2), 2.0 * BANDS),
    "ar1": ((2.0, -0.6), 2.0 * (-0.6) ** LAG),
    "ad": ((2.0, *STEPS), 2.0 * ANTE),
    "csh": ((*SDS**2, -0.2), SCALE * np.where(LAG == 0, 1.0, -0.2)),
    "ar1h": ((*SDS**2, 0.5), SCALE * 0.5**LAG),
    "toeph": ((*SDS**2, 0.5, 0.2, -0.1), SCALE * BANDS),
    "adh": ((*SDS**2, *STEPS), SCALE * ANTE),
}


@pytest.mark.parametrize("name", DEFINED)
def test_a_structure_is_what_sas_documents(name):
    gamma, Sigma = DEFINED[name]
    own = structure(name, VISITS)
    assert len(own.names) == len(gamma) == len(set(own.names))
    np.testing.assert_allclose(own.entries(np.array(gamma)).values.reshape(4, 4), Sigma, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", DEFINED)
def test_derivatives_are_those_of_the_covariance(name):
    gamma, own = np.array(DEFINED[name][0]), structure(name, VISITS)
    here = own.entries(gamma)
    for r in range(len(gamma)):
        step = np.zeros(len(gamma))
        step[r] = 1e-5
        up, down = own.entries(gamma + step), own.entries(gamma - step)
        np.testing.assert_allclose(here.first[r], (up.values - down.values) / 2e-5, atol=1e-9)
        if here.second is not None:
            np.testing.assert_allclose(here.second[r], (up.first - down.first) / 2e-5, atol=1e-9)
        else:
            np.testing.assert_array_equal(up.first, down.first)


@pytest.mark.parametrize("name", ["ar1", "toeph", "adh", "csh"])
def test_derivatives_at_correlation_zero_are_the_limits_from_nearby(name):
    own = structure(name, VISITS)
    gamma = np.where(own.variances, np.array(DEFINED[name][0]), 0.0)
    at, near = own.entries(gamma), own.entries(np.where(own.variances, gamma, 1e-12))
    for field in ("values", "first", "second"):
        np.testing.assert_allclose(getattr(at, field), getattr(near, field), atol=1e-10)


def test_continuous_autoregression_at_whole_distances_is_the_discrete_one():
    gamma = np.array([2.0, 0.6])
    discrete = structure("ar1", VISITS).entries(gamma)
    continuous = continuous_autoregression(LAG.reshape(-1).astype(float)).entries(gamma)
    for field in ("values", "first", "second"):
        np.testing.assert_array_equal(getattr(continuous, field), getattr(discrete, field))


@pytest.mark.parametrize("name", DEFINED)
def test_only_positive_definite_covariances_are_valid(name):
    own = structure(name, VISITS)
    gamma = np.array(DEFINED[name][0])
    assert own.valid(gamma)
    assert not own.valid(np.where(own.variances, -gamma, gamma))


def test_an_equal_correlation_below_its_limit_is_refused():
    own = structure("csh", VISITS)
    assert own.valid(np.array([*SDS**2, -0.333]))
    assert not own.valid(np.array([*SDS**2, -0.334]))


@pytest.mark.parametrize("name", DEFINED)
def test_exact_moments_give_the_parameters_back(name):
    gamma, Sigma = DEFINED[name]
    own = structure(name, VISITS)
    np.testing.assert_allclose(own.start(Sigma.reshape(-1), np.full(16, 10.0)), gamma, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", DEFINED)
def test_moments_that_are_no_covariance_give_a_valid_start(name):
    moments = np.where(LAG == 0, 1.0, np.where(LAG == 1, 0.95, -0.9)).reshape(-1)
    own = structure(name, VISITS)
    assert own.valid(own.start(moments, np.ones(16)))


@pytest.mark.parametrize("name", DEFINED)
def test_visits_that_nobody_shares_leave_a_valid_start(name):
    own = structure(name, VISITS)
    counts = np.where(np.eye(4).reshape(-1) == 1, 5.0, 0.0)
    assert own.valid(own.start(np.where(counts > 0, 2.0, 0.0), counts))


@pytest.mark.parametrize("name", DEFINED)
def test_independent_visits_keep_their_variances(name):
    gamma, Sigma = DEFINED[name]
    own = structure(name, VISITS)
    values = own.entries(own.independent(np.array(gamma))).values.reshape(4, 4)
    np.testing.assert_allclose(values, np.diag(np.diag(Sigma)), atol=1e-12)


@pytest.mark.parametrize("name", DEFINED)
def test_one_visit_has_one_variance(name):
    own = structure(name, ("only",))
    assert len(own.names) == 1
    np.testing.assert_array_equal(own.entries(np.array([3.0])).values, [3.0])
