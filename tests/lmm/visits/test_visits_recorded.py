"""Fits over visits against numbers that R computed on Beat the Blues, `bdi ~ month * treatment + drug`, REML and ML."""

from dataclasses import replace

import numpy as np
import pytest

from harness.cohorts import fixture_cohort
from harness.cohorts.cohort import Factor
from harness.convergence import Stop
from harness.lmm.inference.fixed_effects import fixed_effects
from harness.lmm.visits.fit import fit_visits

FIXED = "bdi ~ month * treatment + drug"
SLOPE = "month:treatment[BtheB]"
# mmrm 0.3.18, nlminb with rel.tol 1e-15 (or its next optimiser where that ended higher):
# -2 log-likelihood by ML and by REML; of the interaction under REML the standard error and Satterthwaite's df, then the
# standard error of "Kenward-Roger-Linear", which has the same df. None: no optimiser of mmrm converged.
MMRM = {
    ("us", ""): (2642.411425286, 2637.566417674, 0.276841315, 52.240126, 0.295309626),
    ("us", "treatment / "): (2615.580723228, 2611.610947358, 0.274508369, 43.223099, 0.310115748),
    ("cs", ""): (2688.164280038, 2682.906253406, 0.270865745, 290.9931, 0.27105364),
    ("cs", "treatment / "): (2687.564766152, 2682.339034635, 0.270723457, 290.25912, 0.271109396),
    ("csh", ""): (2683.135331443, 2678.217617231, 0.257549781, 172.88042, 0.260647007),
    ("csh", "treatment / "): (2666.249966988, 2662.0260742, 0.255657691, 164.60566, 0.262255288),
    ("ar1", ""): (2685.692217115, 2679.4988306, 0.392821238, 374.07899, 0.393338771),
    ("ar1", "treatment / "): (2682.668837656, 2676.597707471, 0.39000163, 371.04971, 0.391077427),
    ("ar1h", ""): (2677.047813687, 2671.470646451, 0.349302867, 149.76094, 0.352173392),
    ("ar1h", "treatment / "): (2661.63764669, 2656.867531731, 0.335114887, 155.49104, 0.340979204),
    ("toep", ""): (2678.28096343, 2672.392975336, 0.332349452, 57.74324, 0.338332821),
    ("toep", "treatment / "): (2671.681346588, 2665.915051785, 0.344605352, 58.580748, 0.358534394),
    ("toeph", ""): (2670.339889581, 2664.919797904, 0.31604056, 74.345373, 0.324219936),
    ("toeph", "treatment / "): (2650.456921915, 2645.850276358, 0.308374303, 70.499387, 0.323314337),
    ("ad", ""): (2668.156707616, 2662.163069517, 0.373363301, 258.13802, 0.380844853),
    ("ad", "treatment / "): (None, 2660.969793431, 0.373019414, 258.14978, 0.388441677),
    ("adh", ""): (2659.437813655, 2654.210321038, 0.325647339, 123.50736, 0.333759382),
    ("adh", "treatment / "): (2645.759373169, 2641.257076604, 0.323378874, 114.91259, 0.339565966),
}
# The criterion is flat at its minimum: there it is good to rounding, and the rest to its root, about 1e-6.
CRITERION = 1e-9
REST = 3e-6
# mmrm as above, unstructured, weights 1.5 with antidepressants and 1 without: ML, REML; standard error, df.
WEIGHTED = (2662.32075882055, 2657.41659068814, 0.274074378531717, 52.006079729997204)
# nlme 3.1-162, msTol 1e-13: ML, REML. gls(correlation = corCAR1(form = ~month | subject)); lme(random = ~1 | subject,
# correlation = corAR1(form = ~k | subject)), k the number of the visit; lme(random = ~month | subject, corCAR1).
NLME = {
    "car1(month | subject)": (2692.00410577415, 2685.77871309576),
    "(1 | subject) + ar1(month | subject)": (2679.08482287292, 2673.2769259257),
    "(1 + month | subject) + car1(month | subject)": (2677.40420486917, 2671.76722444109),
}
# Its covariance parameters under REML, to the digits that they have.
NLME_GAMMA = {
    "car1(month | subject)": [116.71986, 0.8169018],
    "(1 | subject) + ar1(month | subject)": [66.2331, 53.6928, 0.365333],
}
# Verbeke & Molenberghs (2000), growth data of Potthoff & Roy, SAS PROC MIXED: -2 log-likelihood by ML.
GROWTH = {
    "occasion * sex + us(age | subject)": 416.509,
    "age * sex + us(age | subject)": 419.477,
    "age + sex + us(age | subject)": 426.153,
    "age * sex + toep(age | subject)": 424.643,
    "age * sex + ar1(age | subject)": 440.681,
    "age * sex + cs(age | subject)": 428.639,
}


@pytest.fixture(scope="module")
def blues():
    return fixture_cohort("beat_the_blues")


@pytest.mark.parametrize(("name", "by"), MMRM)
def test_criterion_standard_errors_and_df_are_those_of_mmrm(blues, designed, name, by):
    ml, reml, error, df, linear = MMRM[name, by]
    text = f"{FIXED} + {name}(month | {by}subject)"
    if ml is not None:
        assert fit_visits(designed(text, blues, "ML")).deviance == pytest.approx(ml, abs=CRITERION)
    design = designed(text, blues)
    fit = fit_visits(design)
    assert fit.deviance == pytest.approx(reml, abs=CRITERION)
    assert interaction(fit, design, "satterthwaite") == pytest.approx((error, df), rel=REST)
    assert interaction(fit, design, "kenward-roger-observed-linear") == pytest.approx((linear, df), rel=REST)


def interaction(fit, design, method):
    effects = fixed_effects(fit, design, method)
    j = design.fixed_names.index(SLOPE)
    row = np.eye(design.n_fixed)[j : j + 1] @ effects.working
    return float(np.sqrt(effects.vcov[j, j])), float(effects.degrees.of_rows(row)[0])


def test_ante_dependence_by_arm_converges_under_ml_where_mmrm_does_not(blues, designed):
    """No better than with a variance for each visit, no worse than without arms (2668.156707616, mmrm)."""
    fit = fit_visits(designed(f"{FIXED} + ad(month | treatment / subject)", blues, "ML"))
    assert fit.convergence.stop is Stop.OPTIMUM
    assert MMRM["adh", "treatment / "][0] < fit.deviance < MMRM["ad", ""][0]


def test_weights_are_those_of_mmrm(blues, designed):
    weights = 1 + 0.5 * (blues.factors["drug"].codes == blues.factors["drug"].levels.index("Yes"))
    weighted = replace(blues, numeric={**blues.numeric, "w": weights})
    ml, reml, error, df = WEIGHTED
    text = f"{FIXED} + us(month | subject)"
    assert fit_visits(designed(text, weighted, "ML", "w")).deviance == pytest.approx(ml, abs=CRITERION)
    design = designed(text, weighted, weights="w")
    fit = fit_visits(design)
    assert fit.deviance == pytest.approx(reml, abs=CRITERION)
    assert interaction(fit, design, "satterthwaite") == pytest.approx((error, df), rel=REST)


@pytest.mark.parametrize("text", NLME)
def test_criterion_is_that_of_nlme_and_never_above_it(blues, designed, text):
    for criterion, theirs in zip(("ML", "REML"), NLME[text], strict=True):
        ours = fit_visits(designed(f"{FIXED} + {text}", blues, criterion)).deviance
        assert theirs - 1e-5 < ours < theirs + CRITERION


@pytest.mark.parametrize("text", NLME_GAMMA)
def test_covariance_parameters_are_those_of_nlme(blues, designed, text):
    fit = fit_visits(designed(f"{FIXED} + {text}", blues))
    np.testing.assert_allclose(fit.gamma, NLME_GAMMA[text], rtol=1e-5)


@pytest.mark.parametrize("text", GROWTH)
def test_growth_data_have_the_published_likelihoods(designed, text):
    growth = fixture_cohort("orthodont")
    ages, codes = np.unique(growth.numeric["age"], return_inverse=True)
    occasion = Factor(codes=codes, levels=tuple(f"{age:g}" for age in ages))
    cohort = replace(growth, factors={**growth.factors, "occasion": occasion})
    deviance = fit_visits(designed(f"distance ~ {text}", cohort, "ML")).deviance
    assert deviance == pytest.approx(GROWTH[text], abs=5.0001e-4)
