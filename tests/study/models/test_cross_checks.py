"""R's verdict beside an estimate: agreement only where R has the number, and reasons where it has not."""

from concurrent.futures import Future
from contextlib import contextmanager

import pytest

from harness.comparison.run import Skipped
from harness.comparison.verdict import Comparison, CrossEvidence, Outcome, Verdict
from harness.quantities import Failure, Kind, Reading
from harness.study import cross_check
from harness.study.continuous_time import continuous_time
from harness.study.cross_check import Asked, cross_checks
from harness.study.model_rows import model_rows, shared_visits
from harness.study.protocol_contrasts import protocol_contrasts


def verdict(path, outcome, observed=1e-9):
    return Verdict(
        quantity=path,
        kind=Kind.OPTIMUM,
        left_value=1.0,
        right_value=1.0,
        metric="standard errors",
        observed=observed,
        limit=1e-3,
        basis="",
        digits=None,
        outcome=outcome,
    )


def asked(*verdicts, failure=None):
    readings = [
        Reading(engine=name, source="live", versions={"R": "4.2.2", "nlme": "3.1"}, failure=failure)
        for name in ("harness", "nlme")
    ]
    answer = Future()
    answer.set_result(
        Comparison(
            case="x",
            left=readings[0],
            right=readings[1],
            evidence=CrossEvidence(),
            verdicts=verdicts,
            outcome=Outcome.AGREE,
            sentence="They differ.",
        )
    )
    return Asked(reference="nlme", answer=answer)


def test_an_estimate_agrees_if_all_its_quantities_do():
    found = asked(verdict("a", Outcome.AGREE, 1e-9), verdict("b", Outcome.AGREE, 2e-4)).of("a", "b")
    assert found.verdict == "agrees"
    assert found.engine == "nlme 3.1 (R 4.2.2)"
    assert found.detail == "b: 2.0e-04 standard errors, limit 1e-03"


@pytest.mark.parametrize("outcome", [Outcome.DISAGREE, Outcome.KNOWN])
def test_one_quantity_that_disagrees_is_a_disagreement(outcome):
    found = asked(verdict("a", Outcome.AGREE), verdict("b", outcome, 0.5)).of("a", "b")
    assert found.verdict == "disagrees"
    assert found.detail == "b: 5.0e-01 standard errors, limit 1e-03; They differ."


def test_a_quantity_that_r_does_not_give_is_no_agreement():
    present = verdict("a", Outcome.AGREE)
    assert asked(present).of("a", "b").verdict == "not compared"
    assert asked(present, verdict("b", Outcome.NOT_COMPARED)).of("a", "b").verdict == "not compared"
    assert asked(present).of().verdict == "not compared"


def test_a_failure_of_r_is_told():
    failure = Failure(reason="crashed", sentence="nlme took R down with it", evidence="")
    found = asked(verdict("a", Outcome.AGREE), failure=failure).of("a")
    assert (found.verdict, found.detail) == ("not compared", "nlme took R down with it")


def test_a_skipped_engine_gives_its_reason():
    answer = Future()
    answer.set_result(Skipped(case="x", reference="lcmm", reason="lcmm is not installed"))
    assert Asked(reference="lcmm", answer=answer).of("a").detail == "lcmm is not installed"


@contextmanager
def nothing_installed():
    yield {}


@contextmanager
def forbidden():
    pytest.fail("R was started")
    yield


@pytest.mark.parametrize(
    ("wanted", "session", "reason"),
    [
        (True, nothing_installed, "pbkrtest is not installed; `harness doctor` tells what to install"),
        (False, forbidden, "the study does not ask for it"),
    ],
)
def test_without_r_every_estimate_says_why(beat_the_blues, monkeypatch, wanted, session, reason):
    monkeypatch.setattr(cross_check, "live_engines", session)
    plan, data = beat_the_blues.plan, beat_the_blues.data
    with cross_checks(wanted=wanted) as checks:
        part = continuous_time(model_rows(data, plan), plan, "bdi", checks)()
    assert len(part.estimates) == 2
    assert {(each.check.verdict, each.check.detail) for each in part.estimates} == {("not compared", reason)}


@pytest.mark.needs_r("pbkrtest", "nlme")
def test_comparisons_of_protocols_agree_with_r(beat_the_blues):
    plan, data = beat_the_blues.plan, beat_the_blues.data
    rows, visits = model_rows(data, plan), shared_visits(data, plan)
    with cross_checks(wanted=True) as checks:
        part = protocol_contrasts(rows, plan, "bdi", visits, checks)()
    assert len(part.estimates) == 1 + 4 + 4
    assert {each.check.verdict for each in part.estimates} == {"agrees"}
    assert {each.check.engine.split()[0] for each in part.estimates} == {"pbkrtest", "nlme"}
