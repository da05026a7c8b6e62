"""The same with R itself: lme4 run loosely, on fewer rows, by ML, in another coding; flexmix from a bad start."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.cases import Case, Engine
from harness.comparison.verdict import Attribution, Outcome
from harness.crosscheck import compare_engines
from harness.engines import solve
from harness.formula import parse_formula
from harness.lmm.spec import LmmSpec
from harness.locations import r_source_folder
from harness.references.live import reference_engine
from harness.references.worker import RWorker
from harness.roster import r_files
from harness.runs import read_cases

SOURCES = (*(r_source_folder() / name for name in r_files()), Path(__file__).with_name("altered.R"))


@pytest.fixture
def altered_lme4():
    """Return lme4 on an R that is altered in one way."""
    running = []

    def engine(how):
        running.append(RWorker(sources=SOURCES, environment={"ALTERED": how}, deadline=60))
        return reference_engine("lme4", running[-1])

    yield engine
    for one in running:
        one.close()


@pytest.fixture(scope="module")
def sleepstudy():
    (case,) = read_cases(["sleepstudy__random_slope_reml"])
    return replace(case, references=("lme4",))


@pytest.mark.needs_r("lme4")
@pytest.mark.parametrize(
    ("how", "attribution", "shown"),
    [
        ("killed", Attribution.ENGINE, "signal SIGKILL"),
        ("dropped row", Attribution.INPUT, "input.n_observations is 180 and 179"),
        ("single precision", Attribution.CONVERSION, "bit for bit"),
        ("loose tolerance", Attribution.NOT_CONVERGED, "standard errors from a stationary point"),
        ("dropped constant", Attribution.CONSTANT, "half of log(2 pi)"),
        ("ML for REML", Attribution.DEFINITION, "at the same parameters they differ"),
    ],
)
def test_lme4_that_goes_wrong_gets_its_cause(sleepstudy, altered_lme4, compare, assert_named, how, attribution, shown):  # noqa: PLR0917  # fixtures
    assert_named(compare(sleepstudy, altered_lme4(how)), attribution, shown)


@pytest.mark.needs_r("lme4")
def test_lme4_in_sum_coding(altered_lme4, compare, assert_named, two_arms):
    spec = LmmSpec(formula=parse_formula("y ~ t * arm + (1 + t | id)"), criterion="REML")
    case = Case(name="seeded", cohort=two_arms, spec=spec, references=("lme4",))
    comparison = compare(case, altered_lme4("sum coding"))
    assert_named(comparison, Attribution.PARAMETERISATION, "coefficients of fixed differ", "sum of fitted values")


@dataclass
class FromABadStart:
    """An engine that nobody gives more than one start."""

    live: Engine
    start: tuple
    name: str = "flexmix"

    def read(self, case, probes=(), start=None):
        return self.live.read(case, probes, self.start if start is None else start)


@pytest.mark.needs_r("flexmix")
def test_flexmix_from_a_bad_start(worker, compare, assert_named):
    """The lower optimum of orthodont, by our engine; flexmix stays there, and goes to ours from ours."""
    (case,) = read_cases(["orthodont__distance_2_classes"])
    lower = next(optimum for optimum in solve(case).result.fit.optima[1:] if optimum.is_proper)
    engine = FromABadStart(reference_engine("flexmix", worker), lower.point)
    assert_named(compare(case, engine), Attribution.LOCAL_OPTIMUM, "flexmix ended at a local optimum", "it reaches")


@pytest.mark.needs_r("lme4", "nlme")
def test_two_engines_of_r_agree_with_each_other(sleepstudy, worker):
    engines = (reference_engine(name, worker) for name in ("lme4", "nlme"))
    comparison = compare_engines(sleepstudy, *engines, solve(sleepstudy).probes())
    assert comparison.outcome is Outcome.AGREE
    assert (comparison.left.engine, comparison.right.engine) == ("lme4", "nlme")
    labels = {pair.label for pair in comparison.evidence.objectives}
    assert {"probe 1", "random point", "lme4's optimum", "nlme's optimum"} <= labels


@pytest.mark.needs_r("lme4", "nlme")
@pytest.mark.parametrize(
    ("how", "attribution"),
    [("ML for REML", Attribution.DEFINITION), ("dropped constant", Attribution.CONSTANT)],
)
def test_two_engines_of_r_get_a_cause_without_ours(sleepstudy, altered_lme4, worker, assert_named, how, attribution):  # noqa: PLR0917  # fixtures
    nlme, probes = reference_engine("nlme", worker), solve(sleepstudy).probes()
    assert_named(compare_engines(sleepstudy, nlme, altered_lme4(how), probes), attribution, "differ by")
