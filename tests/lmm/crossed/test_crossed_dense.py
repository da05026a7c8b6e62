"""The engine against dense matrices of the model's definition, at random parameters of random unbalanced designs."""

import numpy as np
import pytest
from scipy.linalg import block_diag

from harness.lmm.covariance import theta_entries
from harness.lmm.crossed.estimation import estimate
from harness.lmm.crossed.evaluation import evaluate, working_modes
from harness.lmm.crossed.fit import fit, profiled_deviance, working_theta
from harness.lmm.crossed.layout import arrange, entries, factors_at
from harness.lmm.crossed.statistics import adapted, cross_products

MODELS = {
    "two intercepts": ("y ~ t + u + (1 | a) + (1 | b)", "ML", None),
    "slope in the larger": ("y ~ t + u + (1 + t | a) + (1 | b)", "REML", "w"),
    "slopes in both": ("y ~ t + (1 + t | a) + (1 + u | b)", "REML", None),
    "uncorrelated": ("y ~ t + (1 + t || a) + (1 | b)", "ML", "w"),
    "two terms of one factor": ("y ~ t + (1 + t | b) + (1 | a) + (0 + u | b)", "REML", None),
    "nested": ("y ~ t + (1 + t | a) + (1 | a:b)", "REML", "w"),
    "partly nested": ("y ~ t + (1 | a) + (1 | b) + (0 + t | a:b)", "REML", None),
    "one factor": ("y ~ t + (1 + t + u | a)", "ML", None),
}


@pytest.fixture(params=MODELS.values(), ids=MODELS, scope="module")
def design(request, panel, weighted_design):
    formula, criterion, weights = request.param
    return weighted_design(formula, panel(3), criterion, weights)


@pytest.fixture(scope="module")
def found(design):
    return fit(design)


def a_point(design, seed=5):
    """Return theta that no fit would end at, of the order of one, with every entry non-zero."""
    sizes = [size for term in design.random for size in term.blocks]
    return np.random.default_rng(seed).uniform(0.3, 1.5, sum(q * (q + 1) // 2 for q in sizes))


def test_criterion_is_that_of_the_definition(design, dense):
    for seed in (5, 6):
        theta = a_point(design, seed)
        assert profiled_deviance(theta, design) == pytest.approx(dense(theta, design).deviance, rel=1e-13)


def test_gradient_and_hessian_are_the_differences_of_the_criterion(design):
    layout = arrange(design)
    cross, where = cross_products(design, layout), entries(layout)
    theta = working_theta(a_point(design), layout)
    here, h = evaluate(theta, where, cross), 1e-5
    for j in range(len(theta)):
        step = np.zeros_like(theta)
        step[j] = h
        above, below = evaluate(theta + step, where, cross), evaluate(theta - step, where, cross)
        # Central differences are off by h^2/6 of a third derivative, and by rounding/h: about 1e-9 of values near 100.
        assert here.gradient[j] == pytest.approx((above.value - below.value) / (2 * h), abs=1e-6)
        np.testing.assert_allclose(here.hessian[j], (above.gradient - below.gradient) / (2 * h), rtol=1e-6, atol=1e-5)


def test_sparse_and_dense_columns_give_the_same(design, monkeypatch):
    layout = arrange(design)
    theta = working_theta(a_point(design), layout)
    here = evaluate(theta, entries(layout), cross_products(design, layout))
    monkeypatch.setattr("harness.lmm.crossed.sparse._DENSE", -1)
    there = evaluate(theta, entries(layout), cross_products(design, layout))
    assert there.value == pytest.approx(here.value, rel=1e-14)
    np.testing.assert_allclose(there.gradient, here.gradient, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(there.hessian, here.hessian, rtol=1e-11, atol=1e-10)


def test_roots_and_squares_give_the_same(design):
    layout = arrange(design)
    cross, where = cross_products(design, layout), entries(layout)
    theta = working_theta(a_point(design), layout)
    here = evaluate(theta, where, cross)
    modes = working_modes(factors_at(theta, where, layout), here.beta, cross)
    there = evaluate(theta, where, adapted(cross, here, modes))
    assert there.value == pytest.approx(here.value, rel=1e-14)
    np.testing.assert_allclose(there.gradient, here.gradient, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(there.hessian, here.hessian, rtol=1e-11, atol=1e-10)
    assert there.beta == pytest.approx(np.zeros(design.n_fixed), abs=1e-12)


def test_marginal_covariances_are_blocks_of_the_whole(design, found, dense):
    truth = dense(found.theta, design)
    whole, seen = np.zeros_like(truth.V), np.zeros(len(truth.V), dtype=int)
    for rows, block in found.marginal_covariances(design):
        whole[np.ix_(rows, rows)] = block
        seen[rows] += 1
    assert (seen == 1).all()
    np.testing.assert_allclose(whole, truth.sigma**2 * truth.V, rtol=1e-12, atol=1e-12)


def test_kenward_roger_pieces_are_products_of_dense_matrices(design, found, dense):
    parts, truth = found.kenward_roger_parts(), dense(found.theta, design)
    inverse, X = np.linalg.inv(found.sigma**2 * truth.V), design.X @ parts.fixed
    layout = found.place.cross.layout
    slopes = []
    for block in layout.blocks:
        Z = layout.factors[block.factor].Z[:, block.columns] / np.sqrt(truth.weights)[:, None]
        same = truth.terms[block.term][1]
        for a, b in zip(*theta_entries(block.size), strict=True):
            unit = np.zeros((block.size, block.size))
            unit[a, b] = unit[b, a] = 1.0
            slopes.append(same * (Z @ unit @ Z.T))
    slopes.append(np.diag(1 / truth.weights))
    assert len(parts.parameters) == len(slopes)
    phi = np.linalg.inv(X.T @ inverse @ X)
    left = inverse - inverse @ X @ phi @ X.T @ inverse
    np.testing.assert_allclose(parts.phi, phi, rtol=1e-10, atol=1e-12 * np.abs(phi).max())
    scale = np.abs(parts.Q).max(axis=(2, 3))
    for r, V_r in enumerate(slopes):
        P = -X.T @ inverse @ V_r @ inverse @ X
        np.testing.assert_allclose(parts.P[r], P, rtol=1e-9, atol=1e-11 * np.abs(P).max())
        for s, V_s in enumerate(slopes):
            Q = X.T @ inverse @ V_r @ inverse @ V_s @ inverse @ X
            np.testing.assert_allclose(parts.Q[r, s], Q, rtol=1e-8, atol=1e-10 * scale[r, s])
            expected = np.trace(left @ V_r @ left @ V_s)
            assert parts.expected[r, s] == pytest.approx(expected, rel=1e-9)
            observed = 2 * design.y @ left @ V_r @ left @ V_s @ left @ design.y - expected
            assert parts.observed[r, s] == pytest.approx(observed, rel=1e-8, abs=1e-9 * np.abs(parts.observed[r]).max())


def test_satterthwaite_pieces_are_the_differences_of_covariance_and_deviance(found):
    parts, place, h = found.satterthwaite_parts(), found.place, 1e-5
    J = len(place.theta)

    def gradient(theta, scale):
        """Return the gradient of -2 log-likelihood in theta and in sigma over its estimate, beta profiled out."""
        here, variance = place.moved(theta - place.theta).here, (scale * found.sigma) ** 2
        return np.append(
            here.log_det_1 + here.residual_1 / variance,
            2 * here.df / scale - 2 * here.residual / (variance * scale),
        )

    for j in range(J + 1):
        step, scale = np.zeros(J), h * (j == J)
        if j < J:
            step[j] = h
        rows = [gradient(place.theta + sign * step, 1 + sign * scale) for sign in (1, -1)]
        np.testing.assert_allclose(parts.hessian[j], (rows[0] - rows[1]) / (2 * h), rtol=1e-6, atol=1e-4)
        covariances = [
            ((1 + sign * scale) * found.sigma) ** 2 * place.moved(sign * step).here.inverse for sign in (1, -1)
        ]
        change = (covariances[0] - covariances[1]) / (2 * h)
        np.testing.assert_allclose(parts.phi_1[j], change, rtol=1e-6, atol=1e-8 * np.abs(parts.phi).max())


def test_conditional_modes_and_variances_are_those_of_the_joint_distribution(design, found, dense):
    truth = dense(found.theta, design)
    inverse = np.linalg.inv(found.sigma**2 * truth.V)
    left = design.y - design.X @ found.beta
    for one in estimate(found, design).random:
        terms = [term for term in design.random if term.grouping == one.grouping]
        factor = block_diag(
            *(f for term, f in zip(design.random, truth.factors, strict=True) if term.grouping == one.grouping)
        )
        G = found.sigma**2 * factor @ factor.T
        assert one.names == tuple(name for term in terms for name in term.names)
        assert one.labels == terms[0].labels
        for level in range(len(one.labels)):
            Z = np.column_stack([term.Z for term in terms]) * (terms[0].codes == level)[:, None]
            np.testing.assert_allclose(one.modes[level], G @ Z.T @ inverse @ left, rtol=1e-9, atol=1e-11)
            expected = G - G @ Z.T @ inverse @ Z @ G
            np.testing.assert_allclose(one.modes_cov[level], expected, rtol=1e-8, atol=1e-11)
