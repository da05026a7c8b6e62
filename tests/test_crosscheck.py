"""The loop around the judge: who is asked what, what becomes of engines that fail, and who is started again."""

import math
from dataclasses import dataclass, field, replace
from fractions import Fraction

import pytest

from harness.comparison.run import Skipped
from harness.comparison.verdict import Attribution, Comparison, Outcome
from harness.crosscheck import References, compare_with, cross_check
from harness.engines import solve
from harness.quantities import Failure, ObjectiveValue
from harness.runs import read_cases

CASE = "sleepstudy__random_slope_reml"


@pytest.fixture(scope="module")
def case():
    (found,) = read_cases([CASE])
    return replace(found, references=("lme4", "nlme"))


@pytest.fixture(scope="module")
def ours(case):
    return solve(case)


@dataclass
class Engine:
    """A reference that says what a function of our own reading returns, and remembers what it was asked."""

    answer: object
    asked: list = field(default_factory=list)

    def read(self, case, probes=(), start=None):
        self.asked.append((case.name, tuple(probe.label for probe in probes), start))
        return self.answer


@pytest.fixture
def echo(ours):
    """Our own reading, as if lme4 had said it live."""
    said = tuple(
        ObjectiveValue(label=probe.label, point=probe.point, log_likelihood=ours.log_likelihood(probe.point))
        for probe in ours.probes()
    )
    own = ours.reading(against="lme4")
    return replace(own, engine="lme4", source="live", objective=(*said, *own.objective))


def judged(ours, engine, name="lme4"):
    return compare_with(ours, name, References(live={name: engine}))


def with_value(reading, path, value):
    changed = (replace(q, value=value) if q.path == path else q for q in reading.quantities)
    return replace(reading, quantities=tuple(changed))


def test_an_engine_that_says_the_same_agrees(ours, echo):
    comparison = judged(ours, Engine(echo))
    assert comparison.outcome is Outcome.AGREE
    assert comparison.distance == 0
    assert {pair.label for pair in comparison.evidence.objectives} == {
        "probe 1",
        "probe 2",
        "probe 3",
        "random point",
        "our optimum",
        "optimum",
    }
    assert comparison.evidence.gradient_at_right < 1e-8


def test_every_engine_is_asked_at_our_probes_once(ours, echo):
    engine = Engine(echo)
    judged(ours, engine)
    assert engine.asked == [(CASE, ("probe 1", "probe 2", "probe 3", "random point", "our optimum"), None)]


def test_live_goes_before_pinned(ours, echo):
    live, pinned = Engine(echo), Engine(replace(echo, source="pinned"))
    references = References(live={"lme4": live}, pinned={"lme4": pinned})
    assert compare_with(ours, "lme4", references).right.source == "live"
    assert not pinned.asked


def test_an_engine_that_nobody_has_is_skipped_and_named(ours):
    found = compare_with(ours, "lme4", References())
    assert found == Skipped(case=CASE, reference="lme4", reason="lme4 is neither installed nor recorded")


@pytest.mark.parametrize("reason", ["crashed", "timeout", "refused", "stale"])
def test_an_engine_that_fails_costs_its_own_comparison_only(case, echo, reason):
    failure = Failure(reason=reason, sentence="lme4 went away", evidence="the last words")
    failed = replace(echo, quantities=(), objective=(), failure=failure)
    references = References(live={"lme4": Engine(failed), "nlme": Engine(replace(echo, engine="nlme"))})
    comparisons, skipped = cross_check([case, replace(case, name="again")], references)
    assert not skipped
    outcomes = [(c.case, c.right.engine, c.outcome) for c in comparisons]
    assert outcomes == [
        (CASE, "lme4", Outcome.DISAGREE),
        (CASE, "nlme", Outcome.AGREE),
        ("again", "lme4", Outcome.DISAGREE),
        ("again", "nlme", Outcome.AGREE),
    ]
    assert comparisons[0].attribution is Attribution.ENGINE
    assert "the last words" in comparisons[0].sentence


def test_an_absent_engine_is_skipped_with_its_sentence(ours, echo):
    absent = replace(echo, failure=Failure(reason="absent", sentence="lme4 is not there."))
    found = judged(ours, Engine(absent))
    assert found == Skipped(case=CASE, reference="lme4", reason="lme4 is not there.")


@pytest.mark.parametrize("point", [(math.nan, 0.0, 0.2), (math.inf, 0.0, 0.2), (1.0,), (), (1.0, 0.0, 0.2, 3.0)])
def test_parameters_that_the_model_cannot_have_disagree_and_do_not_end_the_run(ours, echo, point):
    impossible = ObjectiveValue(label="optimum", point=point, log_likelihood=-871.8)
    comparison = judged(ours, Engine(replace(echo, objective=(*echo.objective[:-1], impossible))))
    assert isinstance(comparison, Comparison)
    assert comparison.outcome is Outcome.DISAGREE
    (verdict,) = (v for v in comparison.verdicts if v.quantity == "objective[optimum]")
    assert verdict.outcome is Outcome.DISAGREE


def ended_at(ours, echo, point):
    """Return the reading of an engine that stopped at another point than the optimum, and knows its log-likelihood."""
    reached = ours.log_likelihood(point)
    there = ObjectiveValue(label="optimum", point=point, log_likelihood=reached)
    return replace(
        with_value(echo, "log_likelihood", reached), objective=(*echo.objective[:-1], there), covariance=None
    )


@dataclass(frozen=True)
class TwoEngines:
    """Our side of a case with a log-likelihood of two maxima: -100 at 0 and -102 at 1, where it can't leave."""

    case: object
    own: object

    def reading(self, against):  # noqa: ARG002  # an OurSide's signature
        return self.own

    def probes(self):
        return ()

    def log_likelihood(self, point):
        return {0.0: -100.0, 1.0: -102.0}[point[0]]

    def distance(self, point):  # noqa: ARG002  # both maxima are stationary
        return 0.0

    def restarted(self, point):
        return self.log_likelihood(point)

    def quantities_at(self, point):  # noqa: ARG002  # an OurSide's signature
        return ()

    def flattest(self):
        return None

    def refereed(self, points):
        return tuple(Fraction(self.log_likelihood(point)) for point in points)


def at_maximum(echo, place, engine, source="live"):
    reached = {0.0: -100.0, 1.0: -102.0}[place]
    optimum = ObjectiveValue(label="optimum", point=(place,), log_likelihood=reached)
    reading = with_value(echo, "log_likelihood", reached)
    return replace(reading, engine=engine, source=source, objective=(optimum,), covariance=None)


@dataclass
class Restartable:
    """A reference that ends at the lower maximum, and where it is started if it is told where."""

    echo: object
    starts: list = field(default_factory=list)

    def read(self, case, probes=(), start=None):  # noqa: ARG002  # an Engine's signature
        self.starts.append(start)
        return at_maximum(self.echo, 1.0 if start is None else start[0], "lme4")


def test_the_reference_at_a_lower_maximum_is_started_again_from_our_estimates(case, echo):
    engine = Restartable(echo)
    comparison = judged(TwoEngines(case, at_maximum(echo, 0.0, "harness")), engine)
    assert engine.starts == [None, (0.0,)]
    assert comparison.evidence.restart.engine == "lme4"
    assert comparison.evidence.restart.log_likelihood == -100.0
    assert comparison.outcome is Outcome.DISAGREE
    assert comparison.attribution is Attribution.LOCAL_OPTIMUM
    assert "lme4 ended at a local optimum" in comparison.sentence


def test_our_engine_at_a_lower_maximum_is_started_again_and_blamed(case, echo):
    comparison = judged(
        TwoEngines(case, at_maximum(echo, 1.0, "harness")), Engine(at_maximum(echo, 0.0, "lme4", source="pinned"))
    )
    assert comparison.evidence.restart.engine == "harness"
    assert comparison.attribution is Attribution.LOCAL_OPTIMUM
    assert "harness ended at a local optimum" in comparison.sentence


def test_a_pinned_reference_cannot_be_started_again(case, echo):
    engine = Engine(at_maximum(echo, 1.0, "lme4", source="pinned"))
    comparison = judged(TwoEngines(case, at_maximum(echo, 0.0, "harness")), engine)
    assert len(engine.asked) == 1
    assert comparison.evidence.restart is None
    assert comparison.attribution is Attribution.LOCAL_OPTIMUM


def test_an_engine_that_stopped_early_is_told_from_one_at_another_optimum(ours, echo):
    (best,) = (value.point for value in echo.objective if value.label == "optimum")
    comparison = judged(ours, Engine(ended_at(ours, echo, (1.2 * best[0], best[1], best[2]))))
    assert comparison.evidence.gradient_at_right > 0.1
    assert comparison.attribution is Attribution.NOT_CONVERGED


def test_progress_names_each_case_and_engine(case, echo):
    told = []
    cross_check([case], References(live={"lme4": Engine(echo)}), progress=told.append)
    assert told == [f"{CASE}: harness", f"{CASE}: lme4", f"{CASE}: nlme"]


def test_the_referee_is_asked_where_log_likelihoods_differ_and_only_there(ours, echo):
    assert judged(ours, Engine(echo)).evidence.adjudication is None
    off = tuple(
        replace(value, log_likelihood=value.log_likelihood + error)
        for value, error in zip(echo.objective, (3e-6, -4e-6, 2e-6, 0.0), strict=False)
    )
    comparison = judged(ours, Engine(replace(echo, objective=(*off, *echo.objective[len(off) :]))))
    assert comparison.attribution is Attribution.FLOAT
    adjudication = comparison.evidence.adjudication
    errors = [ruling.right_error for ruling in adjudication.rulings[:3]]
    assert errors == pytest.approx([3e-6, -4e-6, 2e-6], abs=1e-11)
    # Ours is right to the rounding of a double near 900.
    assert max(abs(ruling.left_error) for ruling in adjudication.rulings) < 1e-11
    assert abs(adjudication.gap) < 1e-11


def test_the_referee_says_by_how_much_a_search_ended_too_low(ours, echo):
    best = next(value for value in echo.objective if value.label == "optimum")
    low = ended_at(ours, echo, (best.point[0] * 1.2, *best.point[1:]))
    comparison = judged(ours, Engine(low))
    expected = ours.log_likelihood(best.point) - ours.log_likelihood((best.point[0] * 1.2, *best.point[1:]))
    assert comparison.evidence.adjudication.gap == pytest.approx(expected, rel=1e-9)
    assert f"harness ended {expected:.3g} higher than {low.engine}" in comparison.sentence
