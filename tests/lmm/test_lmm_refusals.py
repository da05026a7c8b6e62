"""Models that do not fit a cohort are refused with all that is wrong, and what to do."""

import numpy as np
import pytest

from harness.errors import SpecError

N = 24


@pytest.fixture(scope="module")
def cohort(make_cohort):
    stream = np.random.default_rng(1)
    return make_cohort(
        id=[f"s{i // 4}" for i in range(N)],
        week=[0, 1, 2, 4] * 6,
        month=np.array([0, 1, 2, 4] * 6) / 4,
        const=np.full(N, 3.0),
        nothing=np.full(N, np.nan),
        wild=np.append(stream.normal(size=N - 1), np.inf),
        group=["a"] * 12 + ["b"] * 12,
        arm=["x"] * N,
        cell=(["p"] * 6 + ["q"] * 6) * 2,
        lone=["p"] * 12 + ["p"] * 6 + ["q"] * 6,
        flat=np.full(N, 7.0),
        exact=2.0 + 3.0 * np.array([0, 1, 2, 4] * 6),
        small=np.arange(N) % 3 * 1e-70,
        large=np.full(N, 1e200) + np.arange(N) * 1e190,
        y=stream.normal(size=N),
    )


@pytest.fixture
def refused(cohort, make_design):
    def run(formula):
        with pytest.raises(SpecError) as caught:
            make_design(formula, cohort)
        return [
            (problem.column, f"{problem.found}; {problem.expected} {problem.advice}")
            for problem in caught.value.problems
        ]

    return run


@pytest.mark.parametrize(
    ("formula", "column", "words"),
    [
        ("y ~ wek + (1 | id)", "wek", "Did you mean 'week'"),
        ("group ~ week + (1 | id)", "group", "numeric outcome"),
        ("y ~ week", None, "0 random terms"),
        ("y ~ week + (1 | month)", "month", "a factor to group by"),
        ("y ~ C(week, sum) + (1 | id)", "week", "C(week, sum) of numbers"),
        ("y ~ group^2 + (1 | id)", "group", "numeric column"),
        ("y ~ log(group) + (1 | id)", "group", "numeric column"),
        ("y ~ y + (1 | id)", "y", "the outcome among the predictors"),
        ("y ~ id + (1 | id)", "id", "the grouping column among the predictors"),
        ("nothing ~ week + (1 | id)", "nothing", "no value at all"),
        ("y ~ wild + (1 | id)", "wild", "1 infinite values"),
        ("flat ~ week + (1 | id)", "flat", "the constant outcome 7"),
        ("exact ~ week + (1 | id)", "exact", "fit exactly"),
        ("y ~ log(week) + (1 | id)", "week", "6 values outside the domain of log(week), the first 0"),
        ("y ~ large^2 + (1 | id)", "large", "too large"),
        ("y ~ large + (1 | id)", "large", "large of up to 1e+200; values of 1e-60 to 1e+60 in size Use another unit."),
        ("small ~ week + (1 | id)", "small", "small of up to 2e-70"),
        ("y ~ arm + (1 | id)", "arm", "only the level 'x'"),
        ("y ~ week + (1 + group | id) + (1 | id)", "intercept", "a random-effect column that is constant"),
        ("y ~ week + (1 + const | id)", "const", "constant (3)"),
        ("y ~ week + (0 + week + month | id)", "month", "a random-effect column that is determined by week"),
        ("y ~ week + (1 | arm)", "arm", "1 subject with complete rows"),
        ("y ~ week + (1 + week + week^2 + week^3 | id)", None, "24 random effects from 24 rows"),
    ],
)
def test_a_fault_is_said_with_its_column(refused, formula, column, words):
    found = refused(formula)
    assert any(place == column and words in sentence for place, sentence in found), found


def test_all_faults_of_the_columns_come_at_once(refused):
    found = refused("group ~ wek + mont + log(group) + wild")
    assert {place for place, _ in found} >= {None, "group", "wek", "mont", "wild"}


def test_too_few_rows_are_refused(make_cohort, make_design):
    cohort = make_cohort(id=["a", "a", "b", "b"], t=[0, 1, 0, 2], y=[1, 2, 4, 3])
    with pytest.raises(SpecError, match="4 complete rows for 3 fixed effects; expected at least 5 rows"):
        make_design("y ~ t + t^2 + (1 | id)", cohort)


def test_as_many_random_effects_as_rows_are_refused(make_cohort, make_design):
    cohort = make_cohort(id=["a", "b", "c", "d", "e"], y=[1, 2, 4, 3, 5])
    with pytest.raises(SpecError, match="5 random effects from 5 rows"):
        make_design("y ~ 1 + (1 | id)", cohort)


def test_no_complete_row_is_said_with_the_columns_that_miss(make_cohort, make_design):
    cohort = make_cohort(id=["a", "a", "b", "b"], t=[0, np.nan, 0, np.nan], y=[np.nan, 2, np.nan, 3])
    with pytest.raises(SpecError, match=r"no complete row among 4.*'y' is missing in 2, 't' is missing in 2"):
        make_design("y ~ t + (1 | id)", cohort)


def test_the_model_and_the_cohort_are_named(cohort, make_design):
    with pytest.raises(SpecError, match=r"model 'y ~ wek .* on cohort 'panel'"):
        make_design("y ~ wek + (1 | id)", cohort)
