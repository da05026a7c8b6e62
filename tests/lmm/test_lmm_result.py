"""What a reader of a fit sees."""

import numpy as np
import pytest

from harness.api import load_fit
from harness.cohorts import fixture_cohort
from harness.cohorts.subset import keep_levels
from harness.convergence import Stop
from harness.errors import SpecError
from harness.formula import parse_formula
from harness.lmm.curve import population_curves
from harness.lmm.design import with_outcome
from harness.lmm.engine import fitted
from harness.lmm.result import fit_lmm_cohort
from harness.lmm.spec import LmmSpec


@pytest.fixture(scope="module")
def sleepstudy():
    spec = LmmSpec(formula=parse_formula("reaction ~ days + (1 + days | subject)"))
    return fit_lmm_cohort(spec, fixture_cohort("sleepstudy"))


def test_the_summary_holds_what_users_of_r_look_for(sleepstudy):
    text = str(sleepstudy.summary())
    for words in (
        "fitted by REML",
        "reaction ~ days + (1 + days | subject)",
        "REML criterion   1743.628",
        "Observations   180",
        "Subjects        18",
        "intercept     612.09   24.7405",
        "0.066",
        "residual     654.941   25.5918",
        "degrees of freedom: satterthwaite",
        "251.405      6.82456   17.0   36.838   <0.0001   237.007   265.804",
        "10.4673      1.54579   17.0    6.771   <0.0001   7.20596   13.7286",
        "Converged.",
    ):
        assert words in text
    assert repr(sleepstudy.summary()) == text


def test_the_summary_says_that_a_fit_is_singular(simulate, make_cohort):
    for seed in range(20):
        cohort = make_cohort(**simulate(m=25, correlation=-1.0, sd=(1.0, 0.5), seed=seed))
        result = fit_lmm_cohort(LmmSpec(formula=parse_formula("y ~ t * g + (1 + t | id)")), cohort)
        if not np.isfinite(result.variances().standard_error).all():
            text = str(result.summary())
            assert "Singular fit: intercept and t are perfectly negatively correlated." in text
            assert "Simplify the random effects" in text
            return
    pytest.fail("none of 20 panels with correlation -1 was singular")


def test_tables_are_tidy(sleepstudy):
    fixed = sleepstudy.fixed_effects()
    assert list(fixed.index) == ["intercept", "days"]
    assert fixed.loc["days", "t"] == pytest.approx(6.771485, abs=1e-6)
    assert fixed.loc["days", "df"] == pytest.approx(17, rel=1e-9)
    random = sleepstudy.random_effects()
    assert len(random) == 36
    assert tuple(random.iloc[1][["subject", "effect"]]) == ("308", "days")
    variances = sleepstudy.variances()
    assert variances.correlation.dropna().tolist() == [pytest.approx(0.0655512, abs=1e-6)]
    assert (variances.standard_error > 0).all()


def test_the_figure_shows_subjects_means_curve_and_band(sleepstudy):
    (axes,) = sleepstudy.plot().axes
    assert axes.get_xlabel() == "days"
    assert axes.get_ylabel() == "reaction"
    assert len(axes.collections) == 1
    subjects, means, curve = axes.lines
    assert np.isnan(subjects.get_ydata()).sum() == 17
    assert len(means.get_xdata()) == 10
    np.testing.assert_allclose(curve.get_ydata()[[0, -1]], sleepstudy.beta[0] + sleepstudy.beta[1] * np.array([0, 9]))


@pytest.mark.parametrize(
    ("formula", "label", "curves"),
    [("y ~ t * g + (1 + t | id)", "t", 2), ("y ~ g + (1 | id)", "id", 0), ("y ~ visit + (1 | id)", "visit", 1)],
)
def test_figures_suit_the_model(simulate, make_cohort, formula, label, curves):
    panel = simulate()
    cohort = make_cohort(**panel, visit=[f"v{int(t)}" for t in panel["t"]])
    (axes,) = fit_lmm_cohort(LmmSpec(formula=parse_formula(formula)), cohort).plot().axes
    assert axes.get_xlabel() == label
    assert len(axes.collections) == curves


def test_a_curve_is_the_mean_prediction_and_its_band_the_wald_interval(simulate, make_cohort):
    panel = simulate()
    cohort = make_cohort(**panel)
    result = fit_lmm_cohort(LmmSpec(formula=parse_formula("y ~ t * g + (1 + t | id)")), cohort)
    treated = list(population_curves(result.design, result.estimates, "t", "g"))[1]
    assert treated.level == "b"
    rows = np.column_stack([np.ones(60), treated.x, np.ones(60), treated.x])
    np.testing.assert_allclose(treated.mean, rows @ result.beta, rtol=1e-12)
    half = 1.959963984540054 * np.sqrt(np.diag(rows @ result.vcov @ rows.T))
    np.testing.assert_allclose(treated.upper - treated.mean, half, rtol=1e-9)


def sharp_fit(formula):
    cohort = keep_levels(fixture_cohort("ketamine_sharp"), {"visit": ["inf1", "inf2", "inf3"]})
    return fit_lmm_cohort(LmmSpec(formula=parse_formula(formula)), cohort)


@pytest.mark.parametrize(
    ("formula", "varying"),
    [
        (
            "madrs ~ visit + (1 + week | subject)",
            ["random.sd[intercept]", "random.correlation[week,intercept]", "random.sd[week]", "sigma"],
        ),
        (
            "madrs ~ visit + us(visit | subject)",
            [
                "residual[variance[inf1]]",
                "residual[covariance[inf2, inf1]]",
                "residual[variance[inf2]]",
                "residual[covariance[inf3, inf1]]",
                "residual[covariance[inf3, inf2]]",
                "residual[variance[inf3]]",
            ],
        ),
        (
            "madrs ~ visit + (1 | subject) + (1 | sex)",
            ["random.sd[subject;intercept]", "random.sd[sex;intercept]", "sigma"],
        ),
        (
            "madrs ~ visit + (1 | subject) + ar1(visit | subject)",
            ["random.sd[intercept]", "residual[variance]", "residual[correlation]"],
        ),
    ],
)
def test_one_face_serves_all_engines(formula, varying, tmp_path):
    result = sharp_fit(formula)
    assert result.convergence.converged
    tests = result.fixed_effects("kenward-roger")
    assert (tests.df > 0).all()
    np.testing.assert_allclose(result.means("visit").contrasts("baseline").estimate, result.beta[1:], rtol=1e-10)
    assert result.anova().df1.tolist() == [2]
    assert (result.intervals("wald", parameters=["fixed[visit[inf2]]"]).standard_error > 0).all()
    kept = result.bootstrap(3, seed=1)
    refits = [fitted(with_outcome(result.design, y)) for y in result.simulate(3, seed=1)]
    assert [name for name in kept.names if not name.startswith("fixed")] == varying
    for found, (refit, _) in zip(kept.values, refits, strict=True):
        drawn = dict(zip(kept.names, found.tolist(), strict=True))
        fixed = [drawn[f"fixed[{name}]"] for name in result.design.fixed_names]
        np.testing.assert_allclose(fixed, refit.beta, rtol=1e-6)  # as near as theta comes to the optimum
    expected = result.predict().mean.value
    np.testing.assert_allclose(result.residuals().conditional, result.design.y - expected, atol=1e-9)
    assert np.corrcoef(result.simulate(seed=1)[0], result.design.X @ result.beta)[0, 1] > 0
    assert result.leverage().fixed.sum() == pytest.approx(result.design.n_fixed, rel=1e-10)
    first = ~result.design.X[:, 1:].any(axis=1)
    np.testing.assert_allclose(result.prediction_df(df="kenward-roger")[first], tests.df["intercept"])
    stored = load_fit(result.save(tmp_path / "fit.json"))
    assert stored.contrast({"visit[inf2]": 1}).estimate == result.contrast({"visit[inf2]": 1}).estimate
    assert set(result.information_criteria().engine) == {"lme4, glmmTMB", "nlme", "SAS", "mmrm"}


def test_what_a_model_does_not_have_is_refused_in_words():
    result = sharp_fit("madrs ~ visit + us(visit | subject)")
    for ask, told in (
        (result.modes, "no random effects; expected a model with some"),
        (result.plot_modes, "no random effects; expected a model with some"),
        (result.intervals, "Use Wald's intervals or the parametric bootstrap"),
        (lambda: result.profile("sigma", [1.0]), "Use Wald's intervals or the parametric bootstrap"),
        (lambda: result.forecasts(None, along="week"), "no numeric predictor; expected a model with one"),
    ):
        with pytest.raises(SpecError, match=told):
            ask()
    left = result.refits_without("visit", "inf3").loc["inf3"]
    assert np.isfinite(left["change[visit[inf2]]"])
    assert left.filter(like="theta").isna().all()
    assert left.filter(like="theta").size == 6


def test_the_profile_crosses_the_normal_quantiles_at_the_ends_of_the_interval(sleepstudy):
    (ends,) = sleepstudy.intervals(parameters="sigma")[["lower", "upper"]].to_numpy()
    np.testing.assert_allclose(sleepstudy.profile("sigma", ends).zeta, [-1.959963984540054, 1.959963984540054])


def test_a_variance_of_zero_is_no_parameter_for_sas(make_cohort):
    """All subjects have the same mean, less than chance lets them differ; REML then counts sigma alone."""
    y = [1.0, 2.0, 4.0, 2.0, 4.0, 1.0, 4.0, 1.0, 2.0]
    cohort = make_cohort(id=[f"s{i // 3}" for i in range(9)], t=[float(i % 3) for i in range(9)], y=y)
    result = fit_lmm_cohort(LmmSpec(formula=parse_formula("y ~ 1 + (1 | id)")), cohort)
    assert result.convergence.stop is Stop.SINGULAR
    aic = result.information_criteria().query("criterion == 'AIC'").set_index("engine")["value"]
    assert aic["SAS"] == pytest.approx(result.fit.deviance + 2)
    assert aic["lme4, glmmTMB"] == pytest.approx(result.fit.deviance + 6)


def test_modes_are_asked_for_by_their_grouping_factor():
    result = sharp_fit("madrs ~ visit + (1 | subject) + (1 | sex)")
    for one in result.estimates.random:
        found = result.modes(one.grouping)
        np.testing.assert_allclose(found.modes, one.modes, atol=1e-9)
        np.testing.assert_allclose(found.conditional_cov, one.modes_cov, atol=1e-9)
    np.testing.assert_array_equal(result.modes().modes, result.modes("subject").modes)
    with pytest.raises(SpecError, match="grouping factor 'age'; expected one of 'subject', 'sex'"):
        result.modes("age")


def test_tables_name_the_grouping_factor_as_the_formula_does(simulate, make_cohort):
    result = fit_lmm_cohort(LmmSpec(formula=parse_formula("y ~ t + (1 | id)")), make_cohort(**simulate()))
    assert "Random effects, by id" in result.summary()
    assert result.random_effects().columns[0] == "id"
    assert list(result.explained().groupings) == ["id"]
    (row,) = result.intervals("wald", parameters="sigma").index
    assert row == "sigma"
