"""Scores, curvature and the Jacobian of the user's parameters: against slopes of what they are derivatives of."""

import numpy as np
import pytest

STEP = 2e-3


def slope(f, at):
    """Return d f / d each parameter, first axis; five points, so that the error is of the fourth power of the step."""
    steps = STEP * np.eye(at.shape[-1])
    return np.stack([(8 * (f(at + e) - f(at - e)) - (f(at + 2 * e) - f(at - 2 * e))) / (12 * STEP) for e in steps])


def test_scores_are_slopes_of_the_log_density(density, own, weights):
    numeric = slope(density.log_density, own)
    for g, found in enumerate(density.derivatives(own, weights)):
        expected = np.zeros_like(numeric[:, :, g])
        expected[density.places[g]] = found.scores.transpose(1, 0, 2)
        np.testing.assert_allclose(expected, numeric[:, :, g], atol=1e-7 * np.abs(numeric).max())


def test_the_curvature_is_the_slope_of_weighted_scores(density, own, weights):
    for g, found in enumerate(density.derivatives(own, weights)):

        def weighted(at, g=g):
            return np.einsum("san,sn->sa", density.derivatives(at, weights)[g].scores, weights[:, g])

        numeric = slope(weighted, own)[density.places[g]].transpose(1, 0, 2)
        np.testing.assert_allclose(found.curvature, numeric, atol=1e-6 * np.abs(numeric).max())


def test_the_jacobian_is_the_slope_of_the_users_parameters(density, own):
    numeric = slope(density.to_user, own[0]).T
    np.testing.assert_allclose(density.user_jacobian(own[0]), numeric, atol=1e-8 * np.abs(numeric).max())


def test_derivatives_do_not_depend_on_how_starts_are_batched(density, own, weights, monkeypatch):
    together = density.derivatives(own, weights)
    monkeypatch.setattr("harness.gbtm.densities.random_effects._BATCH", 1)
    for one, other in zip(together, density.derivatives(own, weights), strict=True):
        np.testing.assert_allclose(other.scores, one.scores, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(other.curvature, one.curvature, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("entry", [0, 1, 2])
def test_derivatives_are_finite_and_right_at_a_singular_covariance(density_on, panel, entry):
    density = density_on(panel, random=1)
    own = np.random.default_rng(4).normal(0, 0.4, (1, density.n_free))
    own[:, density.layout.factors.start + entry] = 0.0
    weights = np.ones((1, 2, density.response.panel.n_subjects))
    numeric = slope(density.log_density, own)
    for g, found in enumerate(density.derivatives(own, weights)):
        scores = found.scores.transpose(1, 0, 2)
        np.testing.assert_allclose(scores, numeric[density.places[g], :, g], atol=1e-7 * np.abs(numeric).max())
