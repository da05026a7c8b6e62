"""Standard errors, conditional modes and the covariance of the variances, against their dense definitions."""

import numpy as np
import pytest

from harness.lmm.deviance import profiled_deviance
from harness.lmm.estimation import estimate
from harness.lmm.fit import fit

# In the last two the intercept varies far less than the slope, so that the search reorders the random effects.
PANELS = [("REML", (1.0, 0.3)), ("ML", (1.0, 0.3)), ("REML", (0.3, 2.0)), ("ML", (0.3, 2.0))]


@pytest.fixture(scope="module", params=PANELS, ids=str)
def panel(request, simulate, make_cohort, make_design):
    criterion, sd = request.param
    design = make_design("y ~ t * g + (1 + t | id)", make_cohort(**simulate(m=30, sd=sd, seed=4)), criterion)
    found = fit(design)
    return design, found, estimate(found, design)


def covariance(design, G, sigma):
    V = sigma**2 * np.eye(design.n_observations)
    for rows in design.subject_rows():
        V[rows, rows] += design.Z[rows] @ G @ design.Z[rows].T
    return V


def minus_two_log_likelihood(design, G, sigma):
    """From the definition, beta profiled out and sigma not."""
    X, y, n, p = design.X, design.y, design.n_observations, design.n_fixed
    solved = np.linalg.solve(covariance(design, G, sigma), np.column_stack([X, y]))
    A = X.T @ solved[:, :p]
    residual = y @ solved[:, p] - (X.T @ solved[:, p]) @ np.linalg.solve(A, X.T @ solved[:, p])
    value = n * np.log(2 * np.pi) + np.linalg.slogdet(covariance(design, G, sigma))[1] + residual
    if design.criterion == "REML":
        value += np.linalg.slogdet(A)[1] - p * np.log(2 * np.pi)
    return value


def test_fixed_effects_and_their_covariance_are_generalised_least_squares(panel):
    design, _, estimates = panel
    V = covariance(design, estimates.random_cov, estimates.sigma)
    vcov = np.linalg.inv(design.X.T @ np.linalg.solve(V, design.X))
    np.testing.assert_allclose(estimates.vcov, vcov, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(estimates.beta, vcov @ design.X.T @ np.linalg.solve(V, design.y), rtol=1e-10)


def test_modes_and_their_variances_are_those_of_the_joint_normal(panel):
    design, _, estimates = panel
    G, V = estimates.random_cov, covariance(design, estimates.random_cov, estimates.sigma)
    residual = design.y - design.X @ estimates.beta
    for i, rows in enumerate(design.subject_rows()):
        gain = G @ design.Z[rows].T @ np.linalg.inv(V[rows, rows])
        np.testing.assert_allclose(estimates.conditional_modes[i], gain @ residual[rows], rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(
            estimates.random[0].modes_cov[i], G - gain @ design.Z[rows] @ G, rtol=1e-8, atol=1e-10
        )


def test_the_covariance_of_variances_is_the_inverse_information_in_them(panel):
    """Differences of the dense likelihood in (G11, G21, G22, sigma): another road than Lambda and the delta method."""
    design, _, estimates = panel
    lower = np.tril_indices(2)
    centre = np.append(estimates.random_cov[lower], estimates.sigma)
    steps = 1e-3 * np.sqrt(np.diag(estimates.variance_cov))

    def at(point):
        G = np.array([[point[0], point[1]], [point[1], point[2]]])
        return minus_two_log_likelihood(design, G, point[3])

    hessian = np.empty((4, 4))
    units = np.diag(steps)
    for a in range(4):
        for b in range(4):
            corners = (at(centre + s * units[a] + t * units[b]) * s * t for s in (1, -1) for t in (1, -1))
            hessian[a, b] = sum(corners) / (4 * steps[a] * steps[b])
    scale = np.sqrt(np.diag(estimates.variance_cov))
    # Central differences at 1e-3 standard errors: 1e-6 from the step, 1e-7 from the rounding of a value of 500.
    np.testing.assert_allclose(
        2 * np.linalg.inv(hessian) / np.outer(scale, scale), estimates.variance_cov / np.outer(scale, scale), atol=1e-4
    )


def test_the_log_likelihood_is_that_of_the_estimates(panel):
    design, found, estimates = panel
    value = minus_two_log_likelihood(design, estimates.random_cov, estimates.sigma)
    assert -2 * estimates.log_likelihood == pytest.approx(value, rel=1e-12)
    assert found.deviance == pytest.approx(profiled_deviance(estimates.theta, design), rel=1e-13)


def test_criteria_count_parameters_and_rows_as_lme4(panel):
    design, found, estimates = panel
    assert estimates.n_parameters == 4 + 3 + 1
    assert estimates.aic == pytest.approx(found.deviance + 16, rel=1e-15)
    assert estimates.bic == pytest.approx(found.deviance + 8 * np.log(design.n_observations), rel=1e-15)


def test_a_singular_fit_has_no_standard_errors_of_variances(simulate, make_cohort, make_design):
    for seed in range(10):
        design = make_design("y ~ t * g + (1 | id)", make_cohort(**simulate(m=20, sd=(0, 0), seed=seed)))
        found = fit(design)
        if found.least_sd < 1e-4:
            estimates = estimate(found, design)
            assert estimates.variance_cov is None
            assert estimates.optimum_covariance() is None
            assert np.isfinite(estimates.vcov).all()
            return
    pytest.fail("none of 10 panels without random effects was singular")


def test_every_quantity_is_finite_and_has_its_own_path(panel):
    _, _, estimates = panel
    quantities = estimates.quantities()
    assert len({quantity.path for quantity in quantities}) == len(quantities)
    assert all(np.isfinite(quantity.value) for quantity in quantities)
