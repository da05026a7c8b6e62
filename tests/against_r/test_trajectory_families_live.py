"""R's engines of every family, at given parameters and at their optima, against our own likelihood."""

from dataclasses import replace

import numpy as np
import pytest

from harness.cases import Case, Probe
from harness.cohorts.cohort import Cohort, Factor
from harness.gbtm.density import log_likelihood
from harness.gbtm.design import build_design, input_evidence
from harness.gbtm.spec import GbtmSpec
from harness.references import reference_engine

ID, WEEK = 'id"; q()', "I(week)"


def panel():
    """50 subjects in two classes, irregular times, some outcomes missing, names that are code."""
    stream = np.random.default_rng(5)
    subject = np.repeat(np.arange(50), 4)
    week = stream.uniform(0, 5, 200)
    high = (np.arange(50) % 2 == 0)[subject]
    predictor = np.where(high, 1.2 - 0.1 * week, -0.4 + 0.1 * week)
    mean = 1 / (1 + np.exp(-predictor))
    days, trials = stream.uniform(0.5, 2, 200), stream.integers(1, 5, 200).astype(float)
    score = 12 + 6 * predictor + stream.normal(0, 1, 50)[subject] + 2 * stream.standard_normal(200)
    numeric = {
        "score": score,
        "bounded": np.clip(score, 8.0, 20.0),
        "count": stream.poisson(days * np.exp(predictor)) * (stream.uniform(size=200) < 0.8),
        "any": (stream.uniform(size=200) < mean).astype(float),
        "successes": stream.binomial(trials.astype(int), mean).astype(float),
        "share": stream.beta(6 * mean, 6 * (1 - mean)),
        "days": days,
        "trials": trials,
        WEEK: week,
    }
    missing = stream.uniform(size=200) < 0.1
    for name in ("score", "bounded", "count", "any", "share"):
        numeric[name] = np.where(missing, np.nan, numeric[name])
    return Cohort(
        name="panel",
        subject=ID,
        time=WEEK,
        numeric=numeric,
        factors={ID: Factor(codes=subject, levels=tuple(f"s{k}'" for k in range(50)))},
    )


COHORT = panel()
SPEC = GbtmSpec(outcome="score", time=WEEK, subject=ID, orders=(1, 1))
COUNT = replace(SPEC, outcome="count", family="poisson", exposure="days")
ZIP = replace(COUNT, family="zip", exposure=None, zero_orders=(0, 1))
BOUNDED = replace(SPEC, outcome="bounded", family="censored_normal", limits=(8.0, 20.0))
SHARE = replace(SPEC, outcome="share", family="beta")
MODELS = {
    "lcmm, random slope": ("lcmm", replace(SPEC, random=1), (0.2, 8, 0.2, 18, -0.3, 2.1, 2.0, 0.3, 0.5)),
    "lcmm, scale by class": (
        "lcmm",
        replace(SPEC, random=1, random_covariance="diagonal", random_scale="class"),
        (0.2, 8, 0.2, 18, -0.3, 2.1, 2.0, 0.5, 1.4),
    ),
    "lcmm, ar1": ("lcmm", replace(SPEC, random=0, errors="ar1"), (0.2, 8, 0.2, 18, -0.3, 2.1, 2.0, 0.6, 1.5)),
    "lcmm, brownian": ("lcmm", replace(SPEC, errors="brownian"), (0.2, 8, 0.2, 18, -0.3, 2.1, 1.5)),
    "flexmix, exposure": ("flexmix", replace(COUNT, orders=(2, 1)), (0.2, -0.4, 0.1, 0.01, 1.1, -0.1)),
    "flexmix, trials": (
        "flexmix",
        replace(SPEC, outcome="successes", family="logit", trials="trials"),
        (0.2, -0.4, 0.1, 1.1, -0.1),
    ),
    "glm": ("glm", replace(COUNT, orders=(2,)), (0.1, 0.1, -0.02)),
    "survreg": ("survreg", replace(BOUNDED, orders=(1,)), (13, -0.2, 4.5)),
    "glmmTMB_beta": ("glmmTMB_beta", replace(SHARE, orders=(1,)), (0.2, 0.05, 3.0)),
    "trajeR, censored": ("trajeR", BOUNDED, (0.2, 8, 0.2, 18, -0.3, 2.1)),
    "trajeR, logit": ("trajeR", replace(SPEC, outcome="any", family="logit"), (0.2, -0.4, 0.1, 1.1, -0.1)),
    "trajeR, poisson": ("trajeR", replace(COUNT, exposure=None), (0.2, -0.4, 0.1, 1.1, -0.1)),
    "trajeR, zip": ("trajeR", ZIP, (0.2, -0.4, 0.1, 1.1, -0.1, -1.0, -1.5, 0.1)),
    "trajeR, beta": ("trajeR", SHARE, (0.2, -0.4, 0.1, 1.1, -0.1, 5.0, 7.0)),
}


def parametrized(models):
    return [pytest.param(*models[name], id=name, marks=pytest.mark.needs_r(models[name][0])) for name in models]


@pytest.mark.parametrize(("engine", "spec", "point"), parametrized(MODELS))
def test_the_log_likelihood_at_given_parameters_is_ours(worker, engine, spec, point):
    point = tuple(map(float, point))
    case = Case(name="panel", cohort=COHORT, spec=spec, references=())
    reading = reference_engine(engine, worker).read(case, [Probe(label="given", point=point)], start=point)
    assert reading.failure is None, reading.failure
    design = build_design(spec, COHORT)
    assert {value.label for value in reading.objective} == {"given", "optimum"}
    for value in reading.objective:
        assert value.log_likelihood == pytest.approx(log_likelihood(value.point, design), rel=1e-11)
    ours = input_evidence(design)
    assert (reading.evidence.n_observations, reading.evidence.n_subjects) == (ours.n_observations, ours.n_subjects)
    assert reading.evidence.design_sums == pytest.approx(dict(ours.design_sums), rel=1e-12)


@pytest.mark.needs_r("zeroinfl")
def test_zeroinfls_maximum_is_our_log_likelihood_there(worker):
    spec = replace(ZIP, orders=(1,), zero_orders=(1,), exposure="days")
    reading = reference_engine("zeroinfl", worker).read(Case(name="panel", cohort=COHORT, spec=spec, references=()))
    (optimum,) = reading.objective
    ours = log_likelihood(optimum.point, build_design(spec, COHORT))
    assert optimum.log_likelihood == pytest.approx(ours, rel=1e-12)


@pytest.mark.needs_r("crimCV")
def test_crimcvs_maximum_is_our_log_likelihood_there(worker):
    """On a grid of visits, because crimCV has no other times."""
    week = COHORT.numeric[WEEK].reshape(50, 4).argsort(axis=1).argsort(axis=1).ravel().astype(float)
    cohort = replace(COHORT, numeric={**COHORT.numeric, WEEK: week})
    spec = replace(ZIP, zero_orders=(0, 0), exposure="days")
    reading = reference_engine("crimCV", worker).read(Case(name="panel", cohort=cohort, spec=spec, references=()))
    (optimum,) = reading.objective
    ours = log_likelihood(optimum.point, build_design(spec, cohort))
    assert optimum.log_likelihood == pytest.approx(ours, rel=1e-10)
