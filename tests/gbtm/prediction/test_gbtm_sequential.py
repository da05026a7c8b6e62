import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from scipy.stats import multivariate_normal

from harness.cohorts import cohort_from_frame
from harness.gbtm.densities.random_effects import RandomEffectsDensity
from harness.gbtm.density import class_log_densities
from harness.gbtm.design import build_design
from harness.gbtm.prediction.correlated import visit_covariance
from harness.gbtm.prediction.outcome_laws import given_earlier, given_known, law
from harness.gbtm.prediction.visits import fitted_patients
from harness.trajectories import fit_gbtm


def test_the_last_posterior_of_fitted_subjects_is_that_of_the_fit(every_family, family_table):
    shuffled = family_table.sample(frac=1, random_state=3)
    predicted = every_family.predict(shuffled, draws=0).classes
    last = predicted.groupby("id").tail(1).set_index("id").loc[list(every_family.estimates.subject_labels)]
    # Both are rounded in sums of some ten logarithms of size 10.
    np.testing.assert_allclose(last[["probability_1", "probability_2"]], every_family.posterior, atol=1e-12)
    assert last["latent_class"].tolist() == every_family.assignment.tolist()
    assert predicted.filter(like="lower_").isna().all(axis=None)
    whole = every_family.posterior_after(100)
    np.testing.assert_allclose(whole[["probability_1", "probability_2"]], every_family.posterior, atol=1e-12)


@pytest.mark.parametrize("name", ["gaussian", "zip", "random", "ar1"])
@pytest.mark.parametrize("after", [2, 3])
def test_after_k_visits_the_posterior_is_that_of_data_that_end_there(family_fit, family_table, name, after):
    fit = family_fit(name)
    observed = family_table[family_table[fit.spec.outcome].notna()]
    first = observed.sort_values(["id", "week"]).groupby("id").head(after)
    # A design of other rows, at the same parameters in the user's units: none of its working units are the fit's.
    cut = build_design(fit.spec, cohort_from_frame(first, subject="id", time="week"))
    joint = class_log_densities(tuple(fit.estimates.point), cut, fit.fit.class_kinds)
    found = fit.posterior_after(after)
    assert found["after"].le(after).all()
    np.testing.assert_allclose(found[["probability_1", "probability_2"]], softmax(joint, axis=1), atol=1e-8)


def test_before_any_visit_the_risk_factors_are_all_that_is_known(family_fit):
    fit = family_fit("gaussian")
    membership = fit.design.mixture_of(fit.fit.class_kinds).membership
    shares = np.exp(membership.log_shares(fit.fit.vector[None, : membership.n_free]))[0].T
    found = fit.posterior_after(0)
    np.testing.assert_allclose(found[["probability_1", "probability_2"]], shares, atol=1e-14)
    assert found["week"].isna().all()
    every = fit.posterior_after()
    assert len(every) == fit.design.n_observations + fit.design.n_subjects


@pytest.mark.parametrize("name", ["random", "ar1"])
def test_correlated_visits_are_normal_given_the_earlier_ones(family_fit, name):
    """Against the whole multivariate normal of scipy, and its conditional mean and variance by partition."""
    fit = family_fit(name)
    mixture = fit.design.mixture_of(fit.fit.class_kinds)
    (density,), (part,) = mixture.densities, mixture.parts
    assert isinstance(density, RandomEffectsDensity)
    own = fit.fit.vector[None, part]
    rows = fitted_patients(fit.design).outcomes[0]
    mine = rows.taken(rows.patient == int(np.argmax(np.bincount(rows.patient))))
    terms, found = given_earlier(density, own, mine, fit.spec)[0], law(density, own, mine)
    k = 3
    later = given_known(density, own, mine.taken(np.arange(k, len(mine.y))), mine.taken(np.arange(k)))
    covariances = visit_covariance(density, own, mine.time)[0]
    for g, V in enumerate(covariances):
        mean = found.eta[0, g]
        assert terms[g].sum() == pytest.approx(multivariate_normal(mean, V).logpdf(mine.y), rel=1e-12)
        gain = V[k:, :k] @ np.linalg.inv(V[:k, :k])
        np.testing.assert_allclose(later.eta[0, g], mean[k:] + gain @ (mine.y - mean)[:k], rtol=1e-9)
        variance = np.diag(V[k:, k:] - gain @ V[:k, k:])
        np.testing.assert_allclose(np.exp(2 * later.zeta[0, g]), variance, rtol=1e-9)


def test_the_covariance_of_visits_is_that_of_the_reported_parameters(family_fit):
    fit = family_fit("random")
    mixture = fit.design.mixture_of(fit.fit.class_kinds)
    times = np.array([0.0, 1.0, 1.0, 4.0])
    found = visit_covariance(mixture.densities[0], fit.fit.vector[None, mixture.parts[0]], times)[0]
    (variance,), (w,), (sigma,) = (fit.estimates.of_role(role) for role in ("covariance", "scale", "sigma"))
    for V, scale in zip(found, (w, 1.0), strict=True):
        np.testing.assert_allclose(V, scale**2 * variance + sigma**2 * np.eye(4), rtol=1e-10)


def test_having_stayed_counts_with_a_dropout_model():
    """Visit by visit, by the formula: who is seen at wave t has stayed for it, given its outcome one wave before."""
    stream = np.random.default_rng(9)
    N, T = 80, 5
    falls = np.arange(N) < 30
    score = np.where(falls[:, None], 4.0 - np.arange(T), 0.5 * np.arange(T)) + stream.standard_normal((N, T))
    stays = np.ones((N, T), dtype=bool)
    for t in range(1, T):
        stays[:, t] = stays[:, t - 1] & (stream.random(N) > 1 / (1 + np.exp(2.0 - 0.5 * score[:, t - 1])))
    table = pd.DataFrame(
        {
            "id": np.repeat([f"p{i:02d}" for i in range(N)], T),
            "week": np.tile(np.arange(T, dtype=float), N),
            "score": np.where(stays, score, np.nan).ravel(),
        }
    )
    settings = {"outcome": "score", "time": "week", "subject": "id", "orders": (1, 1), "n_starts": 6}
    fit = fit_gbtm(table, **settings, dropout=(1, 1))
    found = fit.posterior_after()
    gamma = [fit.estimates.of_role("dropout", g) for g in (1, 2)]
    odds = np.log(fit.class_shares)
    for label, rows in found.groupby("id"):
        y = score[int(label[1:])]
        joint = odds.copy()
        for k in range(len(rows)):
            if k:
                for g in (0, 1):
                    mean, sigma = fit.beta[g][0] + fit.beta[g][1] * (k - 1), fit.sigma[0]
                    joint[g] += -0.5 * ((y[k - 1] - mean) / sigma) ** 2
                    if k > 1:
                        joint[g] -= np.logaddexp(0.0, gamma[g][0] + gamma[g][1] * y[k - 2])
            expected = softmax(joint)
            np.testing.assert_allclose(rows[["probability_1", "probability_2"]].iloc[k], expected, atol=1e-10)
