"""Likelihood-ratio tests: lme4's anova, what is no nested pair, and tests on the bound."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from harness.cohorts import fixture_cohort
from harness.convergence import Convergence, Stop
from harness.errors import SpecError
from harness.lmm.fit import fit
from harness.lmm.likelihood.ratio import ComparedModel, likelihood_ratio, ratio_p_value


@pytest.fixture(scope="module")
def model(make_design):
    def make(name, formula, cohort, criterion="REML"):
        design = make_design(formula, cohort, criterion)
        found = fit(design)
        return ComparedModel(name=name, design=design, fit=found, n_covariance=len(found.theta) + 1)

    return make


@pytest.fixture(scope="module")
def panel(simulate, make_cohort):
    columns = simulate(m=40, seed=7)
    return make_cohort(**columns, w=[t**2 for t in columns["t"]])


def test_refitted_tests_of_sleepstudy_are_those_of_lme4(model):
    """lme4 1.1-31, anova(m0, m1) and anova(m0, m1, refit = FALSE)."""
    cohort = fixture_cohort("sleepstudy")
    full = model("full", "reaction ~ days + (1 + days | subject)", cohort)
    mean = model("mean", "reaction ~ 1 + (1 + days | subject)", cohort)
    parallel = model("parallel", "reaction ~ days + (1 | subject)", cohort)
    (test,) = likelihood_ratio([full, mean], fit).tests
    # lme4 stops up to 1e-7 above the minimum of either deviance.
    assert test.chi_square == pytest.approx(23.5365374978655, abs=1e-6)
    assert (test.smaller, test.larger, test.df) == ("mean", "full", 1)
    assert test.p == pytest.approx(chi2.sf(test.chi_square, 1))
    assert test.mixture_p is None
    for refit, chi_square in ((True, 42.1392985420164), (False, 42.8368134349691)):
        table = likelihood_ratio([parallel, full], fit, refit=refit)
        assert table.tests[0].chi_square == pytest.approx(chi_square, abs=1e-6)
        assert [row.criterion for row in table.rows] == (["ML"] * 2 if refit else ["REML"] * 2)


def test_a_slope_on_the_bound_has_a_mixture_of_chi_squares(model, panel):
    intercept = model("intercept", "y ~ t * g + (1 | id)", panel)
    independent = model("independent", "y ~ t * g + (1 + t || id)", panel)
    full = model("full", "y ~ t * g + (1 + t | id)", panel)
    assert intercept.fit.convergence.stop is independent.fit.convergence.stop is Stop.OPTIMUM
    first, second = likelihood_ratio([full, intercept, independent], fit).tests
    assert first.mixture == "0.5 chi2(0) + 0.5 chi2(1)"
    assert first.mixture_p == pytest.approx(first.p / 2)
    assert "conservative" in " ".join(first.remarks)
    # A covariance alone lies on no bound.
    assert (second.mixture, second.mixture_p, second.remarks) == ("", None, ())
    (joint,) = likelihood_ratio([intercept, full], fit).tests
    assert joint.mixture == "0.5 chi2(1) + 0.5 chi2(2)"
    shares = (chi2.sf(joint.chi_square, 1) + chi2.sf(joint.chi_square, 2)) / 2
    assert joint.mixture_p == pytest.approx(shares)
    assert joint.mixture_p < joint.p


def test_no_mixture_where_its_theory_does_not_hold(model, panel):
    intercept = model("intercept", "y ~ t * g + (1 | id)", panel)
    two = model("two slopes", "y ~ t * g + (1 + t + w | id)", panel)
    also_fixed = model("also fixed", "y ~ t + (1 | id)", panel)
    full = model("full", "y ~ t * g + (1 + t | id)", panel)
    assert likelihood_ratio([intercept, two], fit).tests[0].mixture_p is None
    assert likelihood_ratio([also_fixed, full], fit).tests[0].mixture_p is None


def test_a_singular_smaller_model_takes_the_mixture_away(model, simulate, make_cohort):
    cohort = make_cohort(**simulate(m=20, sd=(0.0, 0.0), seed=3))
    smaller, larger = (model(f, f"y ~ t + ({f} | id)", cohort) for f in ("1", "1 + t"))
    smaller = replace(smaller, fit=replace(smaller.fit, convergence=Convergence(stop=Stop.SINGULAR)))
    (test,) = likelihood_ratio([smaller, larger], fit, refit=False).tests
    assert test.mixture_p is None
    assert "no theory backs" in " ".join(test.remarks)


def test_a_coding_of_the_same_fixed_part_is_no_other_model(model, panel):
    """Restricted likelihoods of two codings differ by a constant, here 2 log 4, that chi-square must not contain."""
    sums = model("sums", "y ~ t * C(g, sum) + (1 | id)", panel)
    usual = model("usual", "y ~ t * g + (1 | id)", panel)
    full = model("full", "y ~ t * g + (1 + t | id)", panel)
    assert abs(sums.fit.deviance - usual.fit.deviance) == pytest.approx(2 * np.log(4), abs=1e-9)
    for refit in (True, False):
        (other,) = likelihood_ratio([sums, full], fit, refit=refit).tests
        (same,) = likelihood_ratio([usual, full], fit, refit=refit).tests
        assert other.chi_square == pytest.approx(same.chi_square, abs=1e-9)


def test_restricted_likelihoods_of_two_fixed_parts_are_not_compared(model, panel):
    small, large = model("small", "y ~ t + (1 | id)", panel), model("large", "y ~ t * g + (1 | id)", panel)
    with pytest.raises(SpecError, match="restricted likelihoods of different fixed effects"):
        likelihood_ratio([small, large], fit, refit=False)
    with pytest.raises(SpecError, match="fits by ML and by REML"):
        likelihood_ratio([small, model("ml", "y ~ t * g + (1 | id)", panel, "ML")], fit, refit=False)


def test_models_that_are_not_nested_are_refused_with_the_reason(model, panel, simulate, make_cohort):
    random = model("random", "y ~ t + (1 + t | id)", panel)
    fixed = model("fixed", "y ~ t * g + w + w:g + (1 | id)", panel)
    with pytest.raises(SpecError, match="random effects of 'random' that 'fixed' doesn't have"):
        likelihood_ratio([random, fixed], fit)
    with pytest.raises(SpecError, match=r"w not among the fixed effects of 'large'"):
        likelihood_ratio([model("w", "y ~ w + (1 | id)", panel), model("large", "y ~ t * g + (1 | id)", panel)], fit)
    with pytest.raises(SpecError, match="4 parameters each"):
        likelihood_ratio([model("a", "y ~ t + (1 | id)", panel), model("b", "y ~ t + (1 | id)", panel)], fit)
    with pytest.raises(SpecError, match="1 models; expected two or more"):
        likelihood_ratio([random], fit)
    with pytest.raises(SpecError, match="expected each name once"):
        likelihood_ratio([random, random], fit)
    other = make_cohort(**simulate(m=40, seed=8))
    with pytest.raises(SpecError, match="expected the same rows of one cohort"):
        likelihood_ratio([model("a", "y ~ t + (1 | id)", panel), model("b", "y ~ t * g + (1 | id)", other)], fit)


def test_a_larger_model_that_fits_worse_is_no_optimum(model, panel):
    small, large = model("small", "y ~ t + (1 | id)", panel, "ML"), model("large", "y ~ t * g + (1 | id)", panel, "ML")
    stuck = replace(large, fit=replace(large.fit, deviance=small.fit.deviance + 1))
    with pytest.raises(SpecError, match="a deviance that rises by 1"):
        likelihood_ratio([small, stuck], fit)


def test_one_value_changed_is_another_cohort(model, panel):
    changed = replace(panel, numeric={**panel.numeric, "y": panel.numeric["y"] + np.eye(len(panel.numeric["y"]))[5]})
    with pytest.raises(SpecError, match="other rows, outcomes or weights"):
        likelihood_ratio([model("a", "y ~ t + (1 | id)", panel), model("b", "y ~ t * g + (1 | id)", changed)], fit)


def test_chi_square_with_no_degrees_of_freedom_is_a_point_mass():
    assert ratio_p_value(0.0, 0) == 1.0
    assert ratio_p_value(1e-12, 0) == 0.0
    assert ratio_p_value(3.841458820694124, 1) == pytest.approx(0.05)
