"""Degrees of freedom and adjusted covariances over visits: exact cases, and all pieces from dense matrices."""

from functools import cache

import numpy as np
import pytest

from harness.lmm.inference.fixed_effects import fixed_effects
from harness.lmm.inference.kenward_roger import kenward_roger
from harness.lmm.visits.fit import fit_visits
from harness.lmm.visits.parts import parameter_covariance

METHODS = ("satterthwaite", "kenward-roger", "kenward-roger-observed", "kenward-roger-observed-linear")
MODELS = {
    "us": "us(visit | id)",
    "cs": "cs(visit | id)",
    "toep": "toep(visit | id)",
    "ar1": "ar1(visit | id)",
    "csh": "csh(visit | id)",
    "adh": "adh(visit | id)",
    "toeph": "toeph(visit | id)",
    "ar1h by arm": "ar1h(visit | arm / id)",
    "car1": "car1(t | id)",
    "ar1 beside an intercept": "(1 | id) + ar1(visit | id)",
}
NAMES = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(scope="module")
def fitted(make_panel, designed):
    covariance = np.array([[2.0, 1.2, 1.0], [1.2, 1.7, 1.0], [1.0, 1.0, 1.5]])
    panel = make_panel(m=14, visits=3, miss=0.1, seed=9, covariance=covariance, times=[0.0, 2.5, 4.0])

    @cache
    def fit(name):
        design = designed(f"y ~ t * arm + {MODELS[name]}", panel)
        found = fit_visits(design)
        return found, design, Dense(found, design)

    return fit


@pytest.mark.parametrize("method", METHODS)
def test_complete_unstructured_data_have_the_df_of_the_sample_covariance(make_panel, designed, method):
    """A contrast of arms at any visit is Student's t test on m - 2, with the covariance unchanged."""
    panel = make_panel(m=17, visits=3, miss=0.0)
    design = designed("y ~ visit * arm + us(visit | id)", panel)
    effects = fixed_effects(fit_visits(design), design, method)
    rows = np.array([[0, 0, 0, 1, 0, 0], [0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 1, -1.0]])
    np.testing.assert_allclose(effects.degrees.of_rows(rows @ effects.working), 15, rtol=1e-10)
    y, arm = panel.numeric["y"].reshape(17, 3), np.arange(17) % 2
    spread = sum(np.sum((y[arm == a] - y[arm == a].mean(axis=0)) ** 2, axis=0) for a in (0, 1)) / 15
    assert rows[0] @ effects.vcov @ rows[0] == pytest.approx(spread[0] * (1 / 9 + 1 / 8), rel=1e-12)


def test_all_visits_together_are_hotellings_test(make_panel, designed):
    """Kenward-Roger: F = T^2 (k - 2)/(3 k) on (3, k - 2) for three visits and k = m - 2."""
    panel = make_panel(m=17, visits=3, miss=0.0)
    design = designed("y ~ visit * arm + us(visit | id)", panel)
    y, arm = panel.numeric["y"].reshape(17, 3), np.arange(17) % 2
    S = sum(np.cov(y[arm == a].T) * (np.sum(arm == a) - 1) for a in (0, 1)) / 15
    difference = y[arm == 1].mean(axis=0) - y[arm == 0].mean(axis=0)
    T2 = difference @ np.linalg.solve(S, difference) / (1 / 9 + 1 / 8)
    for method in METHODS[1:]:
        effects = fixed_effects(fit_visits(design), design, method)
        rows = np.eye(6)[3:]
        found = effects.degrees.of_all(rows @ effects.working, rows @ effects.beta)
        assert (found.df1, found.df2) == (3, pytest.approx(13, rel=1e-9))
        assert pytest.approx(T2 * 13 / 45, rel=1e-9) == found.F


class Dense:
    """Everything that Kenward and Roger need, from n x n matrices and differences of V in the user's gamma."""

    def __init__(self, fit, design):
        self.fit, self.design = fit, design
        gamma = fit.gamma
        r, steps = len(gamma), 1e-3 * np.abs(gamma)
        self.X = design.X
        self.inverse = np.linalg.inv(self.V(gamma))
        units = np.diag(steps)
        self.first = np.stack(
            [
                (8 * (self.V(gamma + e / 2) - self.V(gamma - e / 2)) - (self.V(gamma + e) - self.V(gamma - e)))
                / (6 * e.max())
                for e in units
            ]
        )
        self.second = np.zeros((r, r, *self.inverse.shape))
        for j in range(r):
            for k in range(j + 1):
                a, b = units[j], units[k]
                corners = self.V(gamma + a + b) - self.V(gamma + a - b) - self.V(gamma - a + b) + self.V(gamma - a - b)
                self.second[j, k] = self.second[k, j] = corners / (4 * steps[j] * steps[k])
        self.phi = np.linalg.inv(self.X.T @ self.inverse @ self.X)

    def V(self, gamma):  # noqa: N802  # the covariance
        V = np.zeros((self.design.n_observations,) * 2)
        prepared = self.fit.prepared
        for rows, own in prepared.marginal_covariances(prepared.working_gamma(gamma), self.design):
            V[np.ix_(rows, rows)] = own
        return V

    @property
    def projection(self):
        half = self.inverse @ self.X
        return self.inverse - half @ self.phi @ half.T

    def expected(self):
        slopes = self.projection @ self.first
        return np.einsum("rab,sba->rs", slopes, slopes)

    def observed(self):
        """The Hessian of the restricted criterion."""
        e = self.projection @ self.design.y
        slopes = self.projection @ self.first
        curved = np.einsum("ab,rsba->rs", self.projection, self.second) - np.einsum("a,rsab,b->rs", e, self.second, e)
        pull = self.first @ e
        return (
            2 * np.einsum("ra,ab,sb->rs", pull, self.projection, pull)
            - np.einsum("rab,sba->rs", slopes, slopes)
            + curved
        )

    def adjusted(self, *, observed, second_order):
        half = self.inverse @ self.X
        P = -half.T @ self.first @ half
        Q = np.einsum("ai,rab,bc,scd,dj->rsij", half, self.first, self.inverse, self.first, half, optimize=True)
        W = 2 * np.linalg.inv(self.observed() if observed else self.expected())
        bracket = Q - np.einsum("rij,jk,skl->rsil", P, self.phi, P)
        if second_order:
            bracket = bracket - np.einsum("ai,rsab,bj->rsij", half, self.second, half) / 4
        inner = np.einsum("rs,rsij->ij", W, bracket)
        return self.phi + 2 * self.phi @ inner @ self.phi


@NAMES
def test_adjusted_covariances_equal_those_of_dense_matrices(fitted, name):
    fit, _, dense = fitted(name)
    parts = fit.kenward_roger_parts()
    for observed, second_order in ((False, False), (True, False), (True, True)):
        ours = kenward_roger(parts, observed=observed, second_order=second_order).covariance
        exact = dense.adjusted(observed=observed, second_order=second_order)
        # Second differences are good to 1e-6 of V.
        np.testing.assert_allclose(parts.fixed @ ours @ parts.fixed.T, exact, rtol=1e-5, atol=1e-7)


@NAMES
def test_satterthwaites_df_equal_those_of_dense_matrices(fitted, name):
    """df = 2 v^2/(g'Ag) in gamma: the inverse Hessian A and the slopes g of a variance, whatever the coordinates."""
    fit, design, dense = fitted(name)
    half = dense.inverse @ dense.X @ dense.phi
    slopes = half.T @ dense.first @ half
    variances = np.diag(dense.phi)
    gradients = np.einsum("rjj->jr", slopes)
    df = 2 * variances**2 / np.einsum("jr,rs,js->j", gradients, 2 * np.linalg.inv(dense.observed()), gradients)
    effects = fixed_effects(fit, design, "satterthwaite")
    # The second derivatives of V in `observed` are differences, good to 1e-6 of V.
    np.testing.assert_allclose(effects.degrees.of_rows(np.eye(4) @ effects.working), df, rtol=1e-5)
    np.testing.assert_allclose(effects.vcov, dense.phi, rtol=1e-9)


@NAMES
def test_covariance_of_the_parameters_is_twice_the_inverse_hessian(fitted, name):
    fit, _, dense = fitted(name)
    ours = parameter_covariance(fit.prepared, fit.coordinates.gamma(fit.x))
    exact = 2 * np.linalg.inv(dense.observed())
    scale = np.sqrt(np.diag(exact))
    np.testing.assert_allclose(ours / np.outer(scale, scale), exact / np.outer(scale, scale), atol=1e-4)


@pytest.mark.parametrize("name", ["us", "cs", "toep"])
def test_second_order_is_first_order_where_the_covariance_is_linear(fitted, name):
    fit, design, _ = fitted(name)
    assert fit.kenward_roger_parts().R is None
    methods = ("kenward-roger-observed", "kenward-roger-observed-linear")
    one, other = (fixed_effects(fit, design, method).vcov for method in methods)
    np.testing.assert_array_equal(one, other)


def test_second_order_differs_where_the_covariance_is_curved(fitted):
    fit, design, _ = fitted("ar1")
    methods = ("kenward-roger-observed", "kenward-roger-observed-linear")
    one, other = (fixed_effects(fit, design, method).vcov for method in methods)
    assert np.abs(one / other - 1).max() > 1e-3


def test_a_direction_that_does_not_curve_upwards_has_no_variance(fitted):
    """Far from the optimum the criterion curves downwards; no variance of an estimate may be negative there."""
    fit, _, _ = fitted("ar1")
    gamma = fit.coordinates.gamma(fit.x) * np.array([30.0, 1.0])
    assert np.all(np.diag(parameter_covariance(fit.prepared, gamma)) >= 0)
