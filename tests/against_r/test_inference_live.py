"""The engines for inference and residual structures through the worker, against exact values and theorems."""

from dataclasses import replace

import numpy as np
import pytest

from harness.cases import Case
from harness.cohorts import fixture_cohort
from harness.cohorts.cohort import Factor
from harness.cohorts.subset import keep_levels
from harness.formula import parse_formula
from harness.lmm.design import build_design, input_evidence
from harness.lmm.spec import LmmSpec
from harness.references import reference_engine

VISITS = {"visit": ["inf1", "inf2", "inf3", "inf4"]}


def case_of(name, formula, criterion="REML", keep=None, weights=None):
    spec = LmmSpec(formula=parse_formula(formula), criterion=criterion, weights=weights)
    return Case(name=name, cohort=keep_levels(fixture_cohort(name), keep or {}), spec=spec, references=())


def reading_of(worker, engine, case):
    reading = reference_engine(engine, worker).read(case)
    assert reading.failure is None, reading.failure
    return reading


def values_of(worker, engine, case):
    return {quantity.path: quantity.value for quantity in reading_of(worker, engine, case).quantities}


SLEEP = case_of("sleepstudy", "reaction ~ days + (1 + days | subject)")


@pytest.mark.needs_r("lmerTest")
def test_sleepstudy_has_seventeen_degrees_of_freedom(worker):
    """Closed form of a balanced design: the coefficients of 18 subjects are 18 independent draws."""
    values = values_of(worker, "lmerTest", SLEEP)
    for name in ("fixed[intercept].df", "fixed[days].df", "type1[days].df2", "type2[days].df2", "type3[days].df2"):
        assert values[f"satterthwaite.{name}"] == pytest.approx(17, rel=1e-6), name
    t = values["satterthwaite.fixed[days].statistic"]
    assert values["satterthwaite.type3[days].statistic"] == pytest.approx(t**2, rel=1e-9)


@pytest.mark.needs_r("pbkrtest")
def test_kenward_and_roger_leave_a_balanced_design_as_it_is(worker):
    values = values_of(worker, "pbkrtest", SLEEP)
    for name in ("intercept", "days"):
        plain = values[f"fixed[{name}].standard_error"]
        assert values[f"kenward-roger.fixed[{name}].standard_error"] == pytest.approx(plain, rel=1e-6)
        assert values[f"kenward-roger.fixed[{name}].df"] == pytest.approx(17, rel=1e-6)
    assert values["kenward-roger.term[days].scaling"] == pytest.approx(1, abs=1e-9)


@pytest.mark.needs_r("emmeans", "lmerTest", "pbkrtest")
def test_means_of_a_balanced_design_are_averages(worker):
    case = case_of("orthodont", "distance ~ age * sex + (1 + age | subject)")
    values = values_of(worker, "emmeans", case)
    cohort = case.cohort
    for code, sex in enumerate(cohort.factors["sex"].levels):
        average = cohort.numeric["distance"][cohort.factors["sex"].codes == code].mean()
        assert values[f"satterthwaite.means[{sex}].estimate"] == pytest.approx(average, rel=1e-12)
        assert values[f"kenward-roger.means[{sex}].df"] == pytest.approx(25, rel=1e-5)  # 27 children in two groups


@pytest.mark.needs_r("emmeans", "lmerTest", "pbkrtest")
def test_a_mean_over_an_empty_cell_is_not_estimable(worker):
    case = case_of("ketamine_real", "madrs ~ visit * protocol + (1 | subject)")
    values = values_of(worker, "emmeans", case)
    assert values["satterthwaite.means[inf4,four].estimable"] is True
    assert values["satterthwaite.means[inf5,four].estimable"] is False
    assert "satterthwaite.means[inf5,four].estimate" not in values


# Closed forms and 40-digit arithmetic of published data: Pinheiro & Bates (2000), Davies & Goldsmith (1972).
EXACT_CRITERIA = [
    ("machines", "score ~ machine + (1 | worker)", "REML", 286.878201977718867),
    ("machines", "score ~ machine + (1 | worker / machine)", "REML", 215.687568008220518),
    ("machines", "score ~ machine + (0 + machine | worker)", "REML", 208.311218316418382),
    ("penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", "ML", 332.188348668500663),
    ("penicillin", "diameter ~ 1 + (1 | sample) + (1 | plate)", "REML", 330.860588991086454),
]


@pytest.mark.needs_r("lme4")
@pytest.mark.parametrize(("name", "formula", "criterion", "exact"), EXACT_CRITERIA)
def test_nested_and_crossed_factors_have_their_exact_criterion(worker, name, formula, criterion, exact):
    values = values_of(worker, "lme4", case_of(name, formula, criterion))
    assert -2 * values["log_likelihood"] == pytest.approx(exact, abs=1e-9)


@pytest.mark.needs_r("lme4")
def test_theta_comes_in_the_order_of_the_formula(worker):
    """lme4 sorts its terms by numbers of levels, 24 plates before 6 samples; ours stay as they are written."""
    optima = []
    for formula in ("diameter ~ 1 + (1 | plate) + (1 | sample)", "diameter ~ 1 + (1 | sample) + (1 | plate)"):
        reading = reading_of(worker, "lme4", case_of("penicillin", formula, "ML"))
        optima.append(next(value.point for value in reading.objective if value.label == "optimum"))
    # 40-digit arithmetic: plates 1.5376, samples 3.2198.
    assert optima[0] == pytest.approx((1.53759353477208712, 3.21975379980421142), rel=5e-6)
    assert optima[1] == pytest.approx(optima[0][::-1], rel=5e-6)


@pytest.mark.needs_r("nlme")
def test_nlme_nests_factors_too(worker):
    values = values_of(worker, "nlme", case_of("machines", "score ~ machine + (1 | worker / machine)"))
    assert -2 * values["log_likelihood"] == pytest.approx(215.687568008220518, abs=1e-8)
    assert values["random.covariance[worker;intercept,intercept]"] == pytest.approx(4.78105055865804921**2, rel=1e-5)
    assert "mode[worker:machine;1:A,intercept].estimate" in values


@pytest.mark.needs_r("nlme", "lme4")
@pytest.mark.parametrize("criterion", ["REML", "ML"])
def test_compound_symmetry_is_a_random_intercept(worker, criterion):
    """The two models are one as long as visits are positively correlated."""
    structured = case_of("orthodont", "distance ~ age * sex + cs(age | subject)", criterion)
    with_intercept = case_of("orthodont", "distance ~ age * sex + (1 | subject)", criterion)
    theirs, ours = values_of(worker, "nlme", structured), values_of(worker, "lme4", with_intercept)
    assert theirs["log_likelihood"] == pytest.approx(ours["log_likelihood"], abs=1e-9)
    assert theirs["residual[covariance].estimate"] == pytest.approx(
        ours["random.covariance[intercept,intercept]"], rel=1e-5
    )
    for name in ("intercept", "age", "sex[Female]", "age:sex[Female]"):
        path = f"fixed[{name}].standard_error"
        assert theirs[path] == pytest.approx(ours[path], rel=1e-6)


@pytest.mark.needs_r("nlme", "mmrm")
@pytest.mark.parametrize("structure", ["us", "csh", "ar1", "ar1h", "toep", "toeph"])
def test_nlme_and_mmrm_reach_one_criterion(worker, structure):
    case = case_of("orthodont", f"distance ~ age * sex + {structure}(age | subject)")
    nlme, mmrm = values_of(worker, "nlme", case), values_of(worker, "mmrm", case)
    assert nlme["log_likelihood"] == pytest.approx(mmrm["log_likelihood"], abs=1e-6)
    assert nlme["bic.penalty"] == pytest.approx(mmrm["bic.penalty"], rel=1e-12)


@pytest.mark.needs_r("glmmTMB", "nlme")
@pytest.mark.parametrize("formula", ["us(age | subject)", "ar1(age | subject)", "car1(age | subject)"])
def test_glmmtmb_reaches_nlmes_criterion(worker, formula):
    case = case_of("orthodont", f"distance ~ age * sex + {formula}", "ML")
    nlme, other = values_of(worker, "nlme", case), values_of(worker, "glmmTMB", case)
    assert other["log_likelihood"] == pytest.approx(nlme["log_likelihood"], abs=1e-6)


EVERY_COLUMN = [
    "madrs ~ C(visit, sum) * protocol + poly(week, 2) + ns(age, 3) + log1p(day) + (1 | subject)",
    "madrs ~ C(visit, helmert) + C(protocol, treatment) + sqrt(day) + week^3 + (1 | subject)",
    "madrs ~ 0 + C(visit, poly) + sex:week + (0 + week | subject)",
    "madrs ~ visit * protocol * sex + (1 | subject)",
]


@pytest.mark.needs_r("lme4")
@pytest.mark.parametrize("formula", EVERY_COLUMN)
def test_r_builds_the_columns_that_we_build(worker, formula):
    """Names, and sums to rounding: codings, bases, functions, and the same columns dropped as dependent."""
    case = case_of("ketamine_real", formula)
    theirs = reading_of(worker, "lme4", case).evidence
    ours = input_evidence(build_design(case.spec, case.cohort))
    assert list(theirs.design_sums) == list(ours.design_sums)
    scale = max(1.0, *map(abs, ours.design_sums.values()))
    for name, total in ours.design_sums.items():
        assert theirs.design_sums[name] == pytest.approx(total, rel=1e-12, abs=1e-12 * scale), name


@pytest.mark.needs_r("lme4", "nlme")
@pytest.mark.parametrize("engine", ["lme4", "nlme"])
def test_weights_are_precisions(worker, engine):
    """Equal weights of 4 are another sigma: twice as large, and the same model."""
    case = case_of("orthodont", "distance ~ age * sex + (1 | subject)", "ML")
    cohort = replace(case.cohort, numeric={**case.cohort.numeric, "w": np.full(case.cohort.n_rows, 4.0)})
    plain = values_of(worker, engine, case)
    weighted = values_of(worker, engine, replace(case, cohort=cohort, spec=replace(case.spec, weights="w")))
    assert weighted["log_likelihood"] == pytest.approx(plain["log_likelihood"], abs=1e-9)
    assert weighted["sigma.estimate"] == pytest.approx(2 * plain["sigma.estimate"], rel=1e-6)


@pytest.mark.needs_r("lme4")
def test_levels_that_no_complete_row_has_are_no_levels(worker):
    cohort = fixture_cohort("orthodont")
    codes = cohort.factors["sex"].codes
    sex = Factor(codes=np.where(codes == 0, 0, 2), levels=("Male", "Other", "Female"))
    case = case_of("orthodont", "distance ~ C(sex, sum) + (1 | subject)")
    case = replace(case, cohort=replace(cohort, factors={**cohort.factors, "sex": sex}))
    assert "fixed[C(sex, sum)[Male]].estimate" in values_of(worker, "lme4", case)


@pytest.mark.needs_r("lme4")
def test_profiles_are_those_of_the_ml_fit(worker):
    """Whatever the criterion asked for."""
    ends = [
        values_of(worker, "lme4_profile", case_of("orthodont", "distance ~ age * sex + (1 | subject)", criterion))
        for criterion in ("ML", "REML")
    ]
    path = "profile[random.sd[intercept]].upper"
    assert ends[0][path] == pytest.approx(ends[1][path], rel=1e-6)
