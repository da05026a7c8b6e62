"""The density of correlated rows: against dense normals of user's parameters, statsmodels and our mixed models."""

from dataclasses import replace

import mpmath
import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal
from statsmodels.regression.mixed_linear_model import MixedLM

from harness.api import fit_lmm
from harness.errors import SpecError
from harness.gbtm.densities.random_effects import build_random_effects
from harness.gbtm.panel import panel_of
from harness.gbtm.spec import GbtmSpec


def rows_of(cohort):
    """Columns by name, sorted as in a density."""
    subject = cohort.factors["id"].codes
    order = np.lexsort((cohort.numeric["week"], subject))
    return {"id": subject[order], **{name: values[order] for name, values in cohort.numeric.items()}}


def named(density, own):
    """Parameters in the user's units by (role, class, name)."""
    values = density.to_user(own)
    return {(p.role, p.latent_class, p.name): v for p, v in zip(density.parameters, values, strict=True)}


def mean_of(values, g, rows):
    mean = np.zeros(len(rows["week"]))
    for (role, latent_class, name), value in values.items():
        if role in {"beta", "common"} and latent_class in {0, g}:
            base, _, power = name.partition("^")
            mean += value * (1.0 if name == "intercept" else rows[base] ** int(power or 1))
    return mean


def random_covariance(values, q):
    names = ["intercept", "week", "week^2"][:q]
    V = np.diag([values["covariance", 0, f"var({name})"] for name in names])
    for d in range(q):
        for c in range(d):
            V[c, d] = V[d, c] = values.get(("covariance", 0, f"cov({names[c]}, {names[d]})"), 0.0)
    return V


def by_visit(values, time):
    return values["sigma", 0, f"sigma[{time:g}]"]


def covariance_of(values, g, times, q):
    """Sigma_ig as it stands in the model: w^2 Z V Z' + sigma^2 I + process."""
    Z = np.vander(times, q, increasing=True)
    w = values.get(("scale", g, "w"), 1.0)
    sigma = [
        values.get(("sigma", g, "sigma")) or values.get(("sigma", 0, "sigma")) or by_visit(values, t) for t in times
    ]
    Sigma = w**2 * Z @ random_covariance(values, q) @ Z.T + np.diag(np.square(sigma))
    variance = values.get(("process", 0, "s^2"), 0.0)
    if ("process", 0, "r") in values:
        return Sigma + variance * np.exp(-values["process", 0, "r"] * np.abs(times[:, None] - times))
    return Sigma + variance * np.minimum(times[:, None], times)


def by_scipy(density, own, rows, q):
    """log f_ig, (K, N), subject by subject from parameters in the user's units and raw columns alone."""
    values = named(density, own)
    found = np.empty((2, rows["id"].max() + 1))
    for g in range(2):
        mean = mean_of(values, g + 1, rows)
        for i in range(found.shape[1]):
            here = rows["id"] == i
            Sigma = covariance_of(values, g + 1, rows["week"][here], q)
            found[g, i] = multivariate_normal.logpdf(rows["score"][here], mean[here], Sigma)
    return found


def n_random(model):
    return model.get("random", -1) + 1


def test_the_log_density_equals_dense_normals(density, own, cohort, model):
    expected = [by_scipy(density, vector, rows_of(cohort), n_random(model)) for vector in own]
    np.testing.assert_allclose(density.log_density(own), expected, rtol=1e-10)


def test_a_start_does_not_depend_on_the_others_nor_on_how_they_are_batched(density, own, monkeypatch):
    together = density.log_density(own)
    monkeypatch.setattr("harness.gbtm.densities.random_effects._BATCH", 1)
    np.testing.assert_allclose(density.log_density(own), together, rtol=1e-12)


def test_relabelled_classes_have_the_same_densities(density, own):
    classes = np.array([1, 0])
    other = density.permuted(classes)
    moved = other.log_density(density.relabelled(own, classes))
    np.testing.assert_allclose(moved, density.log_density(own)[:, classes], rtol=1e-10)


def test_ends_that_differ_in_the_signs_of_l_are_one_after_relabelling(density_on, panel):
    density = density_on(panel, random=2)
    own = np.random.default_rng(10).normal(0, 0.4, (1, density.n_free))
    places, same = density.layout.factors, np.arange(2)
    for signs in ((-1, 1, 1), (1, -1, 1), (1, 1, -1), (-1, -1, -1)):
        other = own.copy()
        # Entries of L row by row: (1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3).
        other[:, places] *= np.array(signs)[[0, 0, 1, 0, 1, 2]]
        np.testing.assert_allclose(density.log_density(other), density.log_density(own), rtol=1e-12)
        np.testing.assert_allclose(density.relabelled(other, same), density.relabelled(own, same), rtol=1e-14)


def test_users_values_and_own_vectors_are_inverse_to_each_other(density, own):
    user = density.to_user(own[0])
    again = density.from_user(user)
    np.testing.assert_allclose(density.to_user(again), user, rtol=1e-10)
    # Signs of L are free, so vectors may differ where densities do not.
    np.testing.assert_allclose(density.log_density(again[None]), density.log_density(own[:1]), rtol=1e-10)


def test_the_last_of_three_classes_lends_its_scale_to_the_others(density_on, panel):
    density = density_on(panel, orders=(1, 1, 0), random=1, random_scale="class")
    own = np.random.default_rng(7).normal(0, 0.4, (2, density.n_free))
    classes = np.array([2, 0, 1])
    moved = density.permuted(classes).log_density(density.relabelled(own, classes))
    np.testing.assert_allclose(moved, density.log_density(own)[:, classes], rtol=1e-10)


def test_w_squared_multiplies_the_covariance(density_on, panel):
    density = density_on(panel, random=1, random_scale="class")
    user = density.to_user(np.random.default_rng(8).normal(0, 0.4, density.n_free))
    place = {p.role: slice(k, k + 1) for k, p in enumerate(density.parameters) if p.role == "scale"}["scale"]
    covariances = [k for k, p in enumerate(density.parameters) if p.role == "covariance"]
    scaled, plain = user.copy(), user.copy()
    scaled[place], plain[place] = 3.0, 1.0
    plain[covariances] *= 3.0**2
    log_f, with_nine = (density.log_density(density.from_user(v)[None])[0, 0] for v in (scaled, plain))
    np.testing.assert_allclose(log_f, with_nine, rtol=1e-12)


def test_one_class_equals_statsmodels_at_its_estimates(density_on, large_panel):
    rows = rows_of(large_panel)
    X = np.vander(rows["week"], 2, increasing=True)
    fit = MixedLM(rows["score"], X, rows["id"], exog_re=X).fit(reml=False)
    V = fit.cov_re
    user = np.array([*fit.fe_params, np.sqrt(fit.scale), V[0, 0], V[0, 1], V[1, 1]])
    density = density_on(large_panel, orders=(1,), random=1)
    assert density.log_density(density.from_user(user)[None]).sum() == pytest.approx(fit.llf, rel=1e-10)


def test_one_class_equals_our_mixed_model_at_its_optimum(density_on, large_panel):
    rows = rows_of(large_panel)
    frame = pd.DataFrame({**rows, "id": [f"s{i:03d}" for i in rows["id"]]})
    fit = fit_lmm("score ~ week + (1 + week | id)", frame, "ML")
    V = fit.estimates.random[0].cov
    user = np.array([*fit.beta, fit.sigma, V[0, 0], V[0, 1], V[1, 1]])
    density = density_on(large_panel, orders=(1,), random=1)
    found = density.log_density(density.from_user(user)[None]).sum()
    assert found == pytest.approx(fit.log_likelihood, rel=1e-10)


def test_the_log_density_keeps_its_digits_where_random_effects_dwarf_the_errors(density_on, panel):
    density = density_on(panel, orders=(1, 1), random=1)
    own = np.zeros(density.n_free)
    own[density.layout.sigmas] = np.log(1e-3)
    own[density.layout.factors] = (300.0, 50.0, 200.0)
    values, rows = named(density, own), rows_of(panel)
    found = density.log_density(own[None])[0, 0]
    with mpmath.workdps(50):
        for i in range(len(found)):
            here = rows["id"] == i
            Z = mpmath.matrix([[1, mpmath.mpf(t)] for t in rows["week"][here]])
            V = mpmath.matrix(random_covariance(values, 2).tolist())
            Sigma = Z * V * Z.T + mpmath.mpf(values["sigma", 0, "sigma"]) ** 2 * mpmath.eye(int(here.sum()))
            beta = mpmath.matrix([values["beta", 1, "intercept"], values["beta", 1, "week"]])
            r = mpmath.matrix(rows["score"][here].tolist()) - Z * beta
            squares = (r.T * mpmath.lu_solve(Sigma, r))[0]
            exact = -(len(r) * mpmath.log(2 * mpmath.pi) + mpmath.log(mpmath.det(Sigma)) + squares) / 2
            assert found[i] == pytest.approx(float(exact), rel=1e-12)


@pytest.mark.parametrize("errors", ["independent", "ar1"])
def test_a_subject_without_rows_has_density_one(density_on, panel, errors):
    density = density_on(panel, random=1, errors=errors)
    rows = density.response.panel
    spec = GbtmSpec(outcome="score", time="week", subject="id", orders=(1, 2), random=1, errors=errors)
    wider = panel_of(rows.subject + 1, rows.n_subjects + 2)
    with_absent = build_random_effects(replace(density.response, panel=wider), spec)
    own = np.random.default_rng(3).normal(0, 0.4, (2, density.n_free))
    found = with_absent.log_density(own)
    np.testing.assert_allclose(found[..., 1:-1], density.log_density(own), rtol=1e-12)
    assert (found[..., [0, -1]] == 0).all()


@pytest.mark.parametrize(
    ("role", "value", "complaint"),
    [("sigma", 0.0, "sigma"), ("scale", -1.0, "w "), ("process", 0.0, "process"), ("covariance", -1.0, "semidefinite")],
)
def test_values_that_are_no_parameters_are_refused(density_on, panel, role, value, complaint):
    density = density_on(panel, random=1, random_scale="class", errors="ar1")
    user = density.to_user(np.zeros(density.n_free) + 0.1)
    user[[p.role for p in density.parameters].index(role)] = value
    with pytest.raises(SpecError, match=complaint):
        density.from_user(user)


def test_all_that_is_wrong_is_told_at_once(density_on, panel):
    density = density_on(panel, random=1, random_scale="class", errors="ar1")
    with pytest.raises(SpecError) as caught:
        density.from_user(-np.ones(density.n_free))
    assert len(caught.value.problems) == 4


def test_more_random_effects_than_times_and_a_late_brownian_motion_are_refused(density_on, visits_panel):
    week = np.minimum(visits_panel.numeric["week"], 1.0) - 1.0
    few = replace(visits_panel, numeric={**visits_panel.numeric, "week": week})
    with pytest.raises(SpecError) as caught:
        density_on(few, orders=(1, 0), random=2, errors="brownian")
    assert len(caught.value.problems) == 2
