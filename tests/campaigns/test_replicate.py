"""One replicate becomes one row, whatever happens to either engine."""

from dataclasses import replace

import pytest

from harness.campaigns import replicate
from harness.campaigns.again import Again
from harness.campaigns.replicate import Asked, replicate_case, run_replicate
from harness.campaigns.store import RESULTS, SCHEMA
from harness.engines import solve
from harness.errors import EngineError, Problem, SpecError
from harness.quantities import Failure, Reading


class Silent:
    """A reference that fails in one way."""

    name = "lme4"

    def __init__(self, reason):
        self.reason = reason

    def read(self, case, probes=(), start=None):  # noqa: ARG002
        failure = Failure(reason=self.reason, sentence=f"lme4 {self.reason}")
        return Reading(engine=self.name, source="live", versions={}, failure=failure)


class Shifted(Again):
    """Our own engine, with every fixed effect off by a tenth of its standard error."""

    def read(self, case, probes=(), start=None):
        reading = super().read(case, probes, start)
        moved = tuple(
            replace(q, value=q.value + 0.1 * q.standard_error)
            if q.path.startswith("fixed[") and q.standard_error
            else q
            for q in reading.quantities
        )
        return replace(reading, quantities=moved)


def asked(engine):
    return Asked(brief=engine, whole=engine)


@pytest.fixture
def cell(small_plan):
    return small_plan().cells[0]


def test_a_row_has_every_column_that_is_stored(cell):
    row = run_replicate(cell, 3, asked(Again()))
    assert set(row) | {"retries"} == set(SCHEMA.names)
    assert row["outcome"] == "agree"
    assert row["better"] == "both"
    assert row["seed"] == f"{cell.data_seed(3):032x}"


def test_a_row_is_the_same_whenever_it_is_computed(cell):
    first, second = (run_replicate(cell, 4, asked(Again())) for _ in range(2))
    assert [first[name] for name in RESULTS.names] == [second[name] for name in RESULTS.names]


def test_coverage_is_that_of_the_intervals_that_each_engine_gives(cell):
    row = run_replicate(cell, 5, asked(Again()))
    case, sample = replicate_case(cell, 5)
    table = solve(case).result.fixed_effects("satterthwaite")
    expected = [
        bool(table.loc[path[6:-1], "lower"] <= truth <= table.loc[path[6:-1], "upper"])
        for path, truth in sample.truths.items()
    ]
    assert row["covered_t"] == expected
    wald = [
        bool(
            abs(table.loc[path[6:-1], "estimate"] - truth)
            <= 1.959963984540054 * table.loc[path[6:-1], "standard_error"]
        )
        for path, truth in sample.truths.items()
    ]
    assert row["covered_left"] == row["covered_right"] == wald


def test_a_difference_is_a_disagreement_with_a_cause(cell):
    row = run_replicate(cell, 1, asked(Shifted()))
    assert row["outcome"] == "disagree"
    assert row["attribution"] is not None
    assert row["disagreeing"] > 0
    assert row["worst_ratio"] > 1


@pytest.mark.parametrize("reason", ["crashed", "timeout", "refused"])
def test_a_reference_that_fails_is_a_disagreement(cell, reason):
    row = run_replicate(cell, 0, asked(Silent(reason)))
    assert (row["outcome"], row["attribution"], row["better"]) == ("disagree", "engine", None)
    assert row["right_seconds"] is None


def test_a_reference_that_is_not_installed_is_no_result(cell):
    with pytest.raises(EngineError, match="absent"):
        run_replicate(cell, 0, asked(Silent("absent")))


def test_what_both_refuse_is_not_compared(cell, monkeypatch):
    def refuses(case):
        raise SpecError(case.name, [Problem(found="nothing", expected="something")])

    monkeypatch.setattr(replicate, "solve", refuses)
    row = run_replicate(cell, 0, asked(Silent("refused")))
    assert (row["outcome"], row["attribution"]) == ("not compared", None)
    assert run_replicate(cell, 0, asked(Again()))["attribution"] == "engine"


def test_a_bug_of_ours_is_a_disagreement_and_not_the_end(cell, monkeypatch):
    def breaks(case):
        raise FloatingPointError(case.name)

    monkeypatch.setattr(replicate, "solve", breaks)
    row = run_replicate(cell, 0, asked(Again()))
    assert (row["outcome"], row["attribution"]) == ("disagree", "engine")
    assert "harness raised FloatingPointError" in row["reason"]


def test_classes_of_the_reference_are_covered_under_our_names(plan):
    cell = plan("gbtm", subjects=(40,), visits=(4,), separation=(4,)).cells[0]
    row = run_replicate(cell, 0, asked(Again()))
    assert row["outcome"] == "agree"
    assert row["covered_left"] == row["covered_right"]
    assert row["covered_t"] is None
