"""What fuzzing against flexmix found, and what is said of the cases in which flexmix has no answer."""

from dataclasses import replace

import numpy as np
import pytest

from harness.comparison.verdict import Comparison, CrossEvidence, ObjectivePair, Outcome
from harness.convergence import Stop
from harness.counterexamples.specimen import Specimen
from harness.engines import solve
from harness.fuzzing.flexmix_limits import (
    dependent_columns,
    missed_at_infinity,
    on_a_ridge,
    vanished_sigma,
    without_an_answer,
)
from harness.fuzzing.more_starts import listed_as_improper
from harness.gbtm.flexmix_rule import distance_by_its_rule, flexmix_fixed_point
from harness.quantities import Failure, Kind, Quantity, Reading


def solved(model, **numbers):
    subjects = numbers.pop("subjects")
    specimen = Specimen(
        subject="id",
        time="t",
        numbers={name: tuple(map(float, values)) for name, values in numbers.items()},
        labels={"id": tuple(subjects)},
        levels={},
        model={"kind": "gbtm", "outcome": "y", "time": "t", "subject": "id", **model},
    )
    return solve(specimen.case("fuzzed", ("flexmix",)))


def test_our_maximum_stands_where_flexmix_s_equations_lead_to_infinity():
    # Seed 9, case 53, made smaller: all equations but that of sigma vanish where membership is separated.
    model = {"orders": [0, 0], "family": "gaussian", "sigma": "shared", "membership": "a"}
    ours = solved(model, subjects=["s1", "s2", "s1"], t=[0, 1, 1], a=[-1.6, -0.1, -1.6], y=[2, 0, 1])
    reading = ours.reading(against="flexmix")
    values = {q.path: q.value for q in reading.quantities}
    assert values["log_likelihood"] == ours.reading(against="lcmm").objective[0].log_likelihood
    # By hand: s2 has a class of its own, so that sigma^2 is (1/4 + 1/4 + 0) / 3.
    assert values["log_likelihood"] == pytest.approx(-1.5 * (np.log(2 * np.pi / 6) + 1), abs=1e-6)
    assert any("no fixed point" in convention for convention in reading.conventions)


@pytest.mark.parametrize(("origin", "is_dependent"), [(0, False), (2000, True)])
def test_powers_of_time_that_r_drops_are_seen(origin, is_dependent):
    # In R: lm.wfit(cbind(1, t, t^2), y, w) of these rows gives NA for t^2 at 2000, and none at 0.
    random = np.random.default_rng(3)
    times = np.tile([0.0, 0.1, 0.2], 8) + origin
    subjects = [f"s{k // 3}" for k in range(24)]
    model = {"orders": [2], "family": "gaussian", "sigma": "shared"}
    ours = solved(model, subjects=subjects, t=times, y=random.standard_normal(24))
    assert bool(dependent_columns(ours)) == is_dependent


def log_likelihood(value):
    return Quantity(path="log_likelihood", value=value, kind=Kind.OPTIMUM)


def compared(ours, *, end=None, right=-100.0, failure=None, quantities=()):
    """Return a comparison with what flexmix is made to have said: its end and its log-likelihood there."""
    objectives = () if end is None else (ObjectivePair(label="optimum", point=end, left=right, right=right),)
    said = Reading(
        engine="flexmix", source="live", versions={}, failure=failure, quantities=(log_likelihood(right), *quantities)
    )
    left = Reading(engine="harness", source="computed", versions={}, convergence=ours.result.fit.convergence)
    return Comparison(
        case="fuzzed",
        left=left,
        right=said,
        evidence=CrossEvidence(objectives=objectives),
        verdicts=(),
        outcome=Outcome.DISAGREE,
    )


class Said:
    """flexmix, begun at ours, as it is made to answer."""

    name = "flexmix"

    def __init__(self, reading):
        self.reading = reading

    def read(self, case, probes=(), start=None):  # noqa: ARG002  # as engines are asked
        assert start is not None
        return self.reading


def refused(evidence):
    failure = Failure(reason="refused", sentence="flexmix refused the model", evidence=evidence)
    return Reading(engine="flexmix", source="live", versions={}, failure=failure)


@pytest.fixture(scope="module")
def one_course_twice():
    """Two classes where there is one: our end has equal classes."""
    y = [0.1, 0.3, -0.2, 0.0, 0.2, -0.1, 0.3, -0.3, 0.15, 0.05]
    ours = solved(
        {"orders": [0, 0], "family": "gaussian", "sigma": "shared", "n_starts": 4},
        subjects=[f"s{k // 2}" for k in range(10)],
        t=[0, 1] * 5,
        y=y,
    )
    assert ours.result.fit.best.duplicated
    return ours


@pytest.fixture(scope="module")
def all_or_nothing():
    """A binary outcome of which one class never has any, and the other one half."""
    ours = solved(
        {"orders": [0, 0], "family": "logit", "n_starts": 4},
        subjects=[f"s{k // 4}" for k in range(24)],
        t=[0, 1, 2, 3] * 6,
        y=[0, 0, 0, 0] * 3 + [1, 0, 1, 0] * 3,
    )
    assert ours.result.fit.convergence.stop is Stop.BOUNDARY
    return ours


@pytest.mark.parametrize(
    ("told", "is_limit"),
    [
        ("7 Log-likelihood: NA. At step 3 coefficients are NA in class 1, 2.", True),
        ("NA/NaN/Inf in 'x'. At step 10 a regression fails: NA/NaN/Inf in 'x'.", True),
        ("7 Log-likelihood: NA. ", False),
    ],
)
def test_a_regression_that_can_t_be_made_is_believed_where_flexmix_itself_told_of_one(all_or_nothing, told, is_limit):
    failed = compared(all_or_nothing, failure=refused("7 Log-likelihood: NA").failure)
    failed = replace(
        failed, right=replace(failed.right, failure=replace(failed.right.failure, sentence="Log-likelihood: NA"))
    )
    comparison, reason = without_an_answer(all_or_nothing, failed, Said(refused(told)))
    assert comparison is None
    assert bool(reason) == is_limit
    assert not is_limit or told.split("At step")[1].rstrip(".") in reason


def test_another_failure_of_flexmix_is_no_limit_of_it(all_or_nothing):
    failed = compared(all_or_nothing, failure=refused("object 'x' not found").failure)
    assert without_an_answer(all_or_nothing, failed, Said(refused("At step 3 a regression fails: x."))) == (None, "")


@pytest.mark.parametrize(("moved", "is_ridge"), [(0.0, True), (1e-6, False)])
def test_equal_classes_are_a_ridge_where_flexmix_comes_to_its_end_again(one_course_twice, moved, is_ridge):
    fit = one_course_twice.result.fit
    end = (*fit.point[:-1], fit.point[-1] * 1.2)  # no fixed point of its own
    found = compared(one_course_twice, end=end, right=-1.0)
    again = replace(found.right, quantities=(log_likelihood(-1.0 - moved),))
    assert bool(on_a_ridge(one_course_twice, found, again)) == is_ridge
    assert not on_a_ridge(one_course_twice, found, None)
    assert not on_a_ridge(one_course_twice, found, refused("Log-likelihood: NA"))


def test_different_classes_are_no_ridge(all_or_nothing):
    ours = solved(
        {"orders": [0, 0], "family": "gaussian", "sigma": "shared", "n_starts": 4},
        subjects=[f"s{k // 2}" for k in range(12)],
        t=[0, 1] * 6,
        y=[0.1, 0.3, -0.2, 0.0, 0.2, -0.1, 9.3, 8.7, 9.15, 9.05, 8.9, 9.2],
    )
    point = flexmix_fixed_point(ours.result.fit, ours.result.design)
    kinds = ours.result.fit.class_kinds
    # flexmix's equations hold at its fixed point and not at the maximum; those of the likelihood the other way round.
    assert distance_by_its_rule(point, ours.result.design, kinds) < 1e-8
    assert ours.distance(point) > 0.05
    assert distance_by_its_rule(ours.result.fit.point, ours.result.design, kinds) > 0.05
    again = Reading(engine="flexmix", source="live", versions={}, quantities=(log_likelihood(-1.0),))
    assert not on_a_ridge(ours, compared(ours, end=point, right=-1.0), again)
    assert not on_a_ridge(all_or_nothing, compared(all_or_nothing, end=all_or_nothing.result.fit.point), again)


@pytest.mark.parametrize(("is_warned", "far"), [(True, True), (True, False), (False, True)])
def test_an_end_at_infinity_is_missed_only_with_a_warning(all_or_nothing, monkeypatch, is_warned, far):
    monkeypatch.setattr("harness.fuzzing.flexmix_limits.is_rare", lambda _: is_warned)
    fit = all_or_nothing.result.fit
    lowest = min(range(1, 3), key=lambda k: fit.point[k])
    end = tuple(-40.0 if k == lowest and far else max(value, -5.0) for k, value in enumerate(fit.point))
    found = compared(all_or_nothing, end=end, right=all_or_nothing.log_likelihood(end))
    assert bool(missed_at_infinity(all_or_nothing, found)) == (is_warned and far)
    too_high = compared(all_or_nothing, end=end, right=fit.log_likelihood + 0.01)
    assert not missed_at_infinity(all_or_nothing, too_high)


@pytest.mark.parametrize(("sigma", "vanishes"), [(1e-9, True), (0.01, False)])
def test_a_sigma_vanishes_beside_the_spread_of_the_outcome(one_course_twice, sigma, vanishes):
    sigmas = (Quantity(path="class[1].sigma.estimate", value=sigma, kind=Kind.OPTIMUM),)
    assert bool(vanished_sigma(one_course_twice, compared(one_course_twice, quantities=sigmas))) == vanishes


def test_an_end_that_our_search_passed_over_is_told(one_course_twice):
    ours, fit = one_course_twice, one_course_twice.result.fit
    # As if there had been a proper end below the improper one.
    passed_over = replace(fit, optima=(fit.best, replace(fit.best, duplicated=())), chosen=1)
    other = replace(ours, result=replace(ours.result, fit=passed_over))
    found = compared(ours, end=fit.point, right=fit.log_likelihood)
    assert f"{fit.best.count} of our starts" in listed_as_improper(other, found)
    assert not listed_as_improper(ours, found)  # which reports it
    assert not listed_as_improper(other, compared(ours, end=fit.point, right=fit.log_likelihood + 0.01))
