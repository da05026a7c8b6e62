"""Two cases compared with their pins, and what is made of that run."""

from dataclasses import replace
from datetime import date

import pytest

from harness import runs
from harness.certification.certify import certified
from harness.certification.requirement import RequirementSet
from harness.comparison.known import KnownDifference
from harness.comparison.verdict import Attribution, Outcome
from harness.locations import fixtures_folder

CASES = ("sleepstudy__random_slope_reml", "two_rates__madrs_remission")


@pytest.fixture(scope="session")
def cases():
    return runs.read_cases(CASES)


@pytest.fixture(scope="session")
def run(cases):
    """Ours against what lme4, nlme, lmerTest, pbkrtest, clubSandwich, glmmTMB and R's prop.test are recorded to say."""
    return runs.check(cases, "harness certify", lambda _: None)


def put_through(run, engine, change):
    """Return the run with every verdict of an engine put through a function."""
    comparisons = tuple(
        replace(one, verdicts=tuple(map(change, one.verdicts))) if one.right.engine == engine else one
        for one in run.comparisons
    )
    return replace(run, comparisons=comparisons)


def judged_otherwise(run, engine, quantity, outcome, reason=""):
    """Return the run with one quantity of an engine judged otherwise."""

    def change(verdict):
        return replace(verdict, outcome=outcome, reason=reason) if verdict.quantity == quantity else verdict

    return put_through(run, engine, change)


def entry_for(engine, quantity="*", reason="Understood."):
    return KnownDifference(
        case="*",
        engine=engine,
        quantity=quantity,
        attribution=Attribution.HESSIAN,
        at_most=10.0,
        reason=reason,
        owner="somebody",
        expires=date(2999, 12, 31),
    )


@pytest.fixture(scope="session")
def altered():
    return put_through


@pytest.fixture(scope="session")
def with_outcome():
    return judged_otherwise


@pytest.fixture(scope="session")
def accepting():
    return entry_for


@pytest.fixture(scope="session")
def bundle_of(cases):
    """Return what is known after a run, by a set of requirements."""

    def of(run, *several, known=()):
        return certified(
            RequirementSet(requirements=several), run, cases=cases, fixtures=fixtures_folder(), known=tuple(known)
        )

    return of


@pytest.fixture(scope="session")
def known_difference(run):
    """The run in which lme4's sigma differs as an entry says, and the entry."""
    entry = entry_for("lme4", "sigma*")
    differing = judged_otherwise(run, "lme4", "sigma.estimate", Outcome.KNOWN, "Understood.")
    caused = tuple(
        replace(one, attribution=Attribution.HESSIAN) if one.right.engine == "lme4" else one
        for one in differing.comparisons
    )
    return replace(differing, comparisons=caused), entry
