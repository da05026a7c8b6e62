"""What is varied: our starts, seeds, algorithms and BLAS, R's starts and optimisers; and the command that does it."""

from dataclasses import replace

import pytest

from harness import cli, runs
from harness.comparison.judge import judge
from harness.comparison.verdict import CrossEvidence, Outcome
from harness.crosscheck import References
from harness.engines import solve
from harness.envelope import measure as measuring
from harness.envelope.measure import measure
from harness.envelope.platforms import PLATFORMS, linear_algebra, read_on
from harness.envelope.references import again
from harness.envelope.variations import variations
from harness.quantities import Failure

MIXED = "sleepstudy__random_slope_reml"
TRAJECTORIES = "orthodont__distance_2_classes"
RATES = "two_rates__alike"


def case_of(name, *references):
    (case,) = runs.read_cases([name])
    return replace(case, references=references or case.references)


def agrees(case, one, other):
    return judge(case.name, one, other, CrossEvidence()).outcome is Outcome.AGREE


@pytest.mark.parametrize(
    ("name", "ways"),
    [
        (MIXED, ["start 0.8 times the optimum", "start 1.25 times the optimum", "the engine for crossed factors"]),
        ("penicillin__crossed_reml", ["start 0.8 times the optimum", "start 1.25 times the optimum"]),
        (TRAJECTORIES, ["another seed"]),
        (RATES, []),
    ],
)
def test_a_fit_of_ours_agrees_with_itself_however_it_was_found(name, ways):
    case = case_of(name)
    ours = solve(case)
    found = list(variations(ours))
    assert [how for how, _ in found] == ways
    against = case.references[0]
    assert all(agrees(case, ours.reading(against), other.reading(against)) for _, other in found)


def test_another_blas_is_another_one_or_is_not_claimed():
    case = case_of(MIXED, "lme4")
    here = solve(case).reading("lme4")
    for readings in read_on(PLATFORMS[1], [case]):
        assert agrees(case, here, readings["lme4"])
    assert all("threads" in text for text in linear_algebra())


class Startable:
    """lme4, which says the same from every start, but for one number."""

    name = "lme4"

    def __init__(self, said, factor):
        self.said, self.factor, self.starts = said, factor, []

    def read(self, case, probes=(), start=None):  # noqa: ARG002  # an Engine's signature
        self.starts.append(start)
        moved = (
            replace(q, value=q.value * self.factor) if start and q.path == "fixed[days].standard_error" else q
            for q in self.said.quantities
        )
        return replace(self.said, quantities=tuple(moved))


@pytest.fixture
def said():
    case = case_of(MIXED, "lme4")
    return replace(runs._pinned()["lme4"].read(case), source="live")


def test_how_far_a_live_engine_moves_by_itself_is_its_floor(said, monkeypatch):
    monkeypatch.setattr(measuring, "PLATFORMS", ())
    engine = Startable(said, 1 + 7e-7)
    found = measure([case_of(MIXED, "lme4")], References(live={"lme4": engine}), (), lambda _: None)
    (bound,) = (b for b in found.bounds if (b.engine, b.measure) == ("lme4", "relative difference of standard errors"))
    assert bound.floor == pytest.approx(7e-7, rel=1e-3)
    assert bound.where == f"{MIXED} fixed[days].standard_error, the reference from another start"
    assert len(engine.starts) == 2
    assert not found.outside


def test_an_engine_that_moves_by_more_than_its_limit_puts_the_limit_outside(said, monkeypatch):
    monkeypatch.setattr(measuring, "PLATFORMS", ())
    references = References(live={"lme4": Startable(said, 1 + 3e-6)})
    found = measure([case_of(MIXED, "lme4")], references, (), lambda _: None)
    assert "relative difference of standard errors" in {bound.measure for bound in found.outside}


def test_an_engine_that_fails_from_another_start_gives_no_bound(said):
    class Failing(Startable):
        def read(self, case, probes=(), start=None):  # noqa: ARG002  # an Engine's signature
            return replace(self.said, failure=Failure(reason="crashed", sentence="R ended"))

    assert not list(again(case_of(MIXED), Failing(said, 1.0), said, {}))


@pytest.fixture
def harness(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(measuring, "PLATFORMS", ())

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["harness", *arguments])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code
        said = capfd.readouterr()
        return status, said.out, said.err

    return run


def test_the_command_prints_floor_limit_and_ceiling_of_each_limit(harness):
    status, output, _ = harness("envelope", RATES)
    assert status == cli.AGREE
    assert "0 outside" in output
    assert "ours and the reference: 1 pairs" in output
    assert "rates" in output


def test_a_limit_outside_ends_with_status_1_and_is_named(harness, monkeypatch):
    def loose(*given, **named):
        found = measure(*given, **named)
        return replace(found, bounds=(replace(found.bounds[0], share=1.5, where="somewhere"), *found.bounds[1:]))

    monkeypatch.setattr(runs, "measure", loose)
    status, output, _ = harness("envelope", RATES)
    assert status == cli.DISAGREE
    assert "OUTSIDE" in output
    assert "somewhere" in output


def test_an_envelope_of_some_cases_is_not_recorded(harness):
    status, _, error = harness("envelope", RATES, "--record")
    assert status == cli.USAGE
    assert "--record with all cases" in error
