"""What a reader of a fit sees."""

import numpy as np
import pytest

from harness.cohorts import fixture_cohort
from harness.formula import parse_formula
from harness.lmm.curve import population_curves
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
