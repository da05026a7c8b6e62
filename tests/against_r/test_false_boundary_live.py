"""lme4's default search ends at a false boundary of `slopes_only`: shown, accepted by an entry, missed if it goes."""

from dataclasses import replace

import pytest

from harness.comparison.known import read_known, unused
from harness.comparison.verdict import Attribution, Outcome
from harness.convergence import Stop
from harness.crosscheck import References, compare_with
from harness.engines import solve
from harness.locations import fixtures_folder
from harness.references import reference_engine
from harness.runs import read_cases

pytestmark = [pytest.mark.needs_r("lme4"), pytest.mark.needs_r("nlme")]


@pytest.fixture(scope="module")
def ours():
    (case,) = read_cases(["slopes_only__random_slope_reml"])
    return solve(case)


@pytest.fixture(scope="module")
def entries():
    return tuple(
        one for one in read_known(fixtures_folder() / "known_differences.toml") if one.engine == "lme4_default"
    )


@pytest.fixture(scope="module")
def against(worker, ours):
    def compare(engine, known=()):
        return compare_with(ours, engine, References(live={engine: reference_engine(engine, worker)}), known)

    return compare


@pytest.mark.parametrize("engine", ["lme4", "nlme"])
def test_searches_that_are_looked_after_agree_with_us(against, engine):
    assert against(engine).outcome is Outcome.AGREE


def test_the_default_search_stops_on_its_own_bound_and_calls_the_fit_singular(against):
    comparison = against("lme4_default")
    assert comparison.right.convergence.stop is Stop.SINGULAR
    assert comparison.left.convergence.stop is Stop.OPTIMUM
    assert comparison.attribution is Attribution.NOT_CONVERGED
    adjudication = comparison.evidence.adjudication
    # nlme, lme4 by bobyqa and we end at 1076.117031614, lme4 by default at 1076.507742271.
    assert adjudication.gap == pytest.approx((1076.507742271 - 1076.117031614) / 2, abs=1e-6)
    assert max(abs(ruling.left_error) for ruling in adjudication.rulings) < 1e-11
    assert "harness ended 0.195 higher than lme4_default" in comparison.sentence


def test_the_entry_covers_it_and_fails_when_it_is_gone(against, entries):
    (entry,) = entries
    comparison = against("lme4_default", entries)
    assert comparison.outcome is Outcome.KNOWN
    assert not unused(entries, [comparison])
    repaired = replace(against("lme4"), right=comparison.right)
    assert unused(entries, [repaired]) == (entry,)


def test_lme4_itself_goes_on_from_the_other_side_of_its_bound(worker, ours):
    (stopped,) = (
        value.point
        for value in reference_engine("lme4_default", worker).read(ours.case).objective
        if value.label == "optimum"
    )
    assert stopped[0] == 0
    # The same covariance, but for a small variance: the column below the bound with its sign turned.
    lifted = (0.05, -stopped[1], stopped[2])
    reading = reference_engine("lme4", worker).read(ours.case, start=lifted)
    (reached,) = (value for value in reading.objective if value.label == "optimum")
    assert reached.log_likelihood == pytest.approx(-1076.117031614 / 2, abs=1e-8)
    assert ours.log_likelihood((0.0, -stopped[1], stopped[2])) == ours.log_likelihood(stopped)
