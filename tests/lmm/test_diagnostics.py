"""Residuals, influence, leverage and explained variance: against actual refits, dense matrices and closed forms."""

import mpmath
import numpy as np
import pandas as pd
import pytest

from harness.cohorts import fixture_cohort
from harness.cohorts.frames import cohort_from_frame, to_frame
from harness.errors import SpecError
from harness.formula import parse_formula
from harness.lmm.design import build_design
from harness.lmm.diagnostics.columns import frame_columns, level_sets, signal_at_modes, subject_sets
from harness.lmm.diagnostics.explained import explained
from harness.lmm.diagnostics.influence import influence, leverage
from harness.lmm.diagnostics.refits import refit_table, refits_without
from harness.lmm.diagnostics.residuals import residuals, spread_by
from harness.lmm.engine import fitted
from harness.lmm.prediction.distribution import Distribution, IndependentResidual
from harness.lmm.prediction.occasions import Occasions, RandomRows
from harness.lmm.prediction.predictor import predictor
from harness.lmm.spec import LmmSpec

SLEEPSTUDY = "reaction ~ days + (1 + days | subject)"
THINNED = "reaction ~ days + days^2 + (1 + days | subject)"


def thinned():
    """Return sleepstudy without every 7th row, and weights 1 + days."""
    frame = to_frame(fixture_cohort("sleepstudy"))
    return frame[np.arange(1, 181) % 7 != 0].assign(w=lambda kept: 1 + kept["days"])


def fit_of(formula, cohort, weights=None):
    spec = LmmSpec(formula=parse_formula(formula), weights=weights)
    design = build_design(spec, cohort)
    _, estimates = fitted(design)
    return predictor(spec, design, estimates), design, estimates


@pytest.fixture(scope="module")
def weighted():
    return fit_of(THINNED, cohort_from_frame(thinned(), subject="subject"), weights="w")


@pytest.fixture(scope="module")
def sleepstudy():
    return fit_of(SLEEPSTUDY, fixture_cohort("sleepstudy"))


def crossed():
    stream = np.random.default_rng(12)
    subject, item = np.repeat(np.arange(10), 4), np.tile(np.arange(4), 10)
    y = stream.standard_normal(10)[subject] + stream.standard_normal(4)[item] + stream.standard_normal(40)
    frame = pd.DataFrame(
        {"id": [f"s{i}" for i in subject], "item": [f"i{i}" for i in item], "x": stream.standard_normal(40), "y": y}
    )
    return fit_of("y ~ x + (1 | id) + (1 | item)", cohort_from_frame(frame, subject="id"))


def covisits():
    stream = np.random.default_rng(2)
    subject, visit = np.repeat(np.arange(16), 3), np.tile(np.arange(3), 16)
    y = stream.standard_normal(16)[subject] + 0.5 * visit + stream.standard_normal(48)
    frame = pd.DataFrame({"id": [f"s{i:02d}" for i in subject], "visit": [f"v{i}" for i in visit], "y": y})
    frame = frame[stream.random(48) < 0.85]
    return fit_of("y ~ visit + us(visit | id)", cohort_from_frame(frame, subject="id"))


FITS = {
    "weighted": lambda: fit_of(THINNED, cohort_from_frame(thinned(), subject="subject"), weights="w"),
    "crossed": crossed,
    "visits": covisits,
}


@pytest.fixture(scope="module", params=FITS, ids=str)
def any_fit(request):
    return FITS[request.param]()


def dense(ready):
    """Return V, Cov(Zb), Var(e) and Q = V^-1 - V^-1 X vcov X' V^-1."""
    at, own = ready.fitted, ready.distribution
    rows = np.arange(at.n_rows)[None]
    noise = own.residual.covariance(at, rows, rows)[0]
    signal = np.zeros_like(noise)
    for part, G in zip(at.random, own.random_cov, strict=True):
        signal += (part.codes[:, None] == part.codes) * (part.Z @ G @ part.Z.T)
    V = signal + noise
    inverse = np.linalg.inv(V)
    return V, signal, noise, inverse - inverse @ at.X @ own.vcov @ at.X.T @ inverse


def left_out(ready, covariance, keep):
    """Return beta and vcov by generalised least squares of some rows, at the covariances of the fit."""
    V = covariance[np.ix_(keep, keep)]
    X, y = ready.fitted.X[keep], ready.fitted.outcome[keep]
    vcov = np.linalg.inv(X.T @ np.linalg.solve(V, X))
    return vcov @ X.T @ np.linalg.solve(V, y), vcov


@pytest.mark.parametrize("by", ["subject", "row"])
def test_influence_is_what_a_fit_without_the_rows_gives_at_the_same_covariances(any_fit, by):
    ready, design, estimates = any_fit
    n = design.n_observations
    sets, labels = subject_sets(design) if by == "subject" else (np.arange(n), [str(i) for i in range(n)])
    found = influence(ready.distribution, ready.fitted, sets=sets, labels=labels, names=design.fixed_names)
    p, V = design.n_fixed, dense(ready)[0]
    for k in range(0, len(labels), 5 if by == "subject" else 31):
        beta, vcov = left_out(ready, V, sets != k)
        change = estimates.beta - beta
        close = {"rtol": 1e-8, "atol": 1e-10}
        np.testing.assert_allclose(found.change[k], change, **close)
        np.testing.assert_allclose(found.dfbetas[k], change / np.sqrt(np.diag(vcov)), **close)
        assert found.cooks_distance[k] == pytest.approx(change @ np.linalg.solve(estimates.vcov, change) / p, rel=1e-8)
        assert found.mdffits[k] == pytest.approx(change @ np.linalg.solve(vcov, change) / p, rel=1e-8)
        ratio = np.linalg.det(vcov) / np.linalg.det(estimates.vcov)
        assert found.covariance_ratio[k] == pytest.approx(ratio, rel=1e-8)


def test_influence_of_a_subject_equals_lme4_at_the_same_theta(weighted):
    """lme4 1.1-31: the deviance function of the data without 309 at the theta of all; sigma of all."""
    ready, design, estimates = weighted
    sets, labels = subject_sets(design)
    found = influence(ready.distribution, ready.fitted, sets=sets, labels=labels, names=design.fixed_names)
    k = labels.index("309")
    np.testing.assert_allclose(
        estimates.beta - found.change[k], [256.624822449, 8.93718640885, 0.249933414535], rtol=1e-7
    )
    errors = found.change[k] / found.dfbetas[k]
    np.testing.assert_allclose(errors**2, [138.018683566, 19.7665276439, 0.150312536003], rtol=1e-6)


def test_what_a_subject_alone_determines_is_not_estimable_without_it():
    frame = to_frame(fixture_cohort("sleepstudy"))
    only = (frame["subject"].astype(str) == "335") & (frame["days"] > 4)
    ready, design, _ = fit_of(
        "reaction ~ days + late + (1 | subject)",
        cohort_from_frame(frame.assign(late=np.where(only, "yes", "no")), subject="subject"),
    )
    sets, labels = subject_sets(design)
    found = influence(ready.distribution, ready.fitted, sets=sets, labels=labels, names=design.fixed_names)
    assert [label for label, known in zip(labels, found.estimable, strict=True) if not known] == ["335"]
    assert found.table().index[0] == "335"
    alone = labels.index("335")
    assert np.isnan([*found.change[alone], found.cooks_distance[alone], found.covariance_ratio[alone]]).all()
    assert np.isfinite(np.delete(found.cooks_distance, alone)).all()


def test_refits_move_the_covariance_parameters_as_well():
    """lme4 1.1-31, ``influence(m, "subject")`` refits: of the thinned and weighted data, beta without 309."""
    cohort = cohort_from_frame(thinned(), subject="subject")
    spec = LmmSpec(formula=parse_formula(THINNED), weights="w")

    def refit(smaller):
        return fitted(build_design(spec, smaller))[1]

    (only,) = refits_without(cohort, "subject", refit, ["309"])
    full = refit(cohort)
    np.testing.assert_allclose(only.estimates.beta, [256.597612876, 8.95328099188, 0.248359132107], rtol=1e-5)
    table = refit_table(full, [only])
    assert table.loc["309", "change[days]"] == pytest.approx(-0.822846748872, rel=1e-4)
    assert abs(table.loc["309", "change[theta 1]"]) > 1e-3


def test_a_refit_that_fails_says_why_and_unknown_subjects_are_named():
    cohort = cohort_from_frame(thinned().query("subject in ['308', '309']"), subject="subject")
    spec = LmmSpec(formula=parse_formula("reaction ~ days + (1 | subject)"))
    found = refits_without(cohort, "subject", lambda smaller: fitted(build_design(spec, smaller))[1])
    assert [one.label for one in found] == ["308", "309"]
    assert all("1 subject" in one.reason for one in found)
    assert refit_table(fitted(build_design(spec, cohort))[1], found)["change[days]"].isna().all()
    with pytest.raises(SpecError, match="level '310'"):
        refits_without(cohort, "subject", lambda smaller: smaller, ["310"])
    with pytest.raises(SpecError, match="no such factor"):
        refits_without(cohort, "id", lambda smaller: smaller)


def test_leverage_is_the_derivative_of_the_fitted_values(any_fit):
    ready, design, _ = any_fit
    found = leverage(ready.distribution, ready.fitted)
    V, _, noise, Q = dense(ready)
    hat = np.eye(design.n_observations) - noise @ Q
    np.testing.assert_allclose(found.overall, np.diag(hat), rtol=1e-9, atol=1e-12)
    fixed = ready.fitted.X @ ready.distribution.vcov @ ready.fitted.X.T @ np.linalg.inv(V)
    np.testing.assert_allclose(found.fixed, np.diag(fixed), rtol=1e-9, atol=1e-12)
    assert found.fixed.sum() == pytest.approx(design.n_fixed, rel=1e-12)


def test_nothing_is_lost_beside_random_effects_a_million_times_sigma():
    """beta, its change without the first subject, and y'Qy in 60 digits; X and Z are the same, sigma is 1e-5."""
    sigma, G, m, n = 1e-5, np.array([[36.0, 3.0], [3.0, 4.0]]), 2, 4
    stream = np.random.default_rng(2)
    subject, t = np.repeat(np.arange(m), n), np.tile(np.arange(1.0 * n), m)
    Z = np.column_stack([np.ones(m * n), t])
    effects = stream.standard_normal((m, 2)) @ np.linalg.cholesky(G).T
    y = np.einsum("ij,ij->i", Z, effects[subject]) + sigma * stream.standard_normal(m * n)
    with mpmath.workdps(60):
        A, c, yy = mpmath.zeros(2), mpmath.zeros(2, 1), mpmath.mpf(0)
        own = []
        for i in range(m):
            Zi, yi = mpmath.matrix(Z[subject == i].tolist()), mpmath.matrix(y[subject == i].tolist())
            V = Zi * mpmath.matrix(G.tolist()) * Zi.T + mpmath.mpf(sigma) ** 2 * mpmath.eye(n)
            inverse = mpmath.inverse(V)
            own.append((Zi.T * inverse * Zi, Zi.T * inverse * yi))
            A, c, yy = A + own[i][0], c + own[i][1], yy + (yi.T * inverse * yi)[0]
        beta = mpmath.lu_solve(A, c)
        change = beta - mpmath.lu_solve(A - own[0][0], c - own[0][1])
        squares = float(yy - (c.T * beta)[0])
        vcov = np.array(mpmath.inverse(A).tolist(), dtype=float)
        beta, change = (np.array(one.tolist(), dtype=float)[:, 0] for one in (beta, change))
    zero = np.zeros(m * n, dtype=np.int64)
    at = Occasions(
        X=Z, random=(RandomRows(Z=Z, codes=subject),), outcome=y, weights=np.ones(m * n), residual_subject=zero,
        residual_level=zero, visit=np.zeros(m * n),
    )  # fmt: skip
    law = Distribution(beta=beta, vcov=vcov, random_cov=(G,), residual=IndependentResidual(variance=sigma**2))
    found = influence(law, at, sets=subject, labels=["1", "2"], names=["intercept", "t"])
    np.testing.assert_allclose(found.change[0], change, rtol=1e-9)
    whitened = residuals(law, at, np.zeros(m * n)).whitened
    assert whitened @ whitened == pytest.approx(squares, rel=1e-9)


def test_leverage_equals_lme4(weighted):
    """lme4 1.1-31: ``hatvalues(m)``."""
    found = leverage(weighted[0].distribution, weighted[0].fitted).overall
    np.testing.assert_allclose(found[:3], [0.0689247174012, 0.0919238583616, 0.0963676398242], rtol=1e-6)
    assert found.sum() == pytest.approx(25.1140771191, rel=1e-6)


def test_residuals_equal_lme4(weighted):
    """lme4 1.1-31: ``fitted(m)``, ``resid(m, type = "pearson", scaled = TRUE)``."""
    ready, design, estimates = weighted
    found = residuals(ready.distribution, ready.fitted, signal_at_modes(design, estimates))
    np.testing.assert_allclose(found.fitted[:3], [264.063828812, 280.454293169, 297.412269116], rtol=1e-7)
    np.testing.assert_allclose(found.pearson[:3], [-0.219591154779, -0.465691502092, -1.22232715372], rtol=1e-6)
    np.testing.assert_allclose(found.fitted + found.conditional, design.y, rtol=1e-14)


def test_whitened_residuals_carry_the_whole_likelihood(any_fit):
    """Their sum of squares is y'Qy, n - p at a REML optimum; each block's are L^-1 r in the order of its rows."""
    ready, design, estimates = any_fit
    found = residuals(ready.distribution, ready.fitted, signal_at_modes(design, estimates))
    V, _, _, Q = dense(ready)
    assert found.whitened @ found.whitened == pytest.approx(design.y @ Q @ design.y, rel=1e-9)
    assert found.whitened @ found.whitened == pytest.approx(design.n_observations - design.n_fixed, rel=1e-6)
    np.testing.assert_allclose(
        found.whitened, np.linalg.solve(np.linalg.cholesky(V), found.marginal), rtol=1e-8, atol=1e-9
    )


def test_residual_spread_is_counted_by_visit_and_arm():
    columns = pd.DataFrame(
        {"visit": pd.Categorical(["b", "a", "b", "b", "a"], categories=["b", "a", "c"]), "arm": [1, 1, 1, 2, 1]}
    )
    table = spread_by(np.array([1.0, 5.0, 4.0, 7.0, 5.0]), columns)
    assert table["visit"].tolist() == ["b", "b", "a"]
    assert table["arm"].tolist() == [1, 2, 1]
    assert table["count"].tolist() == [2, 1, 2]
    np.testing.assert_allclose(table["mean"], [2.5, 7.0, 5.0])
    np.testing.assert_allclose(table["standard_deviation"], [np.sqrt(4.5), np.nan, 0.0])


def test_rows_are_told_apart_by_columns_of_the_model(sleepstudy):
    _, design, _ = sleepstudy
    codes, labels = level_sets(design, "days")
    assert labels[:3] == ("0", "1", "2")
    assert codes[:11].tolist() == [*range(10), 0]
    subjects, names = level_sets(design, "subject")
    assert (subjects == subject_sets(design)[0]).all()
    assert names == design.subject_labels
    with pytest.raises(SpecError) as caught:
        frame_columns(design, ["day", "visit"])
    assert [problem.column for problem in caught.value.problems] == ["day", "visit"]


def test_explained_variance_of_sleepstudy_equals_its_closed_form(sleepstudy):
    """From the exact beta, G and sigma^2: days are 0 to 9, mean 4.5, mean square 28.5."""
    ready, _, _ = sleepstudy
    found = explained(ready.distribution, ready.fitted, groupings=["subject"], names=[("intercept", "days")])
    beta, G11, G21, G22, residual = (
        10.4672859595959596,
        612.0899386625255,
        9.604333316744091,
        35.0716604983174,
        654.941027072298822,
    )
    fixed = beta**2 * 8.25 * 180 / 179
    signal = G11 + 9 * G21 + 28.5 * G22
    at_mean = G11 + 9 * G21 + 4.5**2 * G22
    assert found.marginal_r2 == pytest.approx(fixed / (fixed + signal + residual), rel=1e-11)
    assert found.conditional_r2 == pytest.approx((fixed + signal) / (fixed + signal + residual), rel=1e-11)
    assert found.intraclass[0] == pytest.approx(at_mean / (at_mean + residual), rel=1e-11)
    assert found.at == ("days = 4.5",)
    table = found.table()
    assert table["component"].tolist() == ["fixed effects", "subject", "residual"]
    assert table["share"].sum() == pytest.approx(1.0, rel=1e-14)


def test_explained_variance_does_not_depend_on_the_origin_of_time(sleepstudy):
    moved = to_frame(fixture_cohort("sleepstudy")).assign(days=lambda frame: frame["days"] + 2000)
    far = fit_of(SLEEPSTUDY, cohort_from_frame(moved, subject="subject"))[0]
    one, other = (
        explained(ready.distribution, ready.fitted, groupings=["subject"], names=[("intercept", "days")])
        for ready in (sleepstudy[0], far)
    )
    assert other.at == ("days = 2004.5",)
    np.testing.assert_allclose(
        [one.marginal_r2, one.conditional_r2, one.intraclass[0]],
        [other.marginal_r2, other.conditional_r2, other.intraclass[0]],
        rtol=1e-6,
    )


def test_intercepts_alone_have_one_intraclass_correlation_everywhere():
    ready, _, estimates = crossed()
    found = explained(
        ready.distribution, ready.fitted, groupings=["id", "item"], names=[("intercept",), ("intercept",)]
    )
    variances = [one.cov[0, 0] for one in estimates.random]
    total = sum(variances) + estimates.sigma**2
    np.testing.assert_allclose(found.intraclass, np.array(variances) / total, rtol=1e-13)
    assert found.at == ("everywhere", "everywhere")


def test_what_is_not_defined_where_residuals_covary_is_named():
    ready, _, _ = covisits()
    found = explained(ready.distribution, ready.fitted, groupings=[], names=[])
    assert found.conditional_r2 is None
    assert 0 < found.marginal_r2 < 1
    assert [sentence.split(":")[0] for sentence in found.undefined] == ["Conditional R2", "Intraclass correlation"]
