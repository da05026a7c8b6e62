"""Seeded disagreements of a trajectory model, each by a twin of our engine that goes wrong in one way."""

from dataclasses import replace

import numpy as np
import pytest

from harness.cases import Case
from harness.comparison.verdict import Attribution, Outcome
from harness.engines import OurGbtm, solve
from harness.gbtm.estimation import estimate
from harness.gbtm.result import fit_gbtm_cohort
from harness.gbtm.spec import GbtmSpec
from harness.runs import read_cases


@pytest.fixture(scope="module")
def courses(panel):
    """Return sixty subjects at six times: a third rises by 0.8, the rest falls by 0.2 each time; residual sd 1."""
    stream = np.random.default_rng(11)
    subject, t = np.repeat(np.arange(60), 6), np.tile(np.arange(6.0), 60)
    rises = subject % 3 == 0
    z = np.where(stream.random(60) < 0.3, 1.0, 0.0)[subject]
    y = np.where(rises, 1.0 + 0.8 * t, 2.0 - 0.2 * t) + stream.normal(size=360)
    return panel(id=np.array([f"s{i:02d}" for i in subject]), t=t, y=y, z=z, told=rises.astype(float))


@pytest.fixture(scope="module")
def two_optima():
    """Return a case, and the lower of its two proper optima."""
    (case,) = read_cases(["orthodont__distance_2_classes"])
    lower = next(optimum for optimum in solve(case).result.fit.optima[1:] if optimum.is_proper)
    return replace(case, references=("lcmm",)), lower


def case_of(cohort, n_classes=2, **settings):
    spec = GbtmSpec(outcome="y", time="t", subject="id", orders=(1,) * n_classes, n_starts=20, **settings)
    return Case(name="seeded", cohort=cohort, spec=spec, references=("lcmm",))


def test_permuted_classes_are_agreement(courses, compare, twin, change):
    def turned(reading):
        retold = change(reading, lambda q: q.relabelled({1: 2, 2: 1}))
        return replace(retold, covariance=None)

    comparison = compare(case_of(courses), twin("lcmm", retell=turned))
    assert (comparison.outcome, comparison.attribution) == (Outcome.AGREE, Attribution.LABELS)
    assert "class 1 of lcmm is class 2 of harness" in comparison.sentence
    assert comparison.next_step.endswith(".")


def test_a_bad_start(two_optima, compare, twin, assert_named):
    """The distances of orthodont have two optima, 4.1 apart: the twin climbs to the lower, and from ours to ours."""
    case, lower = two_optima

    def climbed(case, start):
        result = fit_gbtm_cohort(case.spec, case.cohort, lower.point if start is None else start)
        return OurGbtm(case=case, result=result, seconds=None)

    engine = twin("lcmm", fit=climbed)
    comparison = compare(case, engine)
    assert_named(comparison, Attribution.LOCAL_OPTIMUM, "lcmm ended at a local optimum", "estimates it reaches")
    ours = comparison.left.objective[-1]
    assert engine.starts == [None, ours.point]
    assert comparison.evidence.restart.log_likelihood == pytest.approx(ours.log_likelihood, abs=1e-9)


def test_our_own_bad_start_is_no_better(two_optima, compare, twin, assert_named, monkeypatch):
    """The other way round: what we report is the lower one, and we say so."""
    case, lower = two_optima
    best = solve(case)
    wrong = OurGbtm(case=case, result=fit_gbtm_cohort(case.spec, case.cohort, lower.point), seconds=None)
    engine = twin("lcmm", fit=lambda *_: best)
    monkeypatch.setitem(compare.__globals__, "solve", lambda _: wrong)
    comparison = compare(case, engine)
    assert_named(comparison, Attribution.LOCAL_OPTIMUM, "harness ended at a local optimum")


def test_log_odds_against_another_class(courses, compare, twin, assert_named):
    """As flexmix and nnet give them: against the first class, where ours are against the last."""

    def against_the_first(reading):
        ours = {q.path: q.value for q in reading.quantities if ".membership[" in q.path and "estimate" in q.path}
        first = {name: ours[f"class[1].membership[{name}].estimate"] for name in ("intercept", "z")}
        rest = tuple(q for q in reading.quantities if ".membership[" not in q.path)
        template = next(q for q in reading.quantities if ".membership[" in q.path)
        turned = tuple(
            replace(
                template,
                path=f"class[{g}].membership[{name}].estimate",
                value=ours.get(f"class[{g}].membership[{name}].estimate", 0.0) - first[name],
                standard_error=None,
                latent_class=g,
            )
            for g in (2, 3)
            for name in ("intercept", "z")
        )
        return replace(reading, quantities=(*rest, *turned), covariance=None)

    comparison = compare(case_of(courses, n_classes=3, membership="z"), twin("lcmm", retell=against_the_first))
    assert_named(comparison, Attribution.PARAMETERISATION, "against class 1")


def test_a_risk_factor_that_separates_the_classes(courses, compare, twin, assert_named, change):
    """`told` says who rises: its log-odds go to infinity, and each engine stops somewhere on the way."""

    def earlier(q):
        return replace(q, value=0.8 * q.value) if ".membership[" in q.path and "estimate" in q.path else q

    engine = twin("lcmm", retell=lambda reading: replace(change(reading, earlier), covariance=None))
    comparison = compare(case_of(courses, membership="told"), engine)
    assert_named(comparison, Attribution.BOUNDARY, "stopped at: boundary", "class[1].membership[told]", "information")


def test_errors_by_another_formula(courses, compare, twin, assert_named):
    """A sandwich where observed information is meant."""

    def robust(case, _):
        result = solve(case).result
        estimates = estimate(result.fit, result.design, "sandwich")
        return OurGbtm(case=case, result=replace(result, estimates=estimates), seconds=None)

    comparison = compare(case_of(courses), twin("lcmm", fit=robust))
    assert_named(comparison, Attribution.HESSIAN, "the method differs, not the point")
    for error in comparison.evidence.errors:
        assert error.at_left == pytest.approx(error.at_right, rel=1e-9)


def test_a_log_likelihood_of_another_family(courses, compare, twin, assert_named):
    """One sigma for each class where one for all is meant, at the same curves: not the same likelihood."""

    def of_two_sigmas(side, point):
        return side.log_likelihood((*point[:-1], 1.1 * point[-1]))

    comparison = compare(case_of(courses), twin("lcmm", objective=of_two_sigmas))
    assert_named(comparison, Attribution.DEFINITION, "at the same parameters they differ by")
