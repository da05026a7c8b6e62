"""Pairs of engines of which neither is ours, and entries of known_differences.toml for another cause."""

from dataclasses import replace
from datetime import date

import pytest

from harness.comparison.known import KnownDifference, unused
from harness.comparison.verdict import Attribution, Outcome
from harness.convergence import Convergence, Stop
from harness.crosscheck import References, compare_engines, compare_with
from harness.engines import solve
from harness.runs import read_cases


@pytest.fixture(scope="module")
def sleepstudy():
    (case,) = read_cases(["sleepstudy__random_slope_reml"])
    return replace(case, references=("lme4",))


def as_ml(case):
    return replace(case, spec=replace(case.spec, criterion="ML"))


def test_two_engines_that_say_the_same_agree(sleepstudy, twin):
    comparison = compare_engines(sleepstudy, twin("lme4"), twin("nlme"), solve(sleepstudy).probes())
    assert comparison.outcome is Outcome.AGREE
    # At four probes, at ours, and at the optimum of each.
    assert len(comparison.evidence.objectives) >= 6


def test_two_engines_of_different_criteria(sleepstudy, twin, assert_named):
    comparison = compare_engines(sleepstudy, twin("lme4"), twin("nlme", alter=as_ml), solve(sleepstudy).probes())
    assert_named(comparison, Attribution.DEFINITION, "at the same parameters they differ by")


def test_an_engine_that_stopped_early_is_told_by_its_own_gradient(sleepstudy, twin, stop_after, assert_named):
    """Nobody else's gradient is there: lme4 prints its own, 0.6 standard errors by finite differences."""

    def told(reading):
        return replace(reading, convergence=Convergence(stop=Stop.OPTIMUM, distance=0.6))

    early = twin("lme4", fit=lambda case, _: stop_after(case, (0.5, 0.1, 0.3), limit=0), retell=told)
    comparison = compare_engines(sleepstudy, early, twin("nlme"), solve(sleepstudy).probes())
    assert_named(comparison, Attribution.NOT_CONVERGED, "lme4 stopped 0.6 standard errors from a stationary point")


def test_the_one_of_two_that_ended_lower_is_started_again(twin, assert_named):
    (case,) = read_cases(["orthodont__distance_2_classes"])
    lower = next(optimum for optimum in solve(case).result.fit.optima[1:] if optimum.is_proper)

    def climbed(case, start):
        return twin.__dataclass_fields__["fit"].default(case, lower.point if start is None else start)

    badly_started = twin("lcmm", fit=climbed)
    comparison = compare_engines(case, badly_started, twin("trajeR"), solve(case).probes())
    assert_named(comparison, Attribution.LOCAL_OPTIMUM, "lcmm ended at a local optimum", "it reaches")
    assert badly_started.starts[-1] == comparison.right.objective[-1].point


@pytest.mark.parametrize("attribution", [Attribution.DEFINITION, Attribution.HESSIAN, Attribution.FLAT])
def test_an_entry_for_another_cause_accepts_nothing_and_is_reported(sleepstudy, twin, attribution):
    """ML for REML is `definition`: an entry that calls it anything else fails twice, as a difference and as unused."""
    entry = KnownDifference(
        case="sleepstudy__*",
        engine="lme4",
        quantity="*",
        attribution=attribution,
        at_most=1e12,
        reason="Seeded.",
        owner="tests",
        expires=date(2999, 12, 31),
    )
    engine = twin(alter=as_ml)
    comparison = compare_with(solve(sleepstudy), "lme4", References(live={"lme4": engine}), [entry])
    right = attribution is Attribution.DEFINITION
    assert comparison.outcome is (Outcome.KNOWN if right else Outcome.DISAGREE)
    assert unused([entry], [comparison]) == (() if right else (entry,))
