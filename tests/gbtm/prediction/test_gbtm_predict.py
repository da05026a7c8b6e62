import numpy as np
import pandas as pd
import pytest
from scipy import stats

from harness.errors import SpecError
from harness.gbtm.prediction.drawn_model import model_of
from harness.gbtm.prediction.new_patients import new_patients
from harness.gbtm.prediction.outcome_laws import Law
from harness.gbtm.prediction.predict import predict
from harness.gbtm.prediction.predictive import predictive_mean, predictive_quantile
from harness.gbtm.spec import GbtmSpec
from harness.gbtm.uncertainty import free_covariance
from harness.trajectories import fit_gbtm

ETA = np.array([[[0.3, -1.0], [1.5, 0.2]]])
ZETA = np.array([[[-0.4], [0.3]]])
WEIGHTS = np.array([[[0.7, 0.2], [0.3, 0.8]]])


def spec_of(family, **settings):
    return GbtmSpec(outcome="y", time="t", subject="id", orders=(0, 0), family=family, **settings)


def laws(family):
    """Return the laws of scipy of both classes at both rows."""
    sd = np.exp(ZETA)[0, :, 0]
    p = 1 / (1 + np.exp(-ETA[0]))
    match family:
        case "gaussian" | "censored_normal":
            return [[stats.norm(ETA[0, g, j], sd[g]) for j in range(2)] for g in range(2)]
        case "logit":
            return [[stats.binom(10, p[g, j]) for j in range(2)] for g in range(2)]
        case "poisson":
            return [[stats.poisson(np.exp(ETA[0, g, j])) for j in range(2)] for g in range(2)]
        case "beta":
            return [[stats.beta(p[g, j] * sd[g], (1 - p[g, j]) * sd[g]) for j in range(2)] for g in range(2)]


@pytest.mark.parametrize("family", ["gaussian", "logit", "poisson", "beta"])
@pytest.mark.parametrize("share", [0.025, 0.5, 0.975])
def test_quantiles_are_those_of_the_mixture(family, share):
    trials = np.full(2, 10.0) if family == "logit" else None
    law = Law(eta=ETA, zeta=None if family in {"logit", "poisson"} else ZETA)
    found = predictive_quantile(spec_of(family), law, WEIGHTS, share, trials)
    own = laws(family)

    def below(values):
        return np.array([sum(WEIGHTS[0, g, j] * own[g][j].cdf(values[j]) for g in range(2)) for j in range(2)])

    if family in {"logit", "poisson"}:
        assert np.all(below(found) >= share)
        assert np.all(below(found - 1) < share)
    else:
        np.testing.assert_allclose(below(found), share, atol=1e-13)
    means = [sum(WEIGHTS[0, g, j] * own[g][j].mean() for g in range(2)) for j in range(2)]
    np.testing.assert_allclose(predictive_mean(spec_of(family), law, WEIGHTS, trials), means, rtol=1e-12)


def test_quantiles_of_counts_with_extra_zeros_and_of_censored_outcomes():
    zeta = np.array([[[0.5], [-np.inf]]])  # the second class has no extra zeros
    law = Law(eta=ETA, zeta=zeta)
    rho = 1 / (1 + np.exp(-0.5))
    found = predictive_quantile(spec_of("zip", zero_orders=(0, -1)), law, WEIGHTS, 0.9, None)
    for j, value in enumerate(found):

        def below(y, j=j):
            first = rho + (1 - rho) * stats.poisson.cdf(y, np.exp(ETA[0, 0, j]))
            return WEIGHTS[0, 0, j] * first + WEIGHTS[0, 1, j] * stats.poisson.cdf(y, np.exp(ETA[0, 1, j]))

        assert below(value) >= 0.9 > below(value - 1)
    censored = spec_of("censored_normal", limits=(-0.5, 2.0))
    plain, cut = (
        predictive_quantile(s, Law(eta=ETA, zeta=ZETA), WEIGHTS, 0.9, None) for s in (spec_of("gaussian"), censored)
    )
    np.testing.assert_allclose(cut, np.clip(plain, -0.5, 2.0))


def test_the_course_is_the_mixture_of_curves_by_the_posterior_then(family_fit, family_table):
    fit = family_fit("beta")
    times = np.array([1.0, 8.0])
    patients = family_table[family_table["id"].isin(["p003", "p004"])]
    found = fit.predict(patients, after=2, times=times, draws=0)
    curves = fit.class_curves(times, scale="response")["fitted"].to_numpy().reshape(2, -1)
    probabilities = found.classes[["probability_1", "probability_2"]].to_numpy()
    np.testing.assert_allclose(found.course["mean"], (probabilities @ curves).ravel(), rtol=1e-10)
    assert found.course["observed"].isna().all()
    assert found.course["after"].tolist() == [2] * 4


def test_the_course_at_visits_to_come_uses_their_covariates(family_fit, family_table):
    fit = family_fit("gaussian")
    patient = family_table[family_table["id"] == "p001"].copy()
    patient.loc[patient.index[-1], "score"] = np.nan
    found = fit.predict(patient, after=100, draws=0)
    (last,) = found.course.to_dict("records")
    row = patient.iloc[-1]
    beta = [dict(zip(("intercept", "week", "dose"), own, strict=True)) for own in fit.beta]
    means = [b["intercept"] + b["week"] * row["week"] + b["dose"] * row["dose"] for b in beta]
    p = found.classes[["probability_1", "probability_2"]].to_numpy()[0]
    assert last["mean"] == pytest.approx(p @ means, rel=1e-10)
    high = sum(p[g] * stats.norm.cdf(last["upper"], means[g], fit.sigma[g]) for g in range(2))
    assert high == pytest.approx(0.975, abs=1e-12)


def test_limits_of_class_probabilities_are_over_draws_of_the_parameters(family_fit, family_table):
    fit = family_fit("gaussian")
    model = model_of(fit.fit, fit.design, draws=400, seed=2)
    np.testing.assert_array_equal(model.vectors[0], fit.fit.vector)
    mixture = fit.design.mixture_of(fit.fit.class_kinds)
    errors = np.sqrt(np.diag(free_covariance(fit.fit.vector, mixture)))
    # 400 draws know a standard deviation to 1 / sqrt(800) = 3.5 %: four of these.
    np.testing.assert_allclose(model.vectors[1:].std(axis=0), errors, rtol=0.14)
    patients = new_patients(fit.design, fit.cohort, family_table)
    table = predict(model, patients, after=2).classes
    inside = table["probability_1"].between(table["lower_1"], table["upper_1"])
    assert inside.mean() > 0.95
    np.testing.assert_allclose(table["lower_1"], 1 - table["upper_2"], atol=1e-12)
    assert table.equals(predict(model_of(fit.fit, fit.design, draws=400, seed=2), patients, after=2).classes)


def test_uncertain_parameters_widen_the_course(family_fit, family_table):
    fit = family_fit("gaussian")
    known, drawn = (fit.predict(family_table, 1, uncertain_parameters=how).course for how in (False, True))
    wider = (drawn["upper"] - drawn["lower"]) / (known["upper"] - known["lower"])
    assert wider.mean() > 1.0
    assert wider.between(0.95, 1.6).all()


def test_new_factors_are_coded_as_in_the_fit(family_fit, family_table):
    """A table of one sex alone, in which the fit's reference level does not occur."""
    fit = family_fit("gaussian")
    men = family_table[family_table["sex"] == "m"]
    alone = fit.predict(men, draws=0).classes
    beside = fit.predict(family_table, draws=0).classes
    expected = beside[beside["id"].isin(men["id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, expected, rtol=1e-12)


def test_all_that_is_wrong_with_a_table_is_said_at_once(family_fit, family_table):
    fit = family_fit("gaussian")
    wrong = family_table.head(12).copy()
    wrong.loc[wrong.index[0], "sex"] = "x"
    wrong.loc[wrong.index[1], "age"] = 99.0
    wrong.loc[wrong.index[2], "dose"] = np.nan
    with pytest.raises(SpecError) as refusal:
        fit.predict(wrong)
    text = str(refusal.value)
    assert "level 'x', which the fit has not seen" in text
    assert "column 'dose': no value in 1 row(s): 3" in text
    with pytest.raises(SpecError) as refusal:
        fit.predict(family_table.drop(columns=["dose", "sex"]))
    assert len(refusal.value.problems) == 2
    changing = family_table.head(12).copy()
    changing.loc[changing.index[1], "age"] = 99.0
    with pytest.raises(SpecError, match="changes within a patient"):
        fit.predict(changing)


def test_outcomes_that_the_family_can_not_have_are_refused(family_fit, family_table):
    wrong = family_table.assign(events=family_table["events"] - 1)
    with pytest.raises(SpecError, match="column 'events'"):
        family_fit("poisson").predict(wrong)
    with pytest.raises(SpecError, match="an exposure > 0"):
        family_fit("poisson").predict(family_table.assign(days=0.0))


def test_settings_of_a_prediction_are_refused(family_fit, family_table):
    with pytest.raises(SpecError, match="after -1"):
        family_fit("beta").predict(family_table, -1)
    with pytest.raises(SpecError, match="Give the visits to come as rows without an outcome"):
        family_fit("gaussian").predict(family_table, times=[9.0])
    with pytest.raises(SpecError, match="sigma goes by visit"):
        family_fit("by_visit").predict(family_table, times=[0.5])
    with pytest.raises(SpecError, match="a time without a sigma"):
        family_fit("by_visit").predict(family_table.assign(week=family_table["week"] + 0.5))


def test_counts_without_extra_zeros_in_any_class_are_poisson(family_table):
    named = {"outcome": "events", "time": "week", "subject": "id", "orders": (1, 1), "n_starts": 8}
    none = fit_gbtm(family_table, family="zip", zero_orders=(-1, -1), **named)
    poisson = fit_gbtm(family_table, family="poisson", **named)
    for scale in ("predictor", "response"):
        pd.testing.assert_frame_equal(none.class_curves(scale=scale), poisson.class_curves(scale=scale))
    patients = family_table[family_table["id"].isin(["p001", "p002"])]
    first, second = (fit.predict(patients) for fit in (none, poisson))
    pd.testing.assert_frame_equal(first.course, second.course)
