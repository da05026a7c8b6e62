import dataclasses

import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.stats import chi2

from harness.errors import SpecError
from harness.gbtm.inference.named_parameters import parameter_at, parameter_paths
from harness.gbtm.inference.profile import End, profile_interval, profile_log_likelihood
from harness.gbtm.mixture import derivatives, e_step
from harness.trajectories import fit_gbtm

QUANTILE = chi2.ppf(0.95, 1)


def brute_force(result, path, value):
    """Return the largest log-likelihood with a parameter held, by scipy's general constrained optimiser."""
    mixture = result.design.mixture_of(result.fit.class_kinds)
    place = parameter_paths(mixture).index(path)
    found = minimize(
        lambda v: -e_step(v[None], mixture)[1][0],
        result.fit.vector,
        jac=lambda v: -derivatives(v[None], mixture).score[0],
        constraints={
            "type": "eq",
            "fun": lambda v: parameter_at(place, v, mixture)[0] - value,
            "jac": lambda v: parameter_at(place, v, mixture)[1],
        },
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    return -found.fun


CASES = [
    ("gaussian", "class[1].beta[week]"),
    ("gaussian", "class[2].sigma"),
    ("gaussian", "class[1].membership[age]"),
    ("gaussian", "class[2].share"),
    ("random", "random.var(intercept)"),
    ("random", "class[1].scale"),
    ("zip", "class[2].zero[week]"),
    ("beta", "class[2].precision"),
    ("poisson", "common[dose]"),
]


@pytest.mark.parametrize(("name", "path"), CASES)
def test_a_profile_is_what_a_general_optimiser_finds(family_fit, name, path):
    fit = family_fit(name)
    interval = fit.profile_interval(path)
    assert interval.lower < interval.estimate < interval.upper
    pairs = ((interval.lower, interval.lower_end), (interval.upper, interval.upper_end))
    ends = [value for value, end in pairs if end == End.CROSSING]
    assert len(ends) == (1 if name == "random" else 2)  # one class's variance may vanish beside the other's
    inside = [(interval.estimate + 3 * end) / 4 for end in ends]
    reached = profile_log_likelihood(fit.fit, fit.design, path, [*ends, *inside])
    # -2 log-likelihood falls by the quantile at the ends: to the 1e-7 at which the search of an end stops.
    np.testing.assert_allclose(2 * (fit.log_likelihood - reached[: len(ends)]), QUANTILE, atol=2e-7)
    # SLSQP ends within about the square root of its tolerance of the constraint: 1e-6 of the log-likelihood.
    np.testing.assert_allclose(reached, [brute_force(fit, path, value) for value in (*ends, *inside)], atol=2e-6)


def test_the_profile_of_a_normal_mean_and_of_its_sigma_have_closed_forms():
    stream = np.random.default_rng(4)
    import pandas as pd

    y = 2 + 3 * stream.standard_normal(40)
    panel = pd.DataFrame({"id": np.repeat([f"p{i}" for i in range(20)], 2), "y": y, "t": np.tile([0.0, 1.0], 20)})
    fit = fit_gbtm(panel, outcome="y", time="t", subject="id", orders=(0,))
    n, s = len(y), y.std()
    mean, sigma = fit.profile_interval("class[1].beta[intercept]"), fit.profile_interval("sigma")
    half = s * np.sqrt(np.expm1(QUANTILE / n))
    np.testing.assert_allclose([mean.lower, mean.upper], [y.mean() - half, y.mean() + half], rtol=1e-7)

    def rise(value):
        return 2 * n * np.log(value / s) + n * (s / value) ** 2 - n - QUANTILE

    expected = [brentq(rise, s / 2, s, xtol=1e-13), brentq(rise, s, 2 * s, xtol=1e-13)]
    np.testing.assert_allclose([sigma.lower, sigma.upper], expected, rtol=1e-7)


def test_a_class_that_never_responds_has_a_one_sided_interval(never):
    assert never.fit.best.boundary == (1,)
    table = never.coefficients().set_index(["latent_class", "parameter"])
    assert np.isnan(table.loc[(1, "intercept"), "standard_error"])
    assert np.isfinite(table.loc[(2, "intercept"), "standard_error"])
    assert never.class_curves(np.array([0.0]))["standard_error"].isna().tolist() == [True, False]
    assert any("no maximum" in warning for warning in never.warnings)
    interval = never.profile_interval("class[1].beta[intercept]")
    assert (interval.lower, interval.lower_end) == (-np.inf, End.NOT_REACHED)
    assert interval.upper_end == End.CROSSING
    # Nobody of the other class could be taken for one of this, so the rise is that of 300 failures.
    assert interval.upper == pytest.approx(np.log(np.expm1(QUANTILE / 600)), abs=1e-3)


def test_risk_factors_that_tell_the_class_have_one_sided_intervals(separated):
    assert {separated.estimates.parameters[k].role for k in separated.fit.best.boundary} == {"log_odds"}
    table = separated.coefficients()
    assert table.query("role in ['share', 'log_odds']")["standard_error"].isna().all()
    assert table.query("role in ['beta', 'sigma']")["standard_error"].notna().all()
    interval = separated.profile_interval("class[1].membership[sign]")
    assert (interval.lower, interval.lower_end) == (-np.inf, End.NOT_REACHED)
    assert interval.upper_end == End.CROSSING
    assert interval.upper < 0
    reached = profile_log_likelihood(separated.fit, separated.design, "class[1].membership[sign]", [interval.upper])
    assert 2 * (separated.log_likelihood - reached[0]) == pytest.approx(QUANTILE, abs=2e-7)


def test_a_variance_that_vanished_has_an_interval_from_zero(family_table):
    table = family_table.assign(noise=np.random.default_rng(3).standard_normal(len(family_table)))
    fit = fit_gbtm(table, outcome="noise", time="week", subject="id", orders=(0,), random=0)
    assert fit.estimates.of_role("covariance")[0] < 1e-6
    interval = fit.profile_interval("random.var(intercept)")
    assert (interval.lower, interval.lower_end) == (0.0, End.NOT_REACHED)
    reached = profile_log_likelihood(fit.fit, fit.design, "random.var(intercept)", [interval.upper])
    assert 2 * (fit.log_likelihood - reached[0]) == pytest.approx(QUANTILE, abs=2e-7)


def test_a_fit_below_the_best_optimum_has_no_interval(family_fit):
    fit = family_fit("gaussian")
    mixture = fit.design.mixture_of(fit.fit.class_kinds)
    moved = fit.fit.vector + 0.3
    assert e_step(moved[None], mixture)[1][0] < fit.log_likelihood - 1
    low = dataclasses.replace(fit.fit.best, working=tuple(moved.tolist()))
    wrong = dataclasses.replace(fit.fit, optima=(low,), chosen=0)
    interval = profile_interval(wrong, fit.design, "class[1].beta[week]")
    assert np.isnan(interval.lower)
    assert interval.lower_end == End.HIGHER_OPTIMUM


def test_what_has_no_profile_is_refused(family_fit):
    fit = family_fit("gaussian")
    with pytest.raises(SpecError, match=r"Did you mean 'class\[1\].sigma'"):
        fit.profile_interval("class[1].sigm")
    with pytest.raises(SpecError, match="level 95"):
        fit.profile_interval("class[1].sigma", level=95)
    with pytest.raises(SpecError, match="values that it can have"):
        profile_log_likelihood(fit.fit, fit.design, "class[1].sigma", [-1.0])
    with pytest.raises(SpecError, match="sampling weights"):
        family_fit("weighted").profile_interval("sigma")
