"""Fits over visits: closed forms, equal models in other words, nesting, and what must not change."""

from dataclasses import replace

import numpy as np
import pytest

from harness.convergence import Stop
from harness.lmm.fit import fit as fit_one_factor
from harness.lmm.visits.fit import fit_visits, visit_deviance

CRITERIA = pytest.mark.parametrize("criterion", ["ML", "REML"])
HIGHER = np.array([[2.0, 0.9, 0.7, 0.4], [0.9, 1.5, 0.8, 0.6], [0.7, 0.8, 1.2, 0.7], [0.4, 0.6, 0.7, 1.8]])


@pytest.fixture(scope="module")
def complete(make_panel):
    return make_panel(m=31, visits=4, miss=0.0, seed=3, covariance=HIGHER)


@pytest.fixture(scope="module")
def gaps(make_panel):
    return make_panel(m=60, visits=4, seed=5, covariance=HIGHER)


def numeric(cohort, **columns):
    return replace(cohort, numeric={**cohort.numeric, **columns})


def residual_products(cohort):
    """The sum over subjects of products of residuals from the means of each arm, complete data."""
    y = cohort.numeric["y"].reshape(31, 4)
    arm = cohort.factors["arm"].codes.reshape(31, 4)[:, 0]
    residuals = y - np.stack([y[arm == a].mean(axis=0) for a in (0, 1)])[arm]
    return residuals.T @ residuals


@CRITERIA
def test_unstructured_complete_data_have_the_sample_covariance(complete, designed, criterion):
    """Sigma = S/(m - 2) or S/m; crit = k log det 2 pi Sigma + 4 k (+ 4 log det X'X of a subject's arm design)."""
    k = 31 if criterion == "ML" else 29
    fit = fit_visits(designed("y ~ visit * arm + us(visit | id)", complete, criterion))
    Sigma = residual_products(complete) / k
    np.testing.assert_allclose(fit.covariances["all"], Sigma, rtol=1e-13)
    exact = k * (np.linalg.slogdet(2 * np.pi * Sigma)[1] + 4)
    if criterion == "REML":
        arm = np.arange(31) % 2
        exact += 4 * np.linalg.slogdet(np.array([[31, arm.sum()], [arm.sum(), arm.sum()]]))[1]
    assert fit.deviance == pytest.approx(exact, rel=1e-14)
    assert fit.convergence.stop is Stop.OPTIMUM


@CRITERIA
def test_compound_symmetry_of_complete_data_is_analysis_of_variance(complete, designed, criterion):
    """With k = m - 2 or m: MSE = tr((I - J/4) S)/(3 k), covariance = (1'S1/(4 k) - MSE)/4."""
    k = 31 if criterion == "ML" else 29
    S = residual_products(complete)
    between = S.sum() / 4 / k
    within = (np.trace(S) - S.sum() / 4) / 3 / k
    fit = fit_visits(designed("y ~ visit * arm + cs(visit | id)", complete, criterion))
    np.testing.assert_allclose(fit.gamma, [(between - within) / 4, within], rtol=1e-13)


@CRITERIA
def test_compound_symmetry_with_gaps_is_the_random_intercept(gaps, designed, criterion):
    fit = fit_visits(designed("y ~ visit * arm + cs(visit | id)", gaps, criterion))
    other = fit_one_factor(designed("y ~ visit * arm + (1 | id)", gaps, criterion))
    assert fit.deviance == pytest.approx(other.deviance, rel=1e-14)
    np.testing.assert_allclose(fit.gamma, other.sigma**2 * np.array([other.theta[0] ** 2, 1.0]), rtol=1e-10)
    np.testing.assert_allclose(fit.beta, other.beta, rtol=1e-11)


def test_a_negative_covariance_is_found_where_the_random_intercept_is_singular(make_panel, designed):
    panel = make_panel(m=60, visits=4, miss=0.1, covariance=1.25 * np.eye(4) - 0.25)
    fit = fit_visits(designed("y ~ visit * arm + cs(visit | id)", panel))
    other = fit_one_factor(designed("y ~ visit * arm + (1 | id)", panel))
    assert fit.gamma[0] < -0.1
    assert other.theta[0] == pytest.approx(0, abs=1e-8)
    assert fit.deviance < other.deviance - 1
    assert visit_deviance([0.0, other.sigma**2], designed("y ~ visit * arm + cs(visit | id)", panel)) == pytest.approx(
        other.deviance, rel=1e-13
    )


@pytest.mark.parametrize("name", ["us", "csh", "ar1h", "toep"])
@CRITERIA
def test_separate_covariances_and_means_are_separate_fits(gaps, designed, name, criterion):
    """Treatment contrasts keep the determinant of the arms' own designs, so that also REML criteria add up."""
    both = fit_visits(designed(f"y ~ visit * arm + {name}(visit | arm / id)", gaps, criterion))
    arm = gaps.factors["arm"].codes
    alone = [
        fit_visits(designed(f"y ~ visit + {name}(visit | id)", rows_of(gaps, arm == a), criterion)) for a in (0, 1)
    ]
    assert both.deviance == pytest.approx(sum(fit.deviance for fit in alone), rel=1e-13)
    np.testing.assert_allclose(both.gamma, np.concatenate([fit.gamma for fit in alone]), rtol=1e-7, atol=1e-9)
    assert list(both.covariances) == ["a", "b"]


def rows_of(cohort, mask):
    factors = {k: replace(v, codes=v.codes[mask]) for k, v in cohort.factors.items()}
    return replace(cohort, numeric={k: v[mask] for k, v in cohort.numeric.items()}, factors=factors)


@CRITERIA
def test_a_structure_within_another_fits_no_better(gaps, designed, criterion):
    crit = {
        name: fit_visits(designed(f"y ~ visit * arm + {name}(visit | id)", gaps, criterion)).deviance
        for name in ("us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "ad", "adh")
    }
    inside = [
        "toeph us",
        "adh us",
        "csh toeph",
        "ar1h toeph",
        "ar1h adh",
        "toep toeph",
        "ad adh",
        "cs toep",
        "ar1 toep",
    ]
    for pair in [*inside, "cs csh", "ar1 ar1h", "ar1 ad"]:
        narrow, wide = pair.split()
        assert crit[narrow] >= crit[wide], pair


@CRITERIA
def test_continuous_autoregression_at_whole_times_is_the_discrete_one(gaps, designed, criterion):
    discrete = fit_visits(designed("y ~ t * arm + ar1(visit | id)", gaps, criterion))
    continuous = fit_visits(designed("y ~ t * arm + car1(t | id)", gaps, criterion))
    assert continuous.deviance == pytest.approx(discrete.deviance, rel=1e-14)
    np.testing.assert_allclose(continuous.gamma, discrete.gamma, rtol=1e-12)


@pytest.mark.parametrize("unit", [1e-4, 1e4])
def test_the_unit_of_time_changes_the_correlation_over_it_and_nothing_else(gaps, designed, unit):
    once = fit_visits(designed("y ~ visit * arm + car1(t | id)", gaps))
    again = fit_visits(designed("y ~ visit * arm + car1(t | id)", numeric(gaps, t=unit * gaps.numeric["t"])))
    assert again.deviance == pytest.approx(once.deviance, rel=1e-14)
    np.testing.assert_allclose(again.covariances["all"], once.covariances["all"], rtol=1e-11)
    assert again.gamma[1] == pytest.approx(once.gamma[1] ** (1 / unit), rel=1e-9)


@pytest.mark.parametrize("name", ["us", "cs", "ar1h", "adh", "car1"])
def test_the_unit_of_the_outcome_moves_the_criterion_by_its_logarithm(gaps, designed, name):
    formula = f"y ~ visit * arm + {name}({'t' if name == 'car1' else 'visit'} | id)"
    once = fit_visits(designed(formula, gaps))
    for scale in (1e-5, 1e5):
        again = fit_visits(designed(formula, numeric(gaps, y=scale * gaps.numeric["y"])))
        shift = 2 * (gaps.n_rows - 8) * np.log(scale)
        assert again.deviance - shift == pytest.approx(once.deviance, rel=1e-13)
        np.testing.assert_allclose(again.covariances["all"], scale**2 * once.covariances["all"], rtol=1e-9)


def test_an_offset_of_a_million_costs_only_the_digits_that_it_takes(gaps, designed):
    """y + 2^20 keeps 2^-33 of y exactly; y is rounded to that first."""
    grid = 2.0**-30
    y = np.round(gaps.numeric["y"] / grid) * grid
    once = fit_visits(designed("y ~ visit * arm + us(visit | id)", numeric(gaps, y=y)))
    again = fit_visits(designed("y ~ visit * arm + us(visit | id)", numeric(gaps, y=y + 2.0**20)))
    assert again.deviance == pytest.approx(once.deviance, rel=1e-12)
    np.testing.assert_allclose(again.covariances["all"], once.covariances["all"], rtol=1e-8)


@pytest.mark.parametrize("name", ["us", "toeph"])
def test_order_of_rows_and_labels_do_not_matter(gaps, designed, name):
    formula = f"y ~ visit * arm + {name}(visit | id)"
    once = fit_visits(designed(formula, gaps))
    order = np.random.default_rng(0).permutation(gaps.n_rows)
    again = fit_visits(designed(formula, rows_of(gaps, order)))
    assert again.deviance == pytest.approx(once.deviance, rel=1e-14)
    np.testing.assert_allclose(again.gamma, once.gamma, rtol=1e-9, atol=1e-12)


def test_a_panel_twice_has_twice_the_criterion_under_ml(gaps, designed):
    once = fit_visits(designed("y ~ visit * arm + ar1h(visit | id)", gaps, "ML"))
    factors = {k: replace(v, codes=np.tile(v.codes, 2)) for k, v in gaps.factors.items()}
    ids = gaps.factors["id"]
    codes = np.concatenate([ids.codes, ids.codes + len(ids.levels)])
    factors["id"] = replace(ids, codes=codes, levels=(*ids.levels, *(f"again {label}" for label in ids.levels)))
    twice = replace(gaps, numeric={k: np.tile(v, 2) for k, v in gaps.numeric.items()}, factors=factors)
    again = fit_visits(designed("y ~ visit * arm + ar1h(visit | id)", twice, "ML"))
    assert again.deviance == pytest.approx(2 * once.deviance, rel=1e-13)
    np.testing.assert_allclose(again.gamma, once.gamma, rtol=1e-9)


def test_equal_weights_scale_the_covariance(gaps, designed):
    once = fit_visits(designed("y ~ visit * arm + adh(visit | id)", gaps))
    again = fit_visits(
        designed("y ~ visit * arm + adh(visit | id)", numeric(gaps, w=np.full(gaps.n_rows, 4.0)), weights="w")
    )
    assert again.deviance == pytest.approx(once.deviance, rel=1e-13)
    np.testing.assert_allclose(again.covariances["all"], 4 * once.covariances["all"], rtol=1e-9)


@pytest.mark.parametrize("name", ["us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "ad", "adh", "car1"])
def test_the_search_ends_at_the_same_optimum_from_elsewhere(gaps, designed, name):
    formula = f"y ~ visit * arm + {name}({'t' if name == 'car1' else 'visit'} | id)"
    design = designed(formula, gaps)
    once = fit_visits(design)
    structure = once.prepared.model.structure
    again = fit_visits(design, start=structure.independent(once.gamma) * np.where(structure.variances, 3.0, 1.0))
    assert again.deviance == pytest.approx(once.deviance, rel=1e-13)
    for fit in (once, again):
        assert fit.convergence.stop is Stop.OPTIMUM
        assert fit.convergence.distance < 1e-9
        assert fit.eigenvalues[0] > 0
    assert visit_deviance(once.gamma, design) == pytest.approx(once.deviance, rel=1e-13)


def test_ten_visits_unstructured_converge_in_a_few_steps(make_panel, designed):
    stream = np.random.default_rng(2)
    root = stream.standard_normal((10, 14))
    panel = make_panel(m=120, visits=10, miss=0.05, covariance=root @ root.T)
    fit = fit_visits(designed("y ~ visit * arm + us(visit | id)", panel))
    assert len(fit.gamma) == 55
    assert fit.convergence.stop is Stop.OPTIMUM
    assert fit.convergence.iterations <= 12


def test_correlations_of_almost_one_are_reached_from_afar(make_panel, designed):
    nearly = 0.9999 * np.ones((4, 4)) + 0.0001 * np.eye(4)
    panel = make_panel(m=60, visits=4, miss=0.2, covariance=nearly)
    design = designed("y ~ visit * arm + cs(visit | id)", panel)
    other = fit_one_factor(designed("y ~ visit * arm + (1 | id)", panel))
    assert fit_visits(design).deviance == pytest.approx(other.deviance, abs=1e-8)


@pytest.mark.parametrize("sigma", [1.0, 1e-4])
def test_residuals_far_smaller_than_random_effects_keep_their_digits(make_panel, designed, sigma):
    """Without correlation the model is that of one grouping factor; with it, no worse."""
    t = np.arange(5.0)
    Z = np.column_stack([np.ones(5), t])
    panel = make_panel(m=50, visits=5, miss=0.1, covariance=Z @ np.diag([36, 4]) @ Z.T + sigma**2 * np.eye(5))
    other = fit_one_factor(designed("y ~ visit * arm + (1 + t | id)", panel))
    Lambda = np.array([[other.theta[0], 0], [other.theta[1], other.theta[2]]])
    G = other.sigma**2 * Lambda @ Lambda.T
    design = designed("y ~ visit * arm + (1 + t | id) + ar1(visit | id)", panel)
    gamma = np.array([G[0, 0], G[1, 0], G[1, 1], other.sigma**2, 0.0])
    assert visit_deviance(gamma, design) == pytest.approx(other.deviance, abs=1e-9)
    fit = fit_visits(design)
    assert fit.convergence.stop is Stop.OPTIMUM
    assert fit.convergence.distance < 1e-9
    assert other.deviance - 20 < fit.deviance <= other.deviance


def test_the_maximum_where_random_effects_are_one_visits_values_is_found(make_panel, designed):
    """Slopes without intercepts, taken for an intercept: then the second visit shows it exactly, or so it seems."""
    t = np.arange(6.0)
    covariance = 0.8 ** np.abs(np.subtract.outer(t, t)) + 0.25 * np.outer(t, t)
    panel = make_panel(m=100, visits=6, miss=0.1, seed=7, covariance=covariance)
    design = designed("y ~ visit * arm + (1 | id) + ar1h(visit | id)", panel)
    fit = fit_visits(design)
    stream = np.random.default_rng(0)
    for _ in range(5):
        start = fit.gamma * np.append(np.exp(stream.standard_normal(7)), 1.0) + np.append(np.full(7, 1e-3), 0.0)
        assert fit.deviance < fit_visits(design, start=start).deviance + 1e-8
