import numpy as np
import pytest
from scipy.special import logsumexp

from harness.errors import SpecError
from harness.gbtm.mixture import log_joint
from harness.gbtm.uncertainty import free_covariance

STEP = 1e-4


def by_subject(vectors, mixture):
    """Return log f_i, (S, N)."""
    return logsumexp(log_joint(vectors, mixture), axis=1)


def numerical_scores(vector, mixture):
    """Central differences of each subject's log-likelihood, (P, N), of fourth order: error about STEP^4."""
    steps = STEP * np.eye(len(vector))
    near = by_subject(vector + steps, mixture) - by_subject(vector - steps, mixture)
    far = by_subject(vector + 2 * steps, mixture) - by_subject(vector - 2 * steps, mixture)
    return (8 * near - far) / (12 * STEP)


def numerical_information(vector, mixture):
    """Return minus the central differences of the weighted sum of those scores, (P, P)."""
    rows = []
    for step in STEP * np.eye(len(vector)):
        up, down = (numerical_scores(vector + s, mixture) @ mixture.weights for s in (step, -step))
        rows.append(-(up - down) / (2 * STEP))
    return (np.array(rows) + np.array(rows).T) / 2


def test_the_sandwich_is_that_of_numerical_scores(every_family):
    mixture = every_family.design.mixture_of(every_family.fit.class_kinds)
    vector = every_family.fit.vector
    scores = numerical_scores(vector, mixture) * mixture.weights
    inverse = np.linalg.inv(numerical_information(vector, mixture))
    expected = inverse @ (scores @ scores.T) @ inverse
    found = free_covariance(vector, mixture, "sandwich")
    # Differences of differences keep about 1e-12 / STEP^2 = 1e-4 of the information's worst direction, mostly 1e-6.
    errors = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(found / np.outer(errors, errors), expected / np.outer(errors, errors), atol=1e-4)
    np.testing.assert_allclose(free_covariance(vector, mixture), inverse, rtol=0, atol=1e-4 * np.abs(inverse).max())


def test_coefficients_take_the_named_standard_errors(family_fit):
    fit = family_fit("gaussian")
    plain, robust = (fit.coefficients(standard_errors=kind) for kind in ("observed information", "sandwich"))
    assert fit.coefficients().equals(plain)
    errors = np.sqrt(np.diag(fit.estimates_with("sandwich").covariance))
    np.testing.assert_array_equal(robust["standard_error"], errors)
    assert not np.allclose(plain["standard_error"], robust["standard_error"], rtol=1e-3)
    np.testing.assert_array_equal(plain["estimate"], robust["estimate"])


def test_sampling_weights_ask_for_the_sandwich_unasked(family_fit):
    fit = family_fit("weighted")
    assert fit.estimates.covariance_kind == "sandwich"
    assert fit.coefficients().equals(fit.coefficients(standard_errors="sandwich"))


def test_an_unknown_kind_of_standard_error_is_refused(family_fit):
    with pytest.raises(SpecError, match="standard errors 'robust'; expected one of 'observed information', 'sandwich'"):
        family_fit("gaussian").coefficients(standard_errors="robust")


def test_limits_of_positive_parameters_are_symmetric_in_their_logarithm(family_fit):
    table = family_fit("random").coefficients()
    positive = table.query("role in ['sigma', 'covariance', 'scale']")
    assert positive["role"].tolist() == ["sigma", "covariance", "scale"]
    np.testing.assert_allclose(positive["lower"] * positive["upper"], positive["estimate"] ** 2, rtol=1e-12)
    wide = np.log(positive["upper"] / positive["estimate"]) * positive["estimate"]
    np.testing.assert_allclose(wide, 1.959963984540054 * positive["standard_error"], rtol=1e-12)
