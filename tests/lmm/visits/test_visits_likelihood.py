"""The criterion over visits: against dense matrices, with gradient and both informations against differences."""

from dataclasses import replace

import numpy as np
import pytest

from harness.lmm.visits.coordinates import coordinates
from harness.lmm.visits.fit import fit_visits, visit_deviance
from harness.lmm.visits.likelihood import evaluate
from harness.lmm.visits.model import prepare, recentred
from harness.lmm.visits.start import independent_start, moment_starts

STRUCTURES = ("us", "cs", "toep", "ar1", "ad", "csh", "ar1h", "toeph", "adh", "car1")
RANDOM = {
    "none": "",
    "intercept": "(1 | id) + ",
    "slope": "(1 + t | id) + ",
    "apart": "(1 + t || id) + ",
    "slope_alone": "(0 + t | id) + ",
}
# What holds any covariance of visits, or any constant one, has no room for a random effect, or for an intercept.
MODELS = [
    (name, random)
    for name in STRUCTURES
    for random in RANDOM
    if random == "none" or (name != "us" and (random == "slope_alone" or name not in {"cs", "toep"}))
]


def text(name, *, random="none", by=""):
    return f"y ~ visit * arm + {RANDOM[random]}{name}({'t' if name == 'car1' else 'visit'} | {by}id)"


def somewhere(design):
    """A covariance away from the optimum and from the edge, in working units."""
    prepared = prepare(design)
    start = moment_starts(prepared.model)[0]
    return prepared, (start + independent_start(prepared.model, start)) / 2


def covariance(gamma, prepared, design):
    V = np.zeros((design.n_observations,) * 2)
    for rows, own in prepared.marginal_covariances(gamma, design):
        V[np.ix_(rows, rows)] = own
    return V


@pytest.mark.parametrize("criterion", ["ML", "REML"])
@pytest.mark.parametrize(("name", "random"), MODELS)
def test_criterion_equals_the_dense_one(panel, designed, dense_deviance, name, random, criterion):  # noqa: PLR0917
    weights = "w" if name in {"us", "ar1h", "car1"} else None
    design = designed(text(name, random=random), panel, criterion, weights)
    prepared, gamma = somewhere(design)
    exact = dense_deviance(covariance(gamma, prepared, design), design)
    assert evaluate(gamma, prepared.model).value == pytest.approx(exact, rel=1e-13)
    assert visit_deviance(prepared.user_gamma(gamma), design) == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize("criterion", ["ML", "REML"])
@pytest.mark.parametrize(
    ("name", "random"), [model for model in MODELS if model[1] in {"none", "slope", "slope_alone"}]
)
def test_gradient_and_hessian_are_exact(panel, designed, name, random, criterion):
    by = "arm / " if random == "none" else ""
    prepared, gamma = somewhere(designed(text(name, random=random, by=by), panel, criterion))
    here = evaluate(gamma, prepared.model)
    for r in range(len(gamma)):
        step = np.zeros(len(gamma))
        step[r] = 1e-5
        up, down = evaluate(gamma + step, prepared.model), evaluate(gamma - step, prepared.model)
        # Central differences: third derivatives times 1e-10, rounding of 1e-13 / 1e-5.
        size = np.abs(here.hessian).max()
        assert here.gradient[r] == pytest.approx((up.value - down.value) / 2e-5, abs=1e-7 * size)
        np.testing.assert_allclose(here.hessian[r], (up.gradient - down.gradient) / 2e-5, atol=1e-7 * size)


@pytest.mark.parametrize("name", ["us", "ar1h", "toep"])
def test_expected_information_is_the_mean_of_the_observed_one(panel, designed, name):
    """E[observed] over y, with E e e' = V: the Hessian's only dependence on y is through the residuals."""
    design = designed(text(name), panel, "ML")
    prepared, gamma = somewhere(design)
    V = covariance(gamma, prepared, design)
    n, r = design.n_observations, len(gamma)
    inverse = np.linalg.inv(V)
    first = np.stack([_slope(gamma, prepared, design, k) for k in range(r)]) * 1.0
    exact = np.einsum("rab,sba->rs", inverse @ first, inverse @ first)
    np.testing.assert_allclose(evaluate(gamma, prepared.model).expected, exact, rtol=1e-7, atol=1e-7 * n)


def _slope(gamma, prepared, design, k):
    step = np.zeros(len(gamma))
    step[k] = 1e-6 * max(1.0, abs(gamma[k]))
    return (covariance(gamma + step, prepared, design) - covariance(gamma - step, prepared, design)) / (2 * step[k])


def test_restricted_expected_information_is_that_of_the_projection(panel, designed):
    """Twice the information is tr(P V_r P V_s), P = V^-1 - V^-1 X (X'V^-1X)^-1 X'V^-1."""
    design = designed(text("ar1h", random="intercept"), panel)
    prepared, gamma = somewhere(design)
    inverse = np.linalg.inv(covariance(gamma, prepared, design))
    X = design.X
    P = inverse - inverse @ X @ np.linalg.solve(X.T @ inverse @ X, X.T @ inverse)
    slopes = np.stack([P @ _slope(gamma, prepared, design, k) for k in range(len(gamma))])
    exact = np.einsum("rab,sba->rs", slopes, slopes)
    np.testing.assert_allclose(evaluate(gamma, prepared.model).expected, exact, rtol=1e-6)


@pytest.mark.parametrize("random", ["none", "slope"])
def test_derivatives_in_the_coordinates_of_the_search_are_exact(panel, designed, random):
    design = designed(text("us" if random == "none" else "ar1h", random=random), panel)
    prepared, gamma = somewhere(design)
    own = prepared.coordinates
    x = own.x(gamma)
    np.testing.assert_allclose(own.gamma(x), gamma, rtol=1e-12, atol=1e-12)
    weights = np.arange(1.0, len(x) + 1)
    first, second = own.derivatives(x, weights)
    for r in range(len(x)):
        step = np.zeros(len(x))
        step[r] = 1e-6
        np.testing.assert_allclose(first[:, r], (own.gamma(x + step) - own.gamma(x - step)) / 2e-6, atol=1e-8)
        up, down = (own.derivatives(x + sign * step, weights)[0] for sign in (1, -1))
        np.testing.assert_allclose(second[r], weights @ (up - down) / 2e-6, atol=1e-7)


def test_pivoting_changes_coordinates_and_not_the_covariance(panel, designed):
    prepared, gamma = somewhere(designed(text("ar1", random="slope"), panel))
    own = coordinates(prepared.model, (2,), 1.0)
    x = own.x(np.concatenate([[1e-9, 0.0, 1.0], gamma[3:]]))
    turned, moved = own.pivoted(x)
    assert turned.factors[0].order == (1, 0)
    np.testing.assert_allclose(turned.gamma(moved), own.gamma(x), rtol=1e-12, atol=1e-15)
    assert turned.pivoted(moved) == (turned, moved)


def test_recentring_leaves_the_criterion_and_beta(panel, designed):
    prepared, gamma = somewhere(designed(text("us"), panel))
    before = evaluate(gamma, prepared.model)
    turned = recentred(prepared, before)
    after = evaluate(gamma, turned.model)
    assert after.value == pytest.approx(before.value, rel=1e-14)
    np.testing.assert_allclose(after.inverse, np.eye(len(after.inverse)), atol=1e-13)
    np.testing.assert_allclose(after.beta, 0, atol=1e-13)
    np.testing.assert_allclose(
        turned.origin, prepared.origin + prepared.unit * prepared.fixed @ before.beta, rtol=1e-12
    )


@pytest.mark.parametrize("random", ["none", "slope"])
def test_subjects_with_times_of_their_own_give_the_dense_criterion(make_panel, designed, dense_deviance, random):
    """Irregular times: every subject a pattern, kept as rows where that is cheaper than cross products."""
    panel = make_panel(m=30, visits=7, miss=0.4)
    t = panel.numeric["t"] + 0.3 * np.random.default_rng(4).random(panel.n_rows)
    panel = replace(panel, numeric={**panel.numeric, "t": t})
    design = designed(text("car1", random=random), panel)
    prepared, gamma = somewhere(design)
    assert {type(block.data).__name__ for block in prepared.model.blocks} == {"SubjectRows"}
    exact = dense_deviance(covariance(gamma, prepared, design), design)
    assert evaluate(gamma, prepared.model).value == pytest.approx(exact, rel=1e-13)


def test_fit_and_marginal_covariance_tell_the_same_likelihood(panel, designed, dense_deviance):
    design = designed(text("ar1h", random="intercept"), panel, weights="w")
    fit = fit_visits(design)
    V = np.zeros((design.n_observations,) * 2)
    for rows, own in fit.marginal_covariances(design):
        V[np.ix_(rows, rows)] = own
    assert dense_deviance(V, design) == pytest.approx(fit.deviance, rel=1e-12)
