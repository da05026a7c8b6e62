"""Runs of one comparison, as near to its limit as a test says."""

import pytest

from harness.comparison.run import Run
from harness.comparison.verdict import Comparison, CrossEvidence, Outcome, Verdict
from harness.quantities import InputEvidence, Kind, Reading

DAYS = "fixed[days].estimate"
ERROR = "fixed[days].standard_error"
LIMIT = 1e-6


def verdict(quantity=ERROR, share=0.1, **changes):
    given = {
        "quantity": quantity,
        "kind": Kind.CURVATURE,
        "left_value": 1.5,
        "right_value": 1.5,
        "metric": "relative difference of standard errors",
        "observed": share * LIMIT,
        "limit": LIMIT,
        "basis": "a test",
        "digits": 7.0,
        "outcome": Outcome.AGREE if share <= 1 else Outcome.DISAGREE,
    }
    return Verdict(**{**given, **changes})


def reading(engine, versions, source="live", n_observations=180):
    evidence = InputEvidence(n_observations=n_observations, n_subjects=18, outcome_sum=5.0, design_sums={"days": 810.0})
    return Reading(engine=engine, source=source, versions=versions, evidence=evidence, seconds=0.5)


def run_of(*verdicts, case="sleepstudy", engine="lme4", lme4="1.1-31", started="2026-01-01T00:00:00", **given):
    n_observations = given.pop("n_observations", 180)
    comparison = Comparison(
        case=case,
        left=reading("harness", {"numpy": "2.4.1"}, "computed", n_observations),
        right=reading(engine, {engine: lme4, "R": "4.2.2"}, given.pop("source", "live")),
        evidence=CrossEvidence(),
        verdicts=verdicts,
        outcome=max((v.outcome for v in verdicts), key=list(Outcome).index, default=Outcome.NOT_COMPARED),
        distance=3e-7,
    )
    return Run(
        command="harness compare", started=started, seconds=1.0, environment={"python": "3"}, comparisons=(comparison,)
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.sqlite"
