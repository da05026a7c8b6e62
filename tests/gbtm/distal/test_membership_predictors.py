"""Predictors of membership by three steps: against logistic regression, loops, and a simulated truth."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize

import harness
from harness.errors import SpecError
from harness.gbtm.distal.first_step import first_step


def test_with_certain_classes_it_is_a_logistic_regression(simulated, fit_of):
    long, wide, upper = simulated(150, 5, apart=40.0)
    found = harness.membership_predictors(fit_of(long), wide, "age + sex", reference=1).coefficients()
    X = sm.add_constant(np.column_stack([wide["age"], wide["sex"] == "m"]).astype(float))
    reference = sm.Logit(upper.astype(float), X).fit(disp=0, tol=1e-12, cov_type="HC0")
    np.testing.assert_allclose(found["estimate"], reference.params, rtol=1e-6)
    np.testing.assert_allclose(found["standard_error"], reference.bse, rtol=1e-6)
    assert found["predictor"].tolist() == ["intercept", "age", "sex[m]"]


def test_it_maximises_the_likelihood_of_assigned_classes(panel, fitted):
    wide = panel[1].set_index("id").loc[list(fitted.estimates.subject_labels)]
    step, age = first_step(fitted.design, fitted.fit), wide["age"].to_numpy() / 10
    D, c = step.classification, step.assigned

    def minus(at):
        total = 0.0
        for i in range(len(c)):
            lower = 1 / (1 + math.exp(-at[0] - at[1] * age[i]))
            total -= math.log(lower * D[0, c[i]] + (1 - lower) * D[1, c[i]])
        return total

    best = minimize(minus, [0.0, 0.0], method="BFGS", options={"gtol": 1e-6})
    found = harness.membership_predictors(fitted, wide.reset_index(), "age")
    np.testing.assert_allclose(found.coefficients()["estimate"], best.x * [1, 0.1], rtol=1e-3)
    assert found.estimates.log_likelihood == pytest.approx(-best.fun, abs=1e-8)


def test_another_reference_is_the_same_model(simulated, fit_of):
    long, wide, _ = simulated(200, 9, apart=4.0)
    long["score"] += 12 * (long["id"].str[-1].astype(int) > 6)  # a third class
    result = fit_of(long, orders=(1, 1, 1))
    last, first = (harness.membership_predictors(result, wide, "age", reference=g) for g in (3, 1))
    one, two = (r.coefficients().set_index(["predictor", "latent_class"])["estimate"] for r in (last, first))
    for name in ("intercept", "age"):
        assert two[name, 3] == pytest.approx(-one[name, 1], rel=1e-8)
        assert two[name, 2] == pytest.approx(one[name, 2] - one[name, 1], rel=1e-7)
    assert first.estimates.log_likelihood == pytest.approx(last.estimates.log_likelihood, abs=1e-12)
    np.testing.assert_allclose(first.tests()["chi2"], last.tests()["chi2"], rtol=1e-7)
    errors = [r.coefficients().query("latent_class == @g")["standard_error"] for r, g in ((last, 1), (first, 3))]
    np.testing.assert_allclose(*map(np.asarray, errors), rtol=1e-7)


@pytest.mark.parametrize("with_first_step", [False, True])
def test_a_known_effect_is_recovered_that_modal_classes_miss(simulated, fit_of, with_first_step):
    long, wide, _ = simulated(1500, 8, apart=2.5)
    result = fit_of(long, n_starts=4)
    found = harness.membership_predictors(result, wide, "age", reference=1, first_step=with_first_step)
    slope = found.coefficients().iloc[1]
    assert abs(slope["estimate"] - 0.1) < 4 * slope["standard_error"]  # one seed in 16 000 is outside
    assert slope["standard_error"] < 0.012
    ages = wide.set_index("id")["age"].loc[list(result.estimates.subject_labels)].to_numpy()
    naive = sm.Logit((result.assignment == 2).astype(float), sm.add_constant(ages)).fit(disp=0)
    assert naive.params[1] < 0.1 - 3 * slope["standard_error"]
    assert ("taken as known" in found.summary()) != with_first_step


def test_with_certain_classes_the_first_step_adds_nothing(simulated, fit_of, panel, fitted):
    long, wide, _ = simulated(150, 5, apart=40.0)
    for result, table, same in ((fit_of(long), wide, True), (fitted, panel[1], False)):
        without, with_it = (
            harness.membership_predictors(result, table, "age", first_step=told).coefficients()
            for told in (False, True)
        )
        np.testing.assert_array_equal(without["estimate"], with_it["estimate"])
        assert np.allclose(without["standard_error"], with_it["standard_error"], rtol=1e-6) == same


def test_subjects_without_a_predictor_are_left_out_and_counted(panel, fitted):
    wide = panel[1].copy()
    wide.loc[wide.index % 8 == 0, "age"] = np.nan
    found = harness.membership_predictors(fitted, wide, "age")
    complete = harness.membership_predictors(fitted, wide.dropna(subset="age"), "age")
    assert (found.estimates.n_subjects, found.estimates.n_missing) == (70, 10)
    np.testing.assert_array_equal(found.coefficients()["estimate"], complete.coefficients()["estimate"])


def test_a_separating_predictor_has_no_standard_error(simulated, fit_of):
    long, wide, upper = simulated(120, 5, apart=40.0)
    found = harness.membership_predictors(fit_of(long), wide.assign(mark=upper.astype(float)), "mark")
    assert found.coefficients()["standard_error"].isna().all()
    assert found.tests()["p"].isna().all()
    assert any("no maximum" in note for note in found.warnings)


def test_what_can_predict_nothing_is_refused(panel, fitted, fit_of):
    long, wide = panel

    def refused(match, text="age", table=wide, result=fitted, **settings):
        with pytest.raises(SpecError, match=match):
            harness.membership_predictors(result, table, text, **settings)

    refused("no predictors", text="")
    refused("method 'bch'", method="bch")
    refused("reference 3", reference=3)
    refused("several values of 80 subject", text="week", table=long)
    refused("'twice' is determined by 'age'", text="age + twice", table=wide.assign(twice=2 * wide["age"]))
    refused("a model of one class", result=fit_of(long, orders=(1,)))
