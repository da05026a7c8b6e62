"""lme4 and nlme through the worker, against exact values and against each other."""

import numpy as np
import pytest

from harness.cases import Case, Probe
from harness.cohorts import fixture_cohort
from harness.cohorts.cohort import Cohort, Factor
from harness.convergence import Stop
from harness.formula import Atom, Formula, RandomTerm, parse_formula
from harness.lmm.design import build_design, input_evidence
from harness.lmm.deviance import profiled_deviance
from harness.lmm.fit import fit
from harness.lmm.spec import LmmSpec
from harness.references import reference_engine

ENGINES = [pytest.param(name, marks=pytest.mark.needs_r(name)) for name in ("lme4", "nlme")]

# sleepstudy, reaction ~ days + (1 + days | subject): closed form, 40-digit arithmetic.
EXACT = {
    "REML": {
        "fixed[intercept].estimate": 251.405104848484848,
        "fixed[days].estimate": 10.4672859595959596,
        "fixed[intercept].standard_error": 6.824556532069072,
        "fixed[days].standard_error": 1.545788896294727,
        "random.covariance[intercept,intercept]": 612.0899386625255,
        "random.covariance[days,intercept]": 9.604333316744091,
        "random.covariance[days,days]": 35.0716604983174,
        "sigma.estimate": 25.5918156267252524,
        "mode[308,intercept].estimate": 2.25856554981900514,
        "mode[308,days].estimate": 9.19897187951519293,
    },
    "ML": {
        "fixed[intercept].standard_error": 6.632276807024505,
        "fixed[days].standard_error": 1.502236782313427,
        "random.covariance[intercept,intercept]": 565.5153668031188,
        "random.covariance[days,intercept]": 11.05542902259861,
        "random.covariance[days,days]": 32.68219718640933,
        "sigma.estimate": 25.5918156267252524,
        "mode[308,intercept].estimate": 2.81568327378340295,
        "mode[308,days].estimate": 9.07553396274276518,
    },
}
CRITERION = {"REML": 1743.62827195849076, "ML": 1751.93934446319762}
CRITERION_AT_101 = {"REML": 1773.68033061599996, "ML": 1784.64229619244713}

# Both searches work without derivatives, so that covariances are good to the root of the rounding of the criterion.
COVARIANCE_LIMIT = 5e-6


def sleepstudy(criterion="REML", text="reaction ~ days + (1 + days | subject)"):
    spec = LmmSpec(formula=parse_formula(text), criterion=criterion)
    return Case(name="sleepstudy", cohort=fixture_cohort("sleepstudy"), spec=spec, references=())


def values_of(reading):
    assert reading.failure is None, reading.failure
    return {quantity.path: quantity.value for quantity in reading.quantities}


@pytest.mark.parametrize("criterion", ["REML", "ML"])
@pytest.mark.parametrize("engine", ENGINES)
def test_sleepstudy_comes_back_with_its_exact_values(worker, engine, criterion):
    reading = reference_engine(engine, worker).read(sleepstudy(criterion))
    values = values_of(reading)
    for path, exact in EXACT[criterion].items():
        limit = COVARIANCE_LIMIT if "covariance" in path else 1e-6
        assert values[path] == pytest.approx(exact, rel=limit), path
    assert -2 * values["log_likelihood"] == pytest.approx(CRITERION[criterion], abs=1e-9)
    assert values["aic.penalty"] == pytest.approx(12, rel=1e-12)
    assert values["bic.penalty"] == pytest.approx(6 * np.log(180), rel=1e-12)
    assert reading.convergence.stop is Stop.OPTIMUM


@pytest.mark.parametrize("criterion", ["REML", "ML"])
@pytest.mark.parametrize("engine", ENGINES)
def test_the_criterion_at_given_theta_is_the_exact_one(worker, engine, criterion):
    probes = [Probe(label="off the diagonal", point=(1.1, -0.3, 0.4)), Probe(label="identity", point=(1.0, 0.0, 1.0))]
    case = sleepstudy(criterion)
    found = {value.label: value for value in reference_engine(engine, worker).read(case, probes).objective}
    assert -2 * found["identity"].log_likelihood == pytest.approx(CRITERION_AT_101[criterion], rel=1e-14)
    ours = profiled_deviance(np.array([1.1, -0.3, 0.4]), build_design(case.spec, case.cohort))
    assert -2 * found["off the diagonal"].log_likelihood == pytest.approx(ours, rel=1e-12)
    assert -2 * found["optimum"].log_likelihood == pytest.approx(CRITERION[criterion], rel=1e-12)


@pytest.mark.needs_r("lme4")
def test_conditional_variances_are_lme4s(worker):
    values = values_of(reference_engine("lme4", worker).read(sleepstudy()))
    assert values["mode[308,intercept].variance"] == pytest.approx(145.705103668990337, rel=COVARIANCE_LIMIT)
    assert values["mode[308,days].variance"] == pytest.approx(5.31227366676204151, rel=COVARIANCE_LIMIT)


@pytest.mark.needs_r("lme4", "nlme")
def test_nlme_says_that_it_has_no_conditional_variances(worker):
    lme4, nlme = (reference_engine(name, worker).read(sleepstudy()) for name in ("lme4", "nlme"))
    missing = values_of(lme4).keys() - values_of(nlme).keys()
    assert missing
    assert all(nlme.reason_not_given(path) for path in missing)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_double_bar_is_uncorrelated(worker, engine):
    case = sleepstudy("ML", "reaction ~ days + (1 + days || subject)")
    reading = reference_engine(engine, worker).read(case)
    values = values_of(reading)
    assert -2 * values["log_likelihood"] == pytest.approx(1752.00325513988292, abs=1e-9)
    assert values["random.covariance[days,intercept]"] == 0
    theta = next(value.point for value in reading.objective if value.label == "optimum")
    assert theta == pytest.approx((0.945810686052785776, 0.226928233904454063), rel=COVARIANCE_LIMIT)


@pytest.mark.parametrize("engine", ENGINES)
def test_r_counts_and_sums_what_we_count_and_sum(worker, engine):
    spec = LmmSpec(formula=parse_formula("bdi ~ month * treatment + drug + (1 | subject)"))
    cohort = fixture_cohort("beat_the_blues")
    theirs = (
        reference_engine(engine, worker)
        .read(Case(name="beat_the_blues", cohort=cohort, spec=spec, references=()))
        .evidence
    )
    ours = input_evidence(build_design(spec, cohort))
    assert (theirs.n_observations, theirs.n_subjects) == (ours.n_observations, ours.n_subjects)
    assert theirs.outcome_sum == pytest.approx(ours.outcome_sum, rel=1e-14)
    assert list(theirs.design_sums) == list(ours.design_sums)
    assert theirs.design_sums == pytest.approx(dict(ours.design_sums), rel=1e-14)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_restart_at_the_optimum_stays(worker, engine):
    start = (0.9667329518648034, 0.01516905427048469, 0.2309095947604833)
    values = values_of(reference_engine(engine, worker).read(sleepstudy(), start=start))
    assert -2 * values["log_likelihood"] == pytest.approx(CRITERION["REML"], abs=1e-9)


def hostile_cohort():
    """Names and levels that would be code, or break quoting, anywhere they were pasted into text."""
    stream = np.random.default_rng(11)
    subject = np.repeat(np.arange(12), 5)
    levels = ('a"); system("touch pwned"); ("', "b'\\", "c\nd", "e\U0001f600é`")
    return Cohort(
        name="hostile",
        subject='id"\\',
        time='I(system("touch pwned"))',
        numeric={
            "`y`; q()": stream.standard_normal(60) + stream.standard_normal(12)[subject],
            'I(system("touch pwned"))': np.tile(np.arange(5.0), 12),
        },
        factors={
            "arm'\n": Factor(codes=subject % 4, levels=levels),
            'id"\\': Factor(codes=subject, levels=tuple(f"s{k}\\\"\n'" for k in range(12))),
        },
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_no_name_or_level_is_ever_code(worker, engine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cohort = hostile_cohort()
    time, arm = (Atom(column=cohort.time),), (Atom(column="arm'\n"),)
    formula = Formula(
        outcome="`y`; q()",
        terms=(time, arm, time + arm),
        random=(RandomTerm(terms=(), grouping=(cohort.subject,)),),
    )
    reading = reference_engine(engine, worker).read(
        Case(name="hostile", cohort=cohort, spec=LmmSpec(formula=formula), references=())
    )
    values = values_of(reading)
    level = cohort.factors["arm'\n"].levels[1]
    assert f"fixed[{cohort.time}:arm'\n[{level}]].estimate" in values
    assert f"mode[{cohort.factors[cohort.subject].levels[0]},intercept].estimate" in values
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.needs_r("lme4")
def test_a_false_boundary_is_left(worker):
    """A panel without variance of the intercept, where lme4 alone ends 1.1 above the minimum, "singular"."""
    stream = np.random.default_rng(28)
    subject = np.repeat(np.arange(80), 6)
    t = np.tile(np.arange(6.0), 80)
    kept = stream.uniform(size=len(t)) < 0.8
    y = stream.standard_normal(80)[subject] * t + stream.standard_normal(len(t))
    cohort = Cohort(
        name="slopes",
        subject="id",
        time="t",
        numeric={"y": y[kept], "t": t[kept]},
        factors={"id": Factor(codes=subject[kept], levels=tuple(map(str, range(80))))},
    )
    spec = LmmSpec(formula=parse_formula("y ~ t + (1 + t | id)"))
    reading = reference_engine("lme4", worker).read(Case(name="slopes", cohort=cohort, spec=spec, references=()))
    from_identity, beyond = map(float, reading.convergence.message.split(": ")[1].split("; ")[0].split(", "))
    assert from_identity - beyond > 1
    lowest = fit(build_design(spec, cohort)).deviance
    assert -2 * values_of(reading)["log_likelihood"] == pytest.approx(lowest, abs=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_model_that_r_refuses_is_a_failure_with_its_words(worker, engine):
    cohort = fixture_cohort("sleepstudy")
    constant = Cohort(
        name="one subject",
        subject="subject",
        time="days",
        numeric=cohort.numeric,
        factors={"subject": Factor(codes=np.zeros(180, dtype=np.int64), levels=("308",))},
    )
    case = sleepstudy()
    reading = reference_engine(engine, worker).read(
        Case(name="one subject", cohort=constant, spec=case.spec, references=())
    )
    if engine == "lme4":
        assert reading.failure.reason == "refused"
        assert "grouping factors must have > 1 sampled level" in reading.failure.sentence
    else:
        assert reading.failure is not None or reading.quantities
