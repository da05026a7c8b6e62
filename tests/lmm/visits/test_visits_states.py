"""Where a fit over visits is no plain optimum: each way has its name, and each bad input its sentence."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from harness.cohorts.cohort import Cohort, Factor
from harness.convergence import Stop
from harness.errors import SpecError
from harness.lmm.inference.fixed_effects import fixed_effects
from harness.lmm.visits.estimation import estimate
from harness.lmm.visits.fit import fit_visits, visit_deviance

AUTOREGRESSIVE = 2.0 * 0.6 ** np.abs(np.subtract.outer(np.arange(4), np.arange(4)))


def rows_of(cohort, mask):
    factors = {k: replace(v, codes=v.codes[mask]) for k, v in cohort.factors.items()}
    return replace(cohort, numeric={k: v[mask] for k, v in cohort.numeric.items()}, factors=factors)


@pytest.fixture(scope="module")
def apart(make_panel):
    """Nobody was seen at both the first and the last visit."""
    panel = make_panel(m=90, visits=4, miss=0.3, covariance=AUTOREGRESSIVE)
    visit, subject = panel.factors["visit"].codes, panel.factors["id"].codes
    return rows_of(panel, ~((visit == 0) & np.isin(subject, subject[visit == 3])))


@pytest.mark.parametrize(
    ("name", "parameter"),
    [("us", "covariance[v3, v0]"), ("toep", "covariance[lag 3]"), ("toeph", "correlation[lag 3]")],
)
def test_visits_never_seen_together_leave_their_covariance_unknown(apart, designed, name, parameter):
    fit = fit_visits(designed(f"y ~ visit * arm + {name}(visit | id)", apart))
    assert fit.convergence.stop is Stop.FLAT
    assert fit.convergence.message.startswith(f"The data do not determine {parameter}. ")
    assert fit.convergence.distance < 1e-6


@pytest.mark.parametrize("name", ["ar1", "ar1h", "csh", "adh", "cs"])
def test_structures_that_link_all_visits_are_known_all_the_same(apart, designed, name):
    fit = fit_visits(designed(f"y ~ visit * arm + {name}(visit | id)", apart))
    assert fit.convergence.stop is Stop.OPTIMUM


def test_the_edge_over_all_visits_is_reached_where_no_subject_has_them_all(make_panel, designed):
    """Equal correlations can't be below -1/3 for four visits, though three visits of a subject would allow it."""
    panel = make_panel(m=36, visits=4, miss=0.45, seed=15, covariance=1.33 * np.eye(4) - 0.33)
    subject = panel.factors["id"].codes
    design = designed("y ~ visit + cs(visit | id)", rows_of(panel, np.bincount(subject)[subject] < 4))
    fit = fit_visits(design)
    assert fit.convergence.stop is Stop.BOUNDARY
    assert fit.convergence.message.startswith("On the edge: the covariance over all visits is singular")
    on_edge = minimize_scalar(
        lambda residual: visit_deviance(np.array([-residual / 4, residual]), design),
        bracket=(fit.gamma[1] * 0.9, fit.gamma[1] * 1.1),
        tol=1e-10,
    )
    assert fit.gamma[0] == pytest.approx(-fit.gamma[1] / 4, rel=1e-9)
    assert fit.deviance == pytest.approx(on_edge.fun, abs=1e-9)
    assert visit_deviance(fit.gamma * [1.001, 1.0], design) < fit.deviance  # beyond, no covariance of four visits


def test_a_visit_without_spread_has_no_maximum(make_panel, designed):
    panel = make_panel(m=30, visits=3, miss=0.1)
    y = np.where(panel.factors["visit"].codes == 1, 3.0, panel.numeric["y"])
    constant = replace(panel, numeric={**panel.numeric, "y": y})
    fit = fit_visits(designed("y ~ visit * arm + ar1h(visit | id)", constant))
    assert fit.convergence.stop is Stop.FLAT
    assert "without bound as the variance at v1 goes to zero" in fit.convergence.message
    assert not fit.convergence.converged


def test_three_subjects_for_three_visits_have_no_maximum(make_panel, designed):
    panel = make_panel(m=3, visits=3, miss=0.0)
    fit = fit_visits(designed("y ~ 1 + us(visit | id)", panel))
    assert fit.convergence.stop is Stop.FLAT
    assert "covariance of the visits of some subject becomes singular" in fit.convergence.message


def test_alternating_residuals_end_at_correlation_zero(make_panel, designed):
    """phi^d is no correlation for phi < 0: continuous autoregression stops at independence."""
    covariance = (-0.5) ** np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    design = designed("y ~ visit * arm + car1(t | id)", make_panel(m=40, covariance=covariance))
    fit = fit_visits(design)
    assert fit.convergence.stop is Stop.BOUNDARY
    assert fit.convergence.message.startswith("At the bound of zero: correlation.")
    independent = np.sum((design.y - design.X @ fit.beta) ** 2) / (design.n_observations - design.n_fixed)
    np.testing.assert_allclose(fit.gamma, [independent, 0.0], rtol=1e-9, atol=1e-9)
    again = fit_visits(design, start=fit.gamma)
    assert again.deviance == pytest.approx(fit.deviance, rel=1e-13)
    assert again.convergence.stop is Stop.BOUNDARY
    # As for independent residuals, whose one parameter is the variance: n - p degrees of freedom, and no adjustment.
    for method in ("satterthwaite", "kenward-roger", "kenward-roger-observed"):
        effects = fixed_effects(fit, design, method)
        np.testing.assert_allclose(effects.degrees.of_rows(effects.working), design.n_observations - 8, rtol=1e-9)
        np.testing.assert_allclose(effects.vcov, independent * np.linalg.inv(design.X.T @ design.X), rtol=1e-8)


def test_a_random_effect_without_variance_is_singular(make_panel, designed):
    covariance = (-0.3) ** np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    panel = make_panel(m=60, covariance=covariance)
    fit = fit_visits(designed("y ~ visit * arm + (1 | id) + ar1(visit | id)", panel))
    plain = fit_visits(designed("y ~ visit * arm + ar1(visit | id)", panel))
    assert fit.convergence.stop is Stop.SINGULAR
    assert fit.convergence.message.startswith("Singular fit: the variance of intercept is zero.")
    assert fit.deviance == pytest.approx(plain.deviance, rel=1e-12)
    assert fit.least_sd < 1e-8
    assert fit.random_cov[0, 0] == pytest.approx(0, abs=1e-15)


def test_a_perfect_correlation_of_random_effects_is_named_with_its_sign(make_panel, designed):
    t = np.arange(4.0)
    effects = 1.5 - 0.4 * t
    panel = make_panel(m=60, covariance=np.outer(effects, effects) + 0.8 * 0.3 ** np.abs(np.subtract.outer(t, t)))
    fit = fit_visits(designed("y ~ visit * arm + (1 + t | id) + ar1(visit | id)", panel))
    assert fit.convergence.message.startswith("Singular fit: intercept and t are perfectly negatively correlated.")
    sds = np.sqrt(np.diag(fit.random_cov))
    assert fit.random_cov[0, 1] == pytest.approx(-sds[0] * sds[1], rel=1e-12)


def test_a_slope_that_starts_late_is_found_without_an_intercept(make_panel, designed):
    """Variance of the intercept zero, of the slope not: the leading pivot vanishes."""
    t = np.arange(5.0)
    panel = make_panel(m=80, visits=5, miss=0.1, seed=4, covariance=np.outer(t, t) + np.eye(5))
    fit = fit_visits(designed("y ~ visit * arm + (1 + t | id) + ar1(visit | id)", panel))
    assert fit.convergence.converged
    assert fit.convergence.distance < 1e-6
    assert fit.random_cov[1, 1] == pytest.approx(1.0, rel=0.4)


def test_the_iteration_limit_is_a_state(apart, designed):
    fit = fit_visits(designed("y ~ visit * arm + ar1h(visit | id)", apart), limit=1)
    assert fit.convergence.stop is Stop.ITERATION_LIMIT
    assert fit.convergence.iterations == 1


def test_a_random_effect_of_others_is_refused(apart, designed):
    with pytest.raises(
        SpecError, match=r"random effects by arm beside ar1\(visit \| id\); expected random effects by id"
    ):
        designed("y ~ t + (1 | arm) + ar1(visit | id)", apart)


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        ([1.0, 0.5, 0.5], "a start of shape (3,); expected 2: variance, correlation"),
        ([1.0, 1.5], "a start that is no covariance; expected positive definite covariances"),
        ([-1.0, 0.5], "a start that is no covariance; expected positive definite covariances"),
    ],
)
def test_a_start_that_is_none_is_refused(apart, designed, start, sentence):
    with pytest.raises(SpecError) as caught:
        fit_visits(designed("y ~ visit + ar1(visit | id)", apart), start=np.array(start))
    assert sentence in str(caught.value)


def test_the_criterion_is_no_number_where_there_is_no_covariance(apart, designed):
    design = designed("y ~ visit + us(visit | id)", apart)
    assert np.isnan(visit_deviance(np.array([1.0, 2.0, 1.0, 0, 0, 1.0, 0, 0, 0, 1.0]), design))


def test_an_outcome_that_random_effects_fit_exactly_is_refused(make_panel, designed):
    """Every subject lies on a line of its own, but for the rounding of outcomes around 1e7."""
    panel = make_panel(m=30, visits=5)
    own = np.random.default_rng(1).standard_normal((2, 30))[:, panel.factors["id"].codes]
    exact = replace(panel, numeric=panel.numeric | {"y": 1e7 + own[0] + own[1] * panel.numeric["t"]})
    with pytest.raises(SpecError, match="random effects fit exactly"):
        fit_visits(designed("y ~ t + (1 + t | id) + ar1(visit | id)", exact))


def test_modes_are_given_where_a_search_ended_with_a_singular_covariance(designed):
    """Five rows, five parameters: the likelihood grows as the correlation goes to -1, to rounding."""
    cohort = Cohort(
        name="few",
        subject="id",
        time=None,
        numeric={
            "y": np.array([-0.562439, -1.328131, -2.052757, -1.904144, -1.637798]) * 1e-6,
            "t": np.array([0.0, 1.0, 2.0, 2.0, 0.0]),
        },
        factors={
            "id": Factor(codes=np.array([0, 0, 0, 1, 2]), levels=("a", "b", "c")),
            "visit": Factor(codes=np.array([0, 1, 2, 2, 0]), levels=("v0", "v1", "v2")),
        },
    )
    design = designed("y ~ t + (1 | id) + ar1(visit | id)", cohort, "ML")
    fit = fit_visits(design)
    assert fit.convergence.stop is Stop.FLAT
    assert np.isfinite(estimate(fit, design).conditional_modes).all()
