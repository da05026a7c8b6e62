"""lcmm and flexmix through the worker, against our own likelihood and against each other."""

import numpy as np
import pytest

from harness.cases import Case, Probe
from harness.cohorts.cohort import Cohort, Factor
from harness.convergence import Stop
from harness.gbtm.density import log_likelihood
from harness.gbtm.design import build_design, input_evidence
from harness.gbtm.spec import GbtmSpec
from harness.references import reference_engine

ENGINES = [pytest.param(name, marks=pytest.mark.needs_r(name)) for name in ("lcmm", "flexmix")]


def panel():
    """40 subjects in two classes, irregular times, some outcomes missing, subjects in no order."""
    stream = np.random.default_rng(21)
    subject = stream.permutation(np.repeat(np.arange(40), 4))
    week = stream.uniform(0, 6, len(subject))
    high = (np.arange(40) % 3 == 0)[subject]
    y = np.where(high, 25 - 0.5 * week, 12 - 2.0 * week + 0.2 * week**2) + 2 * stream.standard_normal(len(subject))
    y[stream.uniform(size=len(y)) < 0.1] = np.nan
    return Cohort(
        name="panel",
        subject='id"; q()',
        time="I(week)",
        numeric={'system("touch pwned")': y, "I(week)": week},
        factors={'id"; q()': Factor(codes=subject, levels=tuple(f"s{k}\\'\"" for k in range(40)))},
    )


def case_of(orders, sigma="shared"):
    cohort = panel()
    spec = GbtmSpec(outcome='system("touch pwned")', time="I(week)", subject='id"; q()', orders=orders, sigma=sigma)
    return Case(name="panel", cohort=cohort, spec=spec, references=())


PROBES = {
    (1, 1): (0.3, 11.0, -1.0, 24.0, -0.4, 2.5),
    (2, 1): (0.3, 11.0, -1.5, 0.1, 24.0, -0.4, 2.5),
    (0, 2): (-0.6, 24.0, 11.0, -1.5, 0.1, 2.5),
    (1,): (15.0, -1.0, 7.0),
}


@pytest.mark.parametrize("orders", PROBES)
@pytest.mark.parametrize("engine", ENGINES)
def test_the_log_likelihood_at_given_parameters_is_ours(worker, engine, orders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    case = case_of(orders)
    reading = reference_engine(engine, worker).read(
        case, [Probe(label="given", point=PROBES[orders])], start=PROBES[orders]
    )
    assert reading.failure is None, reading.failure
    design = build_design(case.spec, case.cohort)
    assert {value.label for value in reading.objective} == {"given", "optimum"}
    for value in reading.objective:
        assert value.log_likelihood == pytest.approx(log_likelihood(value.point, design), rel=1e-12)
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("engine", ENGINES)
def test_r_counts_and_sums_what_we_count_and_sum(worker, engine):
    case = case_of((2, 1))
    theirs = reference_engine(engine, worker).read(case, start=PROBES[2, 1]).evidence
    ours = input_evidence(build_design(case.spec, case.cohort))
    assert (theirs.n_observations, theirs.n_subjects) == (ours.n_observations, ours.n_subjects)
    assert theirs.outcome_sum == pytest.approx(ours.outcome_sum, rel=1e-13)
    assert theirs.design_sums == pytest.approx(dict(ours.design_sums), rel=1e-13)


@pytest.mark.needs_r("flexmix")
def test_sigma_per_class_has_flexmixs_likelihood(worker):
    point = (0.3, 11.0, -1.0, 24.0, -0.4, 2.5, 1.5)
    case = case_of((1, 1), "class")
    reading = reference_engine("flexmix", worker).read(case, [Probe(label="given", point=point)], start=point)
    design = build_design(case.spec, case.cohort)
    assert len(reading.objective) == 2
    for value in reading.objective:
        assert value.log_likelihood == pytest.approx(log_likelihood(value.point, design), rel=1e-12)


@pytest.mark.needs_r("lcmm")
def test_lcmm_evaluates_sigma_per_class_only_where_they_are_equal(worker):
    case = case_of((1, 1), "class")
    probes = [
        Probe(label="equal", point=(0.3, 11.0, -1.0, 24.0, -0.4, 2.5, 2.5)),
        Probe(label="unequal", point=(0.3, 11.0, -1.0, 24.0, -0.4, 2.5, 1.5)),
    ]
    reading = reference_engine("lcmm", worker).read(case, probes)
    assert [value.label for value in reading.objective] == ["equal"]
    assert reading.quantities == ()
    assert reading.reason_not_given("class[1].share.estimate")
    ours = log_likelihood(probes[0].point, build_design(case.spec, case.cohort))
    assert reading.objective[0].log_likelihood == pytest.approx(ours, rel=1e-12)


@pytest.mark.needs_r("flexmix")
@pytest.mark.parametrize("sigma", ["shared", "class"])
def test_flexmix_ends_where_its_own_rule_for_sigma_holds(worker, sigma):
    """At its end: sigma^2 = sum w r^2 / (n - p_1 / K) if shared, n / (n - p_g) times the weighted mean if not."""
    case = case_of((1, 1), sigma)
    reading = reference_engine("flexmix", worker).read(case)
    values = {quantity.path: quantity.value for quantity in reading.quantities}
    cohort = case.cohort
    outcome, week = (cohort.numeric[name] for name in (case.spec.outcome, case.spec.time))
    subject = cohort.factors[case.spec.subject]
    seen = ~np.isnan(outcome)
    squares, weights = [], []
    for g in (1, 2):
        slope, constant = (values[f"class[{g}].beta[{name}].estimate"] for name in ("I(week)", "intercept"))
        members = np.array([values[f"class[{g}].posterior[{label}]"] for label in subject.levels])
        w = members[subject.codes[seen]]
        squares.append(np.sum(w * (outcome[seen] - constant - slope * week[seen]) ** 2))
        weights.append(w.sum())
    n = seen.sum()
    # EM stops at a relative change of 1e-14 in the log-likelihood, hence about 1e-7 in the parameters.
    if sigma == "shared":
        assert values["sigma.estimate"] ** 2 == pytest.approx(sum(squares) / (n - 2 / 2), rel=1e-6)
    else:
        for g in (1, 2):
            rule = squares[g - 1] / weights[g - 1] * n / (n - 2)
            assert values[f"class[{g}].sigma.estimate"] ** 2 == pytest.approx(rule, rel=1e-6)


@pytest.mark.needs_r("lcmm", "flexmix")
def test_lcmm_ends_at_the_maximum_and_flexmix_a_little_below(worker):
    case = case_of((2, 1))
    lcmm, flexmix = (reference_engine(name, worker).read(case) for name in ("lcmm", "flexmix"))
    assert lcmm.convergence.stop is Stop.OPTIMUM
    assert lcmm.convergence.distance < 1e-3
    top, below = (
        next(q.value for q in reading.quantities if q.path == "log_likelihood") for reading in (lcmm, flexmix)
    )
    assert 0 < top - below < 0.02


@pytest.mark.needs_r("lcmm")
def test_lcmms_standard_errors_are_those_of_the_observed_information(worker):
    """Judged by second differences of our own log-likelihood at lcmm's optimum, for shared sigma and equal orders."""
    case = case_of((1, 1))
    reading = reference_engine("lcmm", worker).read(case)
    point = np.array(next(value.point for value in reading.objective if value.label == "optimum"))
    design = build_design(case.spec, case.cohort)
    steps = 1e-3 * np.maximum(1, np.abs(point))
    size = len(point)
    information = np.zeros((size, size))
    for a in range(size):
        for b in range(size):
            corners = 0.0
            for sign_a in (1, -1):
                for sign_b in (1, -1):
                    moved = point.copy()
                    moved[a] += sign_a * steps[a]
                    moved[b] += sign_b * steps[b]
                    corners += sign_a * sign_b * log_likelihood(tuple(moved), design)
            information[a, b] = -corners / (4 * steps[a] * steps[b])
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    values = {quantity.path: quantity.value for quantity in reading.quantities}
    names = [f"class[{g}].beta[{name}].standard_error" for g in (1, 2) for name in ("intercept", "I(week)")]
    found = [values[name] for name in (*names, "sigma.standard_error")]
    # lcmm's Hessian is by forward differences: up to 5e-4 relative.
    assert found == pytest.approx(errors[1:], rel=1e-3)
