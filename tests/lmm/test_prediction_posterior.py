"""What rows are expected to be, given other rows: against dense matrices, long arithmetic and theorems."""

from dataclasses import replace

import mpmath
import numpy as np
import pytest
from scipy.linalg import block_diag

from harness.lmm.prediction.distribution import (
    ContinuousResidual,
    Distribution,
    IndependentResidual,
    VisitResidual,
)
from harness.lmm.prediction.modes import modes
from harness.lmm.prediction.occasions import Occasions, RandomRows, joined
from harness.lmm.prediction.posterior import population, posterior

P = 3
G = (np.array([[2.0, 0.3], [0.3, 0.5]]), np.array([[1.5]]))
VISITS = np.array(
    [[[2.0, 0.9, 0.4], [0.9, 1.5, 0.6], [0.4, 0.6, 1.0]], [[1.0, 0.2, 0.1], [0.2, 3.0, 0.5], [0.1, 0.5, 2.0]]]
)


def panel(*, subjects=5, crossed=False, structured=False, seed=3):
    """Three visits of each subject; raters in blocks of two subjects, or, crossed, all of them by visit."""
    stream = np.random.default_rng(seed)
    subject = np.repeat(np.arange(subjects), 3)
    visit = np.tile(np.arange(3), subjects)
    n = len(subject)
    t = stream.random(n) * 4
    rater = visit if crossed else subject // 2
    return Occasions(
        X=np.column_stack([np.ones(n), t, stream.standard_normal(n)]),
        random=(
            RandomRows(Z=np.column_stack([np.ones(n), t]), codes=subject),
            RandomRows(Z=np.ones((n, 1)), codes=rater),
        ),
        outcome=5 + stream.standard_normal(n),
        weights=stream.random(n) + 0.5,
        residual_subject=subject if structured else np.zeros(n, dtype=np.int64),
        residual_level=subject % 2 if structured else np.zeros(n, dtype=np.int64),
        visit=visit.astype(float) if structured else np.zeros(n),
        has_residual_structure=structured,
    )


def dense(distribution, at):
    """V of all rows, and Cov(Zb)."""
    rows = np.arange(at.n_rows)[None]
    signal = sum(
        (part.codes[:, None] == part.codes) * (part.Z @ cov @ part.Z.T)
        for part, cov in zip(at.random, distribution.random_cov, strict=True)
    )
    return signal + distribution.residual.covariance(at, rows, rows)[0], signal


def fitted(at, residual, random_cov=G):
    """The distribution at given covariances, beta by generalised least squares."""
    start = Distribution(beta=np.zeros(P), vcov=np.eye(P), random_cov=random_cov, residual=residual)
    V, _ = dense(start, at)
    vcov = np.linalg.inv(at.X.T @ np.linalg.solve(V, at.X))
    beta = vcov @ at.X.T @ np.linalg.solve(V, at.outcome)
    return Distribution(beta=beta, vcov=vcov, random_cov=random_cov, residual=residual)


@pytest.mark.parametrize("crossed", [False, True])
def test_means_and_both_variances_solve_hendersons_equations(crossed):
    at = panel(crossed=crossed)
    own = fitted(at, IndependentResidual(variance=0.7))
    found = posterior(own, joined(at, at.without_outcomes()), asked=np.arange(30) >= 15).mean

    m, k = 5, 1 + at.random[1].codes.max()
    Z = np.column_stack(
        [
            *(at.random[0].Z * (at.random[0].codes == i)[:, None] for i in range(m)),
            *(at.random[1].codes == np.arange(k)[:, None]),
        ]
    )
    R = np.diag(at.weights / 0.7)
    inverse_G = np.linalg.inv(block_diag(*[G[0]] * m, *[G[1]] * k))
    W = np.column_stack([at.X, Z])
    coefficient = W.T @ R @ W
    coefficient[P:, P:] += inverse_G
    solution = np.linalg.solve(coefficient, W.T @ R @ at.outcome)
    np.testing.assert_allclose(found.value, W @ solution, rtol=1e-12)
    np.testing.assert_allclose(found.variance, np.diag(W @ np.linalg.solve(coefficient, W.T)), rtol=1e-11)
    given_beta = np.linalg.inv(coefficient[P:, P:])
    np.testing.assert_allclose(found.conditional_variance, np.diag(Z @ given_beta @ Z.T), rtol=1e-11)


@pytest.mark.parametrize("crossed", [False, True])
def test_modes_and_both_covariances_solve_hendersons_equations(crossed):
    at = panel(crossed=crossed)
    own = fitted(at, IndependentResidual(variance=0.7))
    V, _ = dense(own, at)
    for part, n_levels in ((0, 5), (1, 1 + at.random[1].codes.max())):
        found = modes(own, at, part, n_levels)
        for level in range(n_levels):
            loading = (at.random[part].Z * (at.random[part].codes == level)[:, None]) @ G[part]  # Cov(y, b)
            K = np.linalg.solve(V, loading).T
            np.testing.assert_allclose(found.modes[level], K @ (at.outcome - at.X @ own.beta), rtol=1e-10)
            conditional = G[part] - K @ loading
            np.testing.assert_allclose(found.conditional_cov[level], conditional, rtol=1e-10, atol=1e-14)
            whole = conditional + K @ at.X @ own.vcov @ at.X.T @ K.T
            np.testing.assert_allclose(found.prediction_cov[level], whole, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("level", ["mean", "outcome"])
def test_where_residuals_covary_predictions_are_those_of_the_joint_normal(level):
    at = panel(structured=True)
    own = fitted(at, VisitResidual(matrices=VISITS))
    asked = np.isin(np.arange(15), [1, 2, 8, 11, 12, 13, 14])
    found = getattr(posterior(own, at, asked=asked), level)

    V, signal = dense(own, at)
    target = signal if level == "mean" else V
    K = np.linalg.solve(V[np.ix_(~asked, ~asked)], target[np.ix_(~asked, asked)]).T
    residual = (at.outcome - at.X @ own.beta)[~asked]
    np.testing.assert_allclose(found.value, at.X[asked] @ own.beta + K @ residual, rtol=1e-12)
    conditional = (target[np.ix_(asked, asked)] - K @ target[np.ix_(~asked, asked)]).diagonal()
    np.testing.assert_allclose(found.conditional_variance, conditional, rtol=1e-11)
    left = at.X[asked] - K @ at.X[~asked]
    np.testing.assert_allclose(found.variance, conditional + np.diag(left @ own.vcov @ left.T), rtol=1e-11)


def test_where_residuals_covary_a_measured_outcome_predicts_itself():
    at = panel(structured=True)
    own = fitted(at, VisitResidual(matrices=VISITS))
    found = posterior(own, joined(at, at.without_outcomes()), asked=np.arange(30) >= 15)
    np.testing.assert_allclose(found.outcome.value, at.outcome, rtol=1e-13)
    assert found.outcome.variance.max() < 1e-13
    assert found.mean.variance.min() > 0.1


def test_a_continuous_autoregression_remembers_its_last_outcome_only():
    times = np.array([0.0, 0.4, 1.7, 4.2])
    zero = np.zeros(4, dtype=np.int64)
    at = Occasions(
        X=np.ones((4, 1)), random=(), outcome=np.array([3.0, 1.0, 2.5, np.nan]), weights=np.ones(4),
        residual_subject=zero, residual_level=zero, visit=times, has_residual_structure=True,
    )  # fmt: skip
    residual = ContinuousResidual(variances=np.array([2.0]), phi=np.array([0.6]))
    own = Distribution(beta=np.array([2.0]), vcov=np.zeros((1, 1)), random_cov=(), residual=residual)
    found = posterior(own, at, asked=times > 4).outcome
    decay = 0.6**2.5
    assert found.value[0] == pytest.approx(2.0 + decay * 0.5, rel=1e-14)
    assert found.conditional_variance[0] == pytest.approx(2.0 * (1 - decay**2), rel=1e-14)


def test_small_variances_keep_their_digits_beside_large_ones():
    """Random effects 6e5 times sigma; the variance given y in 50 digits. The usual G - G Z'V^-1 Z G has none left."""
    t = np.array([0.0, 1.0, 2.0, 3.5])
    Z = np.column_stack([np.ones(4), t])
    sigma, cov = 1e-5, np.array([[36.0, 3.0], [3.0, 4.0]])
    at = Occasions(
        X=np.zeros((4, 1)), random=(RandomRows(Z=Z, codes=np.zeros(4, dtype=np.int64)),), outcome=t + 1,
        weights=np.ones(4), residual_subject=np.zeros(4, dtype=np.int64), residual_level=np.zeros(4, dtype=np.int64),
        visit=np.zeros(4),
    )  # fmt: skip
    own = Distribution(
        beta=np.zeros(1), vcov=np.zeros((1, 1)), random_cov=(cov,), residual=IndependentResidual(variance=sigma**2)
    )
    found = modes(own, at, 0, 1).conditional_cov[0]
    with mpmath.workdps(50):
        A = mpmath.inverse(mpmath.matrix(cov.tolist())) + mpmath.matrix((Z.T @ Z).tolist()) / mpmath.mpf(sigma) ** 2
        exact = np.array(mpmath.inverse(A).tolist(), dtype=float)
    np.testing.assert_allclose(found, exact, rtol=1e-10)
    K = np.linalg.solve(Z @ cov @ Z.T + sigma**2 * np.eye(4), Z @ cov).T
    assert np.abs((cov - K @ Z @ cov) / exact - 1).max() > 1e-6


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_units_of_a_random_effect_cost_no_digits(unit):
    at = panel()
    own = fitted(at, IndependentResidual(variance=0.7))
    scale = np.array([1.0, unit])
    moved = replace(at, random=(replace(at.random[0], Z=at.random[0].Z * scale), at.random[1]))
    scaled = replace(own, random_cov=(G[0] / np.outer(scale, scale), G[1]))
    asked = np.arange(15) % 4 == 0
    one, other = posterior(own, at, asked=asked).mean, posterior(scaled, moved, asked=asked).mean
    np.testing.assert_allclose(other.value, one.value, rtol=1e-12)
    np.testing.assert_allclose(other.conditional_variance, one.conditional_variance, rtol=1e-12)


def test_the_variance_of_an_outcome_is_that_given_others_plus_that_of_its_prediction():
    """The law of total variance, over the outcomes that it is predicted from."""
    at = panel(structured=True)
    own = fitted(at, VisitResidual(matrices=VISITS))
    asked = np.arange(15) == 4
    V, _ = dense(own, at)
    K = np.linalg.solve(V[np.ix_(~asked, ~asked)], V[np.ix_(~asked, asked)]).T
    between = (K @ V[np.ix_(~asked, ~asked)] @ K.T)[0, 0]
    within = posterior(own, at, asked=asked).outcome.conditional_variance[0]
    assert within + between == pytest.approx(population(own, at).outcome.conditional_variance[4], rel=1e-13)


def test_of_somebody_unknown_the_expectation_is_that_of_the_population():
    at = panel()
    own = fitted(at, IndependentResidual(variance=0.7))
    stranger = at.rows(np.arange(3)).without_outcomes()
    codes = np.full(3, 99)
    stranger = Occasions(
        X=stranger.X, random=tuple(RandomRows(Z=part.Z, codes=codes) for part in stranger.random),
        outcome=stranger.outcome, weights=stranger.weights, residual_subject=stranger.residual_subject,
        residual_level=stranger.residual_level, visit=stranger.visit,
    )  # fmt: skip
    found = posterior(own, joined(at, stranger), asked=np.arange(18) >= 15)
    expected = population(own, stranger)
    np.testing.assert_allclose(found.mean.value, expected.mean.value, rtol=1e-14)
    np.testing.assert_allclose(found.outcome.variance, expected.outcome.variance, rtol=1e-13)
    np.testing.assert_allclose(found.mean.conditional_variance, own.signal_variance(stranger), rtol=1e-13)


def test_more_outcomes_never_make_a_prediction_less_certain():
    at = panel(structured=True, seed=8)
    own = fitted(at, VisitResidual(matrices=VISITS))
    asked = np.arange(15) >= 14
    variances = []
    for known in range(15):
        outcome = np.where(np.arange(15) < known, at.outcome, np.nan)
        rows = Occasions(
            X=at.X, random=at.random, outcome=outcome, weights=at.weights, residual_subject=at.residual_subject,
            residual_level=at.residual_level, visit=at.visit, has_residual_structure=True,
        )  # fmt: skip
        variances.append(posterior(own, rows, asked=asked).outcome.conditional_variance[0])
    assert (np.diff(variances) <= 1e-13).all()
    assert variances[-1] < 0.9 * variances[0]


def test_intervals_take_the_degrees_of_freedom_that_they_are_given():
    at = panel()
    found = population(fitted(at, IndependentResidual(variance=0.7)), at)
    wald, t = found.table(level=0.9), found.table(level=0.9, df=5.0)
    # scipy 1.17: t quantiles at 0.95 of infinite and 5 degrees of freedom.
    np.testing.assert_allclose(wald["upper"] - wald["mean"], 1.6448536269514722 * wald["standard_error"], rtol=1e-10)
    np.testing.assert_allclose(t["outcome_upper"] - t["outcome"], 2.015048373 * t["outcome_error"], rtol=1e-9)
