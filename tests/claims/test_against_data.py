"""Claims against a table of nine rows that a reader can count, and against the study's own rules of response."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from harness.claims import Answer, ClaimsSpec
from harness.claims.cohort_table import cohort_table
from harness.claims.condition import Condition, condition, conditions
from harness.claims.derived import Derived
from harness.claims.description import Selection, UndecidedError, counted, described
from harness.claims.printed import UnreadableError
from harness.cohorts import Schema, cohort_from_frame
from harness.errors import ClaimsError
from harness.scoring import courses, end_response

YES, NO, OPEN = Answer.CONSISTENT, Answer.INCONSISTENT, Answer.NOT_CHECKABLE
ROWS = [
    # subject, arm, visit, score, age
    ("a", "x", "pre", 20, 30),
    ("a", "x", "post", 10, 30),
    ("b", "x", "pre", 24, 40),
    ("b", "x", "post", 13, 40),
    ("c", "x", "pre", 18, 50),
    ("c", "x", "post", np.nan, 50),
    ("d", "y", "pre", 0, 60),
    ("d", "y", "post", 4, 60),
    ("e", "y", "pre", 30, np.nan),
]
BASELINE = (Condition(column="visit", value="pre"),)
PRE = {"outcome": "score", "at": "visit=pre; arm=x"}
RESPONSE = Derived(name="response", source="score", baseline=BASELINE, making="response", share=Fraction(1, 2))
CHANGE = Derived(name="change", source="score", baseline=BASELINE, making="change")
FALL = Derived(name="fall", source="score", baseline=BASELINE, making="percent_change")


@pytest.fixture(scope="module")
def small():
    frame = pd.DataFrame(ROWS, columns=["subject", "arm", "visit", "score", "age"])
    return cohort_from_frame(frame, subject="subject")


@pytest.fixture(scope="module")
def rules():
    return ClaimsSpec(name="small", schema=Schema(name="small", columns=()), derived=(RESPONSE, CHANGE, FALL))


@pytest.fixture(scope="module")
def judge_small(judged, small, rules):
    return lambda **cells: judged(small, rules, **cells)


@pytest.mark.parametrize(
    ("cells", "answer"),
    [
        ({"kind": "mean", "text": "23.00", "outcome": "score", "at": "visit=pre; score>0"}, YES),
        ({"kind": "mean", "text": "20.67", "outcome": "score", "at": "visit=pre; arm=x", "n": "3"}, YES),
        ({"kind": "mean", "text": "20.66", "outcome": "score", "at": "visit=pre; arm=x"}, NO),
        ({"kind": "mean", "text": "20.7", "outcome": "score", "at": "visit=pre; arm=x", "n": "4"}, NO),
        ({"kind": "sd", "text": "3.06", "outcome": "score", "at": "visit=pre; arm=x"}, YES),  # sqrt(28/3)
        ({"kind": "se", "text": "1.764", "outcome": "score", "at": "visit=pre; arm=x"}, YES),
        ({"kind": "median", "text": "11.5", "outcome": "score", "at": "visit=post; arm=x"}, YES),
        ({"kind": "minimum", "text": "10", "outcome": "score", "at": "visit=post; arm=x"}, YES),
        ({"kind": "maximum", "text": "14", "outcome": "score", "at": "visit=post; arm=x"}, NO),
        ({"kind": "mean", "text": "45", "outcome": "age"}, YES),  # one age a subject: 30, 40, 50, 60
        ({"kind": "mean", "text": "45.0", "outcome": "age", "unit": "rows"}, YES),
        ({"kind": "mean", "text": "15", "outcome": "score"}, OPEN),  # which visit?
        ({"kind": "mean", "text": "14.9", "outcome": "score", "unit": "rows"}, YES),  # 119 / 8
        ({"kind": "sd", "text": "1.0", "outcome": "score", "at": "visit=post; arm=y"}, OPEN),  # one value
        ({"kind": "count", "text": "5"}, NO),
        ({"kind": "count", "text": "3/5 (60 %)", "event": "arm = x"}, YES),
        ({"kind": "count", "text": "9", "unit": "rows", "at": "arm!=y", "outcome": "age"}, NO),
        ({"kind": "count", "text": "1/2", "event": "score <= 10", "at": "visit=post; arm=x"}, YES),
        ({"kind": "percent", "text": "33 %", "event": "score <= 10", "at": "visit=post; arm=x"}, NO),
        (
            {
                "kind": "percent",
                "text": "33 %",
                "event": "score <= 10",
                "at": "visit=post; arm=x",
                "missing": "failure",
            },
            YES,
        ),
        ({"kind": "count", "text": "2", "event": "score <= 10"}, OPEN),  # in some rows of a subject and not in others
        ({"kind": "count", "text": "3/8", "event": "score \u2264 10", "unit": "rows"}, YES),
        ({"kind": "count", "text": "1/2", "event": "response", "at": "visit=post; arm=x"}, YES),  # 10 of 20, 13 of 24
        ({"kind": "count", "text": "0/0", "event": "response", "at": "visit=post; arm=y"}, YES),
        ({"kind": "percent", "text": "0 %", "event": "response", "at": "visit=post; arm=y"}, OPEN),  # of nobody
        # e has no row after treatment but a baseline; d's baseline of 0 has no response
        ({"kind": "count", "text": "1/4", "event": "response", "at": "visit=post", "missing": "failure"}, YES),
        ({"kind": "mean", "text": "-10.5", "outcome": "change", "at": "visit=post; arm=x"}, YES),
        ({"kind": "mean", "text": "47.9", "outcome": "fall", "at": "visit=post; arm=x"}, YES),  # 50 and 45.8
    ],
)
def test_the_number_is_counted_again(judge_small, cells, answer):
    one = judge_small(**cells)
    if cells == {"kind": "count", "text": "5"}:
        answer = OPEN  # nothing says what it is of
    assert one.answer is answer, [finding.reason for finding in one.findings]


@pytest.mark.parametrize(
    ("cells", "cause"),
    [
        ({"kind": "mean", "text": "11.5", **PRE}, "it is that of visit=post"),
        ({"kind": "sd", "text": "1.76", **PRE}, "it is the standard error of the mean"),
        ({"kind": "se", "text": "3.06", **PRE}, "it is the standard deviation"),
        ({"kind": "sd", "text": "2.49", **PRE}, "it was divided by n instead of n - 1"),
        ({"kind": "mean", "text": "20.0", **PRE}, "it is the median"),
        ({"kind": "mean", "text": "18.4", **PRE}, "it is that of all, not only of arm=x"),
        (
            {"kind": "percent", "text": "33 %", "event": "score <= 10", "at": "visit=post; arm=x"},
            "it has missing ones counted as failures",
        ),
    ],
)
def test_what_it_may_have_been_confused_with_is_named(judge_small, cells, cause):
    one = judge_small(**cells)
    assert one.answer is NO
    assert cause in one.causes


def test_moments_are_those_of_numpy(cohort):
    """numpy's mean, std(ddof=1) and median of the same cells."""
    table = cohort_table(cohort)
    for visit in ("inf1", "inf3", "fu_1mo"):
        selection = Selection(outcome="madrs", at=conditions(f"visit={visit}"))
        found = described(table, selection)
        codes = cohort.factors["visit"]
        values = cohort.numeric["madrs"][codes.codes == codes.levels.index(visit)]
        values = values[~np.isnan(values)]
        assert found.n == len(values)
        assert float(found.mean.lower) == pytest.approx(values.mean(), rel=1e-14)
        assert float(found.sd.lower) == pytest.approx(values.std(ddof=1), rel=1e-13)
        assert float(found.median.lower) == np.median(values)


def test_responses_are_counted_by_the_rules_of_the_study(cohort):
    """Against `end_response` at the rating before the last infusion, observed and with failures imputed."""
    rule = Derived(
        name="response", source="madrs", baseline=conditions("visit=inf1"), making="response", share=Fraction(1, 2)
    )
    table = cohort_table(cohort, [rule])
    of = {}
    for row in range(cohort.n_rows):
        of[table.subjects[row]] = table.cells("protocol")[row]
    ended = {"four": ("inf4", 4), "six": ("inf6", 6)}
    for protocol, (visit, planned) in ended.items():
        own = [row for row in range(cohort.n_rows) if of[table.subjects[row]] == protocol]
        infusion = [table.cells("infusion")[row] for row in own]
        found = courses(
            [str(table.subjects[row]) for row in own],
            [table.cells("week")[row] for row in own],
            [None if number is None else number + 1 for number in infusion],
            [table.cells("madrs")[row] for row in own],
            planned,
        )
        for missing, denominator in (("left out", "observed"), ("failure", "nri")):
            truths = [end_response(course, denominator=denominator) for course in found.values()]
            at = conditions(f"visit={visit}; protocol={protocol}")
            mine = counted(table, Selection(at=at, event=condition("response"), missing=missing))
            assert mine.count == sum(truth is True for truth in truths)
            assert mine.n == sum(truth is not None for truth in truths)


def test_two_values_of_a_subject_are_not_averaged(small):
    with pytest.raises(UndecidedError, match="name the visit"):
        described(cohort_table(small), Selection(outcome="score"))


@pytest.mark.parametrize("text", ["", ";", "visit", "visit=", "=pre", "a=1; a=2", "visit==pre", "x=1;" * 21])
def test_what_is_no_list_of_conditions_is_refused(text):
    with pytest.raises(UnreadableError):
        conditions(text)


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"outcome": "scor"}, "outcome", "'scor'; expected a numeric column"),
        ({"outcome": "arm"}, "outcome", "'arm'; expected a numeric column"),
        ({"at": "visit=pre"}, "outcome", "nothing; expected a column"),
        ({"outcome": "score", "at": "visi=pre"}, "at", "no column 'visi'"),
        ({"outcome": "score", "at": "visit=after"}, "at", "level 'after' of visit; expected one of post, pre"),
        ({"outcome": "score", "at": "visit<=pre"}, "at", "expected = or !=, because visit has levels"),
        ({"outcome": "score", "at": "age=old"}, "at", "expected a number, because age is numeric"),
        ({"outcome": "score", "at": "age"}, "at", "such as visit=inf4"),
        ({"kind": "count", "event": "age"}, "event", "a derived truth alone, or a column compared"),
        ({"kind": "count", "event": "response = 1"}, "event", "a derived truth alone, or a column compared"),
        ({"kind": "count", "event": "subject = zz"}, "event", "expected one of its levels."),
        ({"model": "slopes", "kind": "aic"}, "model", "model 'slopes'; expected none, because the spec has no models"),
    ],
)
def test_what_the_data_do_not_have_is_listed_by_line_and_column(judge_small, cells, column, words):
    with pytest.raises(ClaimsError) as caught:
        judge_small(**{"kind": "mean", "text": "1", **cells})
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (2, column)
    assert words in str(problem)


def test_a_derived_column_of_what_the_data_lack_is_refused(small):
    wrong = (
        Derived(name="age", source="scor", baseline=(Condition(column="visit", value="before"),), making="change"),
        Derived(name="other", source="score", baseline=(Condition(column="arm", value="x"),), making="change"),
    )
    with pytest.raises(ClaimsError) as caught:
        cohort_table(small, wrong[:1])
    assert len(caught.value.problems) == 3
    with pytest.raises(ClaimsError, match="several baselines of one subject"):
        cohort_table(small, wrong[1:])
