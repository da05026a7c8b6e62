"""With one class, M-steps alone are the fit of a regression: other programs' maxima, to all digits that they give."""

import numpy as np
import pytest
import statsmodels.api as sm

ONE = (2,)
WEEK = ("intercept", "week", "week^2", "dose")


def fitted(density):
    """Own vector after M-steps from the beginning, and its log-likelihood."""
    weights = np.ones((1, 1, density.response.panel.n_subjects))
    own = density.begin(weights)
    for _ in range(20):
        own = density.m_step(weights, own)
    return own[0], float(density.log_density(own).sum())


def glm(panel, outcome, family, **more):
    x = panel.numeric
    X = np.column_stack([np.ones_like(x["week"]), x["week"], x["week"] ** 2, x["dose"]])
    return sm.GLM(outcome, X, family=family, **more).fit(tol=1e-14)


@pytest.mark.parametrize("place", ["covariates", "common"])
def test_logit_is_the_glm_of_statsmodels(density_of, panel, place):
    density = density_of("logit", ONE, **{"common": "", place: "dose"})
    own, log_likelihood = fitted(density)
    theirs = glm(panel, panel.numeric["answer"], sm.families.Binomial())
    assert log_likelihood == pytest.approx(theirs.llf, rel=1e-11)
    np.testing.assert_allclose(density.to_user(own), theirs.params, rtol=1e-7)
    assert tuple(parameter.name for parameter in density.parameters) == WEEK


def test_successes_of_trials_are_the_glm_of_statsmodels(density_of, panel):
    density = density_of("binomial", ONE, covariates="dose")
    own, log_likelihood = fitted(density)
    x = panel.numeric
    pairs = np.column_stack([x["successes"], x["trials"] - x["successes"]])
    theirs = glm(panel, pairs, sm.families.Binomial())
    assert log_likelihood == pytest.approx(theirs.llf, rel=1e-11)
    np.testing.assert_allclose(density.to_user(own), theirs.params, rtol=1e-7)


def test_poisson_with_exposure_is_the_glm_of_statsmodels(density_of, panel):
    density = density_of("poisson", ONE, covariates="dose")
    own, log_likelihood = fitted(density)
    theirs = glm(panel, panel.numeric["count"], sm.families.Poisson(), exposure=panel.numeric["exposure"])
    assert log_likelihood == pytest.approx(theirs.llf, rel=1e-11)
    np.testing.assert_allclose(density.to_user(own), theirs.params, rtol=1e-7)


# R 4.2.2 on the panel of conftest.py, rows in any order, week2 = I(week^2).
BY_R = {
    # survival 3.5.3: l, u are the outcome with NA below at 2, above at 7;
    # survreg(Surv(l, u, type = "interval2") ~ week + week2 + dose, dist = "gaussian",
    #         control = survreg.control(rel.tolerance = 1e-14)): loglik[2], coef, scale
    "censored": (
        -324.37709592097,
        (4.0343781611586, -0.37763702706341, 0.097102742743846, 0.49067186365176, 1.9673816011809),
    ),
    # glmmTMB 1.1.5: glmmTMB(share ~ week + week2 + dose, family = beta_family()): logLik, fixef $cond, sigma
    "beta": (
        46.150383414648,
        (-0.001837043791573, -0.12765652044084, 0.034326456497099, 0.24611309311935, 5.2222381656986),
    ),
    # glmmTMB(visits ~ week + week2 + dose + offset(log(exposure)), ziformula = ~week, family = poisson()):
    # logLik, fixef $cond, fixef $zi
    "zip": (
        -262.45192761125,
        (0.342211356397, -0.336589331642, 0.0713848441793, 0.216726651982, -0.379049671706, 0.0127029661334),
    ),
}


@pytest.mark.parametrize("model", BY_R)
def test_censored_beta_and_zero_inflated_outcomes_have_the_maximum_that_r_finds(density_of, model):
    more = {"zero_orders": (1,)} if model == "zip" else {}
    density = density_of(model, ONE, **{"common": "", "covariates": "dose", **more})
    own, log_likelihood = fitted(density)
    theirs, parameters = BY_R[model]
    assert log_likelihood == pytest.approx(theirs, rel=1e-11)
    # survreg was told to go on to 1e-14; glmmTMB stops where a parameter is off by about 1e-5 standard errors.
    atol = 1e-9 if model == "censored" else 1e-6
    np.testing.assert_allclose(density.to_user(own), parameters, rtol=0, atol=atol)
