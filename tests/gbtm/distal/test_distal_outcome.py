"""Distal outcomes: each method against its formula in loops, exact special cases, and a simulated truth."""

import cmath
import math

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit

import harness
from harness.errors import SpecError
from harness.gbtm.distal.first_step import first_step
from harness.gbtm.distal.outcome_density import DistalOutcome
from harness.gbtm.distal.posterior_regression import joint_model
from harness.gbtm.mixture import derivatives, e_step

METHODS = ("three_step_ml", "bch", "posterior_regression", "class_mean_mixture")


@pytest.fixture(scope="module")
def step(fitted):
    return first_step(fitted.design, fitted.fit)


@pytest.fixture(scope="module")
def later(panel, fitted):
    """Values in the order of the model's subjects; NaN for some."""
    return panel[1].set_index("id")["later"].loc[list(fitted.estimates.subject_labels)].to_numpy()


def gaussian(z, mean, sigma, m=math):
    return -((z - mean) ** 2) / (2 * sigma**2) - m.log(sigma) - m.log(2 * m.pi) / 2


def test_the_classification_says_how_members_of_a_class_are_assigned(fitted, step):
    p, c = fitted.posterior, fitted.assignment - 1
    D = [[sum(p[i, g] for i in range(len(p)) if c[i] == s) / p[:, g].sum() for s in (0, 1)] for g in (0, 1)]
    np.testing.assert_allclose(step.classification, D, rtol=1e-12)
    np.testing.assert_allclose(step.classification.sum(axis=1), 1.0, rtol=1e-14)


def three_step_by_loops(step, z, D=None, m=math):
    """The log-likelihood of each subject in the last step, as a function of log-odds, two means and log sigma."""
    D = step.classification if D is None else D

    def of_subject(i, odds, low, high, log_sigma):
        shares = [m.exp(odds) / (1 + m.exp(odds)), 1 / (1 + m.exp(odds))]
        joint = 0.0
        for g, mean in enumerate((low, high)):
            term = shares[g] * D[g, step.assigned[i]]
            joint += term if np.isnan(z[i]) else term * m.exp(gaussian(z[i], mean, m.exp(log_sigma), m))
        return m.log(joint)

    return of_subject


def slopes_by_subject(of_subject, n, point):
    """Gradient of each subject by complex steps, (P, N)."""
    unit = 1e-30j * np.eye(len(point))
    return np.array([[of_subject(i, *(point + e)).imag / 1e-30 for i in range(n)] for e in unit])


def test_three_steps_maximise_their_formula_with_its_sandwich(panel, fitted, step, later):
    result = harness.distal_outcome(fitted, panel[1], outcome="later")
    of_subject, n = three_step_by_loops(step, later), len(later)
    found = minimize(
        lambda at: -sum(of_subject(i, *at) for i in range(n)),
        [0.0, 0.0, 1.0, 0.0],
        method="BFGS",
        options={"gtol": 1e-7},
    )
    np.testing.assert_allclose(result.estimate, found.x[1:3], atol=1e-5)
    assert result.estimates.log_likelihood == pytest.approx(-found.fun, abs=1e-9)
    np.testing.assert_allclose(result.estimates.sigma, np.exp(found.x[3]), rtol=1e-5)
    assert result.estimates.class_shares[0] == pytest.approx(expit(found.x[0]), abs=1e-5)

    point = np.array([found.x[0], *result.estimate, np.log(result.estimates.sigma[0])])
    by_subject = three_step_by_loops(step, later, m=cmath)
    scores = slopes_by_subject(by_subject, n, point)
    h = 1e-5
    hessian = [
        (slopes_by_subject(by_subject, n, point + e) - slopes_by_subject(by_subject, n, point - e)).sum(axis=1)
        / (2 * h)
        for e in h * np.eye(4)
    ]
    inverse = np.linalg.inv(hessian)
    sandwich = inverse @ (scores @ scores.T) @ inverse
    np.testing.assert_allclose(result.estimates.covariance, sandwich[1:3, 1:3], rtol=1e-4)


def classification_at(step, vector, moved=None):
    """D at other parameters of the trajectories, modal classes fixed; each subject with a weight of its own."""
    posterior = e_step(vector[None], step.mixture)[0][0]
    weights = np.ones(posterior.shape[1]) if moved is None else moved
    sums = np.array([[(posterior[g] * weights)[step.assigned == s].sum() for s in (0, 1)] for g in (0, 1)])
    return sums / sums.sum(axis=1, keepdims=True)


def test_the_influence_of_a_subject_on_the_classification_is_a_numeric_slope(step):
    h, vector = 1e-5, step.vector
    by_vector = np.array(
        [
            (classification_at(step, vector + e) - classification_at(step, vector - e)) / (2 * h)
            for e in h * np.eye(len(vector))
        ]
    )
    alone = derivatives(vector[None], step.mixture)
    pull = np.linalg.solve(alone.information[0], alone.scores[0])
    for i in (0, 7, 40):
        weights = np.ones(len(step.assigned))
        up, down = weights.copy(), weights.copy()
        up[i] += h
        down[i] -= h
        direct = (classification_at(step, vector, up) - classification_at(step, vector, down)) / (2 * h)
        expected = direct + np.einsum("pgs,p->gs", by_vector, pull[:, i])
        np.testing.assert_allclose(step.influence[:, :, i], expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("method", ["three_step_ml", "bch"])
def test_with_the_first_step_errors_are_those_of_all_steps_at_once(panel, fitted, step, later, method):
    """phi_i = s_i + (d score / d D) influence_i, with the middle factor by differences of D in the loops."""
    result = harness.distal_outcome(fitted, panel[1], outcome="later", method=method, first_step=True)
    n, h, known = len(later), 1e-5, ~np.isnan(later)

    def bch(D):
        weights = np.linalg.inv(D)[step.assigned].T * known
        return (weights @ np.where(known, later, 0.0)) / weights.sum(axis=1)

    if method == "bch":
        alone = harness.distal_outcome(fitted, panel[1], outcome="later", method=method)
        weights = np.linalg.inv(step.classification)[step.assigned].T * known
        own = weights * (np.where(known, later, 0.0) - alone.estimate[:, None]) / weights.sum(axis=1)[:, None]
        phi = own.copy()
        for g in (0, 1):
            for s in (0, 1):
                e = h * (np.arange(4).reshape(2, 2) == 2 * g + s)
                slope = (bch(step.classification + e) - bch(step.classification - e)) / (2 * h)
                phi += slope[:, None] * step.influence[g, s]
        np.testing.assert_allclose(result.estimates.covariance, phi @ phi.T, rtol=1e-5)
        return
    odds = np.log(result.estimates.class_shares[0] / result.estimates.class_shares[1])
    point = np.array([odds, *result.estimate, np.log(result.estimates.sigma[0])])

    def scores(D, at=point):
        return slopes_by_subject(three_step_by_loops(step, later, D, cmath), n, at)

    phi = scores(step.classification)
    hessian = [
        (scores(step.classification, point + e) - scores(step.classification, point - e)).sum(axis=1)
        for e in h * np.eye(4)
    ]
    for g in (0, 1):
        for s in (0, 1):
            e = h * (np.arange(4).reshape(2, 2) == 2 * g + s)
            slope = (scores(step.classification + e) - scores(step.classification - e)).sum(axis=1) / (2 * h)
            phi = phi + slope[:, None] * step.influence[g, s]
    inverse = np.linalg.inv(np.array(hessian) / (2 * h))
    expected = (inverse @ (phi @ phi.T) @ inverse)[1:3, 1:3]
    np.testing.assert_allclose(result.estimates.covariance, expected, rtol=1e-4)


def test_bch_is_a_mean_with_the_inverse_classification_as_weights(panel, fitted, step, later):
    result = harness.distal_outcome(fitted, panel[1], outcome="later", method="bch")
    inverse, known = np.linalg.inv(step.classification), [i for i in range(len(later)) if not np.isnan(later[i])]
    for g in (0, 1):
        weights = [inverse[step.assigned[i], g] for i in known]
        mean = sum(w * later[i] for w, i in zip(weights, known, strict=True)) / sum(weights)
        assert result.estimate[g] == pytest.approx(mean, rel=1e-12)
        meat = sum((w * (later[i] - mean)) ** 2 for w, i in zip(weights, known, strict=True))
        assert result.estimates.standard_error[g] == pytest.approx(np.sqrt(meat) / sum(weights), rel=1e-10)


def test_both_corrections_agree_where_the_law_is_saturated(panel, fitted):
    ml = harness.distal_outcome(fitted, panel[1], outcome="relapse", family="logit")
    bch = harness.distal_outcome(fitted, panel[1], outcome="relapse", family="logit", method="bch")
    np.testing.assert_allclose(ml.classes()["mean"], bch.classes()["mean"], rtol=1e-8)


def test_classes_that_are_certain_need_no_correction(simulated, fit_of):
    long, wide, upper = simulated(120, 5, apart=40.0)
    result = fit_of(long)
    means = [wide["later"][~upper].mean(), wide["later"][upper].mean()]
    sizes = np.array([(~upper).sum(), upper.sum()])
    for method in METHODS:
        found = harness.distal_outcome(result, wide, outcome="later", method=method)
        np.testing.assert_allclose(found.estimate, means, rtol=1e-8)
        if method in {"three_step_ml", "bch"}:
            squares = [((wide["later"][who] - wide["later"][who].mean()) ** 2).sum() for who in (~upper, upper)]
            np.testing.assert_allclose(found.estimates.standard_error, np.sqrt(squares) / sizes, rtol=1e-6)


def test_regression_on_posteriors_has_the_likelihood_of_its_formula(panel, fitted, step, later):
    result = harness.distal_outcome(fitted, panel[1], outcome="later", method="posterior_regression")
    model = joint_model(DistalOutcome(name="later", values=later, family="gaussian"), step.mixture)
    mu, sigma = np.array([0.1, 0.8]), 1.2
    working = np.concatenate([step.vector, (mu - model.centre) / model.unit, [np.log(sigma / model.unit)]])
    exact = fitted.log_likelihood
    for i, z in enumerate(later):
        if not np.isnan(z):
            exact += gaussian(z, sum(fitted.posterior[i, g] * mu[g] for g in (0, 1)), sigma)
    assert model.log_likelihood(working) == pytest.approx(exact, rel=1e-12)
    assert result.estimates.log_likelihood > exact


@pytest.mark.parametrize("family", ["gaussian", "logit", "poisson"])
def test_derivatives_of_the_regression_on_posteriors_are_slopes(panel, fitted, step, family):
    column = {"gaussian": "later", "logit": "relapse", "poisson": "stays"}[family]
    values = panel[1].set_index("id")[column].loc[list(fitted.estimates.subject_labels)].to_numpy()
    model = joint_model(DistalOutcome(name=column, values=values, family=family), step.mixture)
    at = np.random.default_rng(2).normal(0, 0.3, model.n_free)
    at[: len(step.vector)] += step.vector
    found = model.derivatives(at)

    def slope(function, e, h=1e-3):
        near, far = function(at + h * e) - function(at - h * e), function(at + 2 * h * e) - function(at - 2 * h * e)
        return (8 * near - far) / (12 * h)

    for p, e in enumerate(np.eye(model.n_free)):
        assert found.score[0, p] == pytest.approx(slope(model.log_likelihood, e), abs=1e-7 * np.abs(found.score).max())
        numeric = slope(lambda x: model.derivatives(x).score[0], e)
        np.testing.assert_allclose(-found.information[0, p], numeric, atol=1e-6 * np.abs(found.information).max())
    np.testing.assert_allclose(found.scores[0] @ step.weights, found.score[0], rtol=1e-10)


def test_one_step_is_a_mixture_with_one_more_outcome(panel, fitted):
    long, wide = panel
    both = pd.concat([long, wide[["id", "later"]].assign(week=99.0)])
    multi = harness.fit_multi_trajectory(
        both,
        [harness.outcome_model("score", (1, 1)), harness.outcome_model("later", (0, 0))],
        time="week",
        subject="id",
        n_starts=8,
    )
    result = harness.distal_outcome(fitted, wide, outcome="later", method="class_mean_mixture")
    assert result.estimates.log_likelihood == pytest.approx(multi.log_likelihood, abs=1e-8)
    table = multi.coefficients().query("outcome == 'later' and role == 'beta'")
    np.testing.assert_allclose(result.estimate, table["estimate"], rtol=1e-6)
    np.testing.assert_allclose(result.estimates.standard_error, table["standard_error"], rtol=1e-5)


def test_every_method_recovers_the_truth_that_modal_classes_miss(simulated, fit_of):
    long, wide, _ = simulated(1500, 8, apart=2.5, effect=1.0)
    result = fit_of(long, n_starts=4)
    by_label = wide.set_index("id")["later"].loc[list(result.estimates.subject_labels)].to_numpy()
    naive = by_label[result.assignment == 2].mean() - by_label[result.assignment == 1].mean()
    for method in METHODS:
        (row,) = harness.distal_outcome(result, wide, outcome="later", method=method).differences().itertuples()
        assert abs(row.difference - 1.0) < 4 * row.standard_error  # one seed in 16 000 is outside
        assert row.standard_error < 0.09
        assert naive < row.difference - 2 * row.standard_error
    for method, family, truth in (("three_step_ml", "logit", np.log(6)), ("three_step_ml", "poisson", np.log(2 / 0.7))):
        column = {"logit": "relapse", "poisson": "stays"}[family]
        found = harness.distal_outcome(result, wide, outcome=column, method=method, family=family).differences()
        assert abs(found["difference"][0] - truth) < 4 * found["standard_error"][0]


def test_sampling_weights_are_repeated_subjects(simulated, fit_of):
    long, wide, _ = simulated(60, 4)
    times = dict(zip(wide["id"], np.arange(60) % 3 + 1, strict=True))
    weighted = fit_of(long.assign(w=long["id"].map(times).astype(float)), weights="w")
    copies = [k for label in wide["id"] for k in range(times[label])]
    repeated = [label for label in wide["id"] for _ in range(times[label])]
    names = [f"{label}-{k}" for label, k in zip(repeated, copies, strict=True)]
    rows = long.set_index("id")
    many = fit_of(pd.concat([rows.loc[label].assign(id=name) for label, name in zip(repeated, names, strict=True)]))
    wider = wide.set_index("id").loc[repeated].assign(id=names)
    for method in METHODS:
        one = harness.distal_outcome(weighted, wide, outcome="later", method=method)
        two = harness.distal_outcome(many, wider, outcome="later", method=method)
        np.testing.assert_allclose(one.estimate, two.estimate, rtol=1e-6)


def test_a_wald_test_of_two_classes_is_the_square_of_z(panel, fitted):
    result = harness.distal_outcome(fitted, panel[1], outcome="later")
    (row,) = result.differences().itertuples()
    assert (row.class_a, row.class_b) == (2, 1)
    assert row.difference == pytest.approx(result.estimate[1] - result.estimate[0])
    test = result.test()
    assert (test.statistic, test.df, test.p) == pytest.approx((row.z**2, 1, row.p))


def test_a_class_in_which_all_have_the_event_has_no_standard_error(simulated, fit_of):
    long, wide, upper = simulated(120, 5, apart=40.0)
    wide = wide.assign(relapse=np.where(upper, 1.0, wide["relapse"]))
    found = harness.distal_outcome(fit_of(long), wide, outcome="relapse", family="logit")
    assert np.isnan(found.estimates.standard_error).tolist() == [False, True]
    assert np.isnan(found.test().p)
    assert any("no maximum" in note for note in found.warnings)


def test_a_long_table_in_any_order_gives_the_same_numbers(panel, fitted):
    long, wide = panel
    merged = long.merge(wide, on="id").sample(frac=1, random_state=1)
    merged.loc[merged["week"] > 1, "later"] = np.nan  # a value may stand in some of the rows only
    one = harness.distal_outcome(fitted, wide, outcome="later")
    two = harness.distal_outcome(fitted, merged, outcome="later")
    np.testing.assert_array_equal(one.estimate, two.estimate)
    assert two.estimates.outcome.n_missing == wide["later"].isna().sum()
    assert f"{two.estimates.n_subjects} subjects, {two.estimates.outcome.n_missing} without" in two.summary()


def test_sigma_by_class_is_one_number_a_class(panel, fitted):
    shared = harness.distal_outcome(fitted, panel[1], outcome="later")
    by_class = harness.distal_outcome(fitted, panel[1], outcome="later", sigma="class")
    assert (len(shared.estimates.sigma), len(by_class.estimates.sigma)) == (1, 2)
    assert by_class.estimates.log_likelihood >= shared.estimates.log_likelihood


def test_what_can_not_be_compared_is_refused(panel, fitted):
    long, wide = panel

    def refused(match, table=wide, **settings):
        with pytest.raises(SpecError, match=match):
            harness.distal_outcome(fitted, table, **{"outcome": "later", **settings})

    refused("method 'four_step'", method="four_step")
    refused("family 'beta'", family="beta")
    refused("expected 0 or 1", family="logit")
    refused("sigma 'class' for method 'bch'", method="bch", sigma="class")
    refused("first_step for method 'class_mean_mixture'", method="class_mean_mixture", first_step=True)
    refused("several values of 80 subject", table=long, outcome="score")
    refused("no such column", outcome="latter")
    refused("is categorical", outcome="sex")
    refused("none of the model's subjects", table=wide.assign(id="x" + wide["id"]))
    refused("for every subject", table=wide.assign(later=1.0))
    with pytest.raises(SpecError, match="a result of fit_gbtm"):
        harness.distal_outcome(wide, wide, outcome="later")


def test_an_improper_fit_has_no_classes_to_compare(simulated, fit_of):
    long, wide, _ = simulated(40, 6, apart=0.0)
    improper = fit_of(long, orders=(0, 0, 0, 0))
    if improper.fit.best.is_proper:
        pytest.fail("this panel of one class was meant to have no solution of four")
    with pytest.raises(SpecError, match="no proper optimum"):
        harness.distal_outcome(improper, wide, outcome="later")


@pytest.mark.parametrize("method", METHODS)
def test_a_class_of_whom_nobody_has_a_value_has_no_standard_error(simulated, fit_of, method):
    long, wide, _ = simulated(40, 8, apart=30.0)
    fit = fit_of(long)
    table = wide.assign(later=np.where(fit.assignment == 1, wide["later"], np.nan))
    found = harness.distal_outcome(fit, table, outcome="later", method=method)
    assert np.isfinite(found.estimates.standard_error[0])
    assert np.isnan(found.estimates.standard_error[1])
    assert np.isnan(found.test().statistic)
    assert "No subject assigned to class 2 has a value: it has no standard error." in found.warnings
    assert "nan" in str(found.summary())


@pytest.mark.parametrize("method", ["three_step_ml", "bch", "posterior_regression"])
def test_an_outcome_that_classes_determine_has_no_standard_errors(simulated, fit_of, method):
    long, wide, _ = simulated(40, 8, apart=30.0)
    fit = fit_of(long)
    found = harness.distal_outcome(fit, wide.assign(later=fit.assignment * 2.0), outcome="later", method=method)
    np.testing.assert_allclose(found.estimate, [2.0, 4.0], rtol=1e-8)  # the constants; classes are known but for 1e-20
    assert np.isnan(found.estimates.standard_error).all()
    assert "The outcome does not vary within class 1, which has no standard error." in found.warnings
    assert np.isnan(found.test().p)
