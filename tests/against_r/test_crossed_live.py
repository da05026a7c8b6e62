"""Crossed and nested factors, unbalanced and with slopes, against lme4 at the same theta and at the optimum."""

import numpy as np
import pytest

from harness.cases import Case, Probe
from harness.cohorts import fixture_cohort
from harness.cohorts.cohort import Cohort, Factor
from harness.comparison.verdict import Outcome
from harness.crosscheck import References, compare_with
from harness.engines import solve
from harness.formula import parse_formula
from harness.lmm.crossed.fit import profiled_deviance
from harness.lmm.design import build_design
from harness.lmm.spec import LmmSpec
from harness.quantities import Kind
from harness.references import reference_engine
from harness.reports.explanation import render

pytestmark = pytest.mark.needs_r("lme4")

MODELS = {
    "crossed, slopes in one": ("y ~ t * u + (1 + t | a) + (1 | b)", "REML", "w"),
    "crossed, fewer levels first": ("y ~ t + (1 + u | b) + (1 | a)", "ML", None),
    "nested": ("y ~ t + (1 + t | a) + (1 | a:b)", "REML", None),
    "uncorrelated": ("y ~ t + (1 + t || a) + (1 | b)", "REML", None),
}


@pytest.fixture(scope="module")
def panel():
    stream = np.random.default_rng(12)
    n, levels = 400, (40, 9)
    a, b = (np.append(np.arange(m), stream.integers(0, m, n - m)) for m in levels)
    stream.shuffle(b)
    t, u = stream.normal(size=(2, n))
    y = 50 + t + stream.normal(size=40)[a] * 1.5 + stream.normal(size=40)[a] * t + stream.normal(size=9)[b] * 2
    return Cohort(
        name="panel",
        subject="a",
        time=None,
        numeric={"y": y + stream.normal(size=n), "t": t, "u": u, "w": stream.uniform(0.5, 2, n)},
        factors={
            name: Factor(codes=codes, levels=tuple(f"{name}{k}" for k in range(m)))
            for name, codes, m in (("a", a, 40), ("b", b, 9))
        },
    )


@pytest.fixture(params=MODELS.values(), ids=MODELS)
def case(request, panel):
    formula, criterion, weights = request.param
    spec = LmmSpec(formula=parse_formula(formula), criterion=criterion, weights=weights)
    return Case(name="panel", cohort=panel, spec=spec, references=("lme4",))


def test_the_criterion_at_any_theta_is_that_of_lme4(worker, case):
    design = build_design(case.spec, case.cohort)
    stream = np.random.default_rng(3)
    size = sum(q * (q + 1) // 2 for term in design.random for q in term.blocks)
    points = [stream.uniform(0.2, 1.5, size) for _ in range(4)]
    probes = [Probe(label=str(k), point=tuple(point.tolist())) for k, point in enumerate(points)]
    reading = reference_engine("lme4", worker).read(case, probes)
    assert reading.failure is None, reading.failure
    values = {value.label: value.log_likelihood for value in reading.objective}
    for k, point in enumerate(points):
        assert -2 * values[str(k)] == pytest.approx(profiled_deviance(point, design), rel=1e-12)


def test_every_quantity_agrees_with_lme4(worker, case):
    comparison = compare_with(solve(case), "lme4", References(live={"lme4": reference_engine("lme4", worker)}))
    assert comparison.outcome is Outcome.AGREE, render(comparison)
    gap = comparison.left.objective[0].log_likelihood - next(
        value.log_likelihood for value in comparison.right.objective if value.label == "optimum"
    )
    # Never below lme4; above it by no more than a search without derivatives leaves.
    assert -1e-9 < gap < 1e-7


@pytest.mark.parametrize(
    ("cohort", "formula"),
    [
        ("penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
        ("machines", "score ~ machine + (1 | worker/machine)"),
        ("machines", "score ~ machine + (0 + machine | worker)"),
    ],
)
@pytest.mark.parametrize("criterion", ["ML", "REML"])
def test_published_designs_agree_with_lme4(worker, cohort, formula, criterion):
    spec = LmmSpec(formula=parse_formula(formula), criterion=criterion)
    case = Case(name=cohort, cohort=fixture_cohort(cohort), spec=spec, references=("lme4",))
    comparison = compare_with(solve(case), "lme4", References(live={"lme4": reference_engine("lme4", worker)}))
    objectives = [verdict for verdict in comparison.verdicts if verdict.kind is Kind.OBJECTIVE]
    assert len(objectives) >= 4
    assert all(verdict.outcome is Outcome.AGREE for verdict in objectives)
    # With six parameters lme4's search ends so far from the optimum that correlations differ by 1e-6.
    assert comparison.distance < 1e-5, render(comparison)


@pytest.mark.needs_r("lmerTest")
@pytest.mark.needs_r("pbkrtest")
@pytest.mark.parametrize("engine", ["lmerTest", "pbkrtest"])
def test_degrees_of_freedom_of_an_unbalanced_crossed_design_are_those_of_r(worker, panel, engine):
    formula = parse_formula("y ~ t + u + (1 + t | a) + (1 | b)")
    few = {name: values[:160] for name, values in panel.numeric.items()}
    factors = {name: Factor(codes=one.codes[:160], levels=one.levels) for name, one in panel.factors.items()}
    cohort = Cohort(name="panel", subject="a", time=None, numeric=few, factors=factors)
    case = Case(name="panel", cohort=cohort, spec=LmmSpec(formula=formula), references=(engine,))
    comparison = compare_with(solve(case), engine, References(live={engine: reference_engine(engine, worker)}))
    assert comparison.outcome is Outcome.AGREE, render(comparison)
    assert any(verdict.quantity.endswith(".df") for verdict in comparison.verdicts)
