"""What a search asks of the density: beginnings, M-steps, draws, conditional modes, and what is at a boundary."""

import numpy as np
import pandas as pd
import pytest

from harness.api import fit_lmm
from harness.errors import SpecError


def objective(density, weights, own):
    return np.einsum("skn,skn->s", weights, density.log_density(own))


def test_an_m_step_never_lowers_the_weighted_log_density(density, own, weights):
    here = own
    for _ in range(4):
        there = density.m_step(weights, here)
        before, after = objective(density, weights, here), objective(density, weights, there)
        assert (after > before - 1e-9).all()
        here = there
    assert (after > objective(density, weights, own) + 1).all()


def test_beginnings_are_better_than_no_correlation(density, weights):
    own = density.begin(weights)
    assert (own >= density.lower).all()
    apart = own.copy()
    apart[:, density.layout.factors] = 0.0
    apart[:, density.layout.processes] = density.lower[density.layout.processes]
    assert (objective(density, weights, own) > objective(density, weights, apart)).all()


def test_an_empty_class_has_a_beginning(density):
    N = density.response.panel.n_subjects
    own = density.begin(np.stack([np.ones((1, N)), np.zeros((1, N))], axis=1))
    assert np.isfinite(density.log_density(own)).all()


def test_m_steps_of_one_class_lead_to_the_mixed_model_fitted_by_maximum_likelihood(density_on, large_panel):
    codes = large_panel.factors["id"].codes
    frame = pd.DataFrame({**large_panel.numeric, "id": [f"s{i:03d}" for i in codes]})
    fit = fit_lmm("score ~ week + dose + (1 + week | id)", frame, "ML")
    density = density_on(large_panel, orders=(1,), random=1, common="dose")
    weights = np.ones((1, 1, density.response.panel.n_subjects))
    own = density.begin(weights)
    for _ in range(10):
        own = density.m_step(weights, own)
    assert density.log_density(own).sum() == pytest.approx(fit.log_likelihood, abs=1e-8)
    V = fit.estimates.random[0].cov
    expected = [*fit.beta, fit.sigma, V[0, 0], V[0, 1], V[1, 1]]
    # The mixed model stops when its deviance is within rounding; its parameters are then good to the root of that.
    np.testing.assert_allclose(density.to_user(own[0]), expected, rtol=1e-5)


def test_conditional_modes_are_those_of_the_mixed_model(density_on, large_panel):
    codes = large_panel.factors["id"].codes
    frame = pd.DataFrame({**large_panel.numeric, "id": [f"s{i:03d}" for i in codes]})
    fit = fit_lmm("score ~ week + (1 + week | id)", frame, "ML")
    V = fit.estimates.random[0].cov
    density = density_on(large_panel, orders=(1,), random=1)
    own = density.from_user(np.array([*fit.beta, fit.sigma, V[0, 0], V[0, 1], V[1, 1]]))
    modes, mean = density.conditional_modes(own, np.ones((1, density.response.panel.n_subjects)))
    np.testing.assert_allclose(modes[0], fit.estimates.random[0].modes, atol=1e-8)
    np.testing.assert_allclose(mean, modes[0], rtol=1e-14)


def test_modes_of_classes_are_averaged_by_their_probabilities(density_on, panel):
    density = density_on(panel, random=1, random_scale="class", errors="ar1")
    N = density.response.panel.n_subjects
    posterior = np.random.default_rng(2).dirichlet((1, 1), N).T
    modes, mean = density.conditional_modes(np.full(density.n_free, 0.3), posterior)
    np.testing.assert_allclose(mean, posterior[0][:, None] * modes[0] + posterior[1][:, None] * modes[1], rtol=1e-12)


def test_draws_have_the_mean_and_covariance_of_the_density(density, own):
    N = density.response.panel.n_subjects
    stream = np.random.default_rng(11)
    classes = np.arange(N) % 2
    draws = np.array([density.simulate(own[0], classes, stream) for _ in range(4000)])
    subject = density.response.panel.subject
    expected = density.response.X @ density.response.pooled
    means = density.response.scale * density.response.predictor(own[:1])[0]
    for i in range(4):
        here = np.flatnonzero(subject == i)
        centred = draws[:, here] - expected[here] - means[classes[i], here]
        Sigma = np.cov(centred.T).reshape(len(here), len(here))
        error = np.sqrt(np.diag(Sigma) / len(draws))
        assert (np.abs(centred.mean(axis=0)) < 5 * error).all()
        exact = dense(density, own[0], classes[i], here)
        spread = np.sqrt((np.outer(np.diag(exact), np.diag(exact)) + exact**2) / len(draws))
        assert (np.abs(Sigma - exact) < 5 * spread).all()


def dense(density, own, g, rows):
    """Return the covariance of some rows of one subject in class g in the user's units, term by term."""
    covariance, layout = density.covariance, density.layout
    time = density.response.time[rows]
    Z = covariance.factor.basis.Z[rows]
    sigma = np.exp(own[layout.sigmas])
    if layout.sigma == "visit":
        noise = sigma[np.searchsorted(covariance.panel.visit_times, time)]
    else:
        noise = np.full(len(rows), sigma[g if layout.sigma == "class" else 0])
    Sigma = Z @ covariance.random_covariance(own)[g] @ Z.T + np.diag(noise**2)
    user = dict(zip([(p.role, p.name) for p in density.parameters], density.to_user(own), strict=True))
    lag = np.abs(time[:, None] - time)
    process = user.get(("process", "s^2"), 0.0) * (
        np.exp(-user["process", "r"] * lag) if ("process", "r") in user else np.minimum(time[:, None], time)
    )
    return density.response.scale**2 * Sigma + process


def test_a_singular_covariance_is_taken_and_named(density_on, panel):
    density = density_on(panel, orders=(1,), random=1)
    # Correlation -1: level - 2 week, times the same number for every subject, so 1 * level + 2 * week has no variance.
    user = np.array([20.0, -1.0, 1.0, 4.0, -2.0, 1.0])
    own = density.from_user(user)
    np.testing.assert_allclose(density.to_user(own), user, rtol=1e-9)
    directions = density.singular(own)
    assert directions.shape == (1, 2)
    np.testing.assert_allclose(directions[0] * np.sign(directions[0, 0]), np.array([1.0, 2.0]) / np.sqrt(5), rtol=1e-6)
    rank = np.linalg.matrix_rank(density.user_jacobian(own)[3:, 3:], tol=1e-6)
    assert rank == 2


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_no_variance_at_all_is_taken_and_named(density_on, panel, covariance):
    density = density_on(panel, orders=(1,), random=1, random_covariance=covariance)
    user = np.concatenate([[20.0, -1.0, 1.0], np.zeros(density.n_free - 3)])
    own = density.from_user(user)
    np.testing.assert_allclose(density.to_user(own), user, atol=1e-12)
    assert density.singular(own).shape == (2, 2)


def test_a_regular_covariance_has_no_singular_direction(density_on, panel):
    density = density_on(panel, orders=(1,), random=1)
    assert density.singular(density.from_user(np.array([20.0, -1.0, 1.0, 4.0, -1.0, 1.0]))).shape == (0, 2)


def test_an_indefinite_covariance_is_refused(density_on, panel):
    density = density_on(panel, orders=(1,), random=1)
    with pytest.raises(SpecError, match="semidefinite"):
        density.from_user(np.array([20.0, -1.0, 1.0, 4.0, -2.1, 1.0]))


def test_a_search_ends_at_a_singular_covariance_when_subjects_do_not_differ_in_slope(density_on, large_panel):
    week, codes = large_panel.numeric["week"], large_panel.factors["id"].codes
    stream = np.random.default_rng(12)
    # Nobody's slope differs; with this seed they differ even less than errors alone would make them.
    score = stream.normal(0, 3, codes.max() + 1)[codes] + stream.normal(0, 1, len(week))
    flat = type(large_panel)(
        name="flat",
        subject="id",
        time="week",
        numeric={"week": week, "score": score},
        factors=large_panel.factors,
    )
    density = density_on(flat, orders=(1,), random=1, random_covariance="diagonal")
    weights = np.ones((1, 1, density.response.panel.n_subjects))
    own = density.begin(weights)
    for _ in range(15):
        own = density.m_step(weights, own)
    score, curvature = total(density, own, weights)
    # M-steps stop where what is left to gain, half the square of the score over the curvature, is rounding.
    assert np.abs(score).max() < 1e-4
    assert np.linalg.eigvalsh(curvature)[-1] < 0
    np.testing.assert_allclose(density.singular(own[0]), [[0.0, 1.0]], atol=1e-12)


def total(density, own, weights):
    (found,) = density.derivatives(own, weights)
    return np.einsum("san,sn->a", found.scores, weights[:, 0]), found.curvature[0]
