"""Models that do not fit a cohort are refused with all that is wrong, and what to do."""

import numpy as np
import pytest

from harness.errors import SpecError
from harness.formula import parse_formula
from harness.lmm.design import build_design
from harness.lmm.spec import LmmSpec

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


@pytest.fixture(scope="module")
def visits(make_cohort):
    """Six subjects with four visits each; s4 and s5 have visit v2 twice, and s1 changes its arm."""
    stream = np.random.default_rng(6)
    return make_cohort(
        id=[f"s{i // 4}" for i in range(N)],
        visit=["v1", "v2", "v3", "v4"] * 4 + ["v1", "v2", "v2", "v3"] * 2,
        clean=["v1", "v2", "v3", "v4"] * 6,
        early=["v1", "v2", "v1", "v2"] * 3 + ["v1", "v2", "v3", "v4"] * 3,
        week=[0, 1, 2, 4] * 6,
        hour=np.arange(N) / 7,
        late=np.arange(1.0, N + 1),
        half=["a"] * 12 + ["b"] * 12,
        turn=["a"] * 6 + ["b"] * 18,
        lone=[f"r{i}" for i in range(N)],
        pair=[f"p{i // 2}" for i in range(N)],
        y=stream.normal(size=N),
    )


@pytest.mark.parametrize(
    ("formula", "column", "words"),
    [
        ("y ~ 1 + ar1(visit | id)", "visit", "2 subjects ('s4', 's5') with several rows at one visit"),
        ("y ~ 1 + car1(week | half)", "week", "2 subjects ('a', 'b') with several rows at one visit"),
        ("y ~ 1 + us(visit | turn / id)", "turn", "1 subject ('s1') at several levels; one level a subject"),
        ("y ~ 1 + cs(clean | lone)", "clean", "no subject with two visits"),
        ("y ~ 1 + us(clean | id) + us", "us", "unknown column"),
        ("y ~ 1 + us(early | half / id)", "early", "several rows at one visit"),
        ("y ~ 1 + car1(clean | id)", "clean", "car1 of a factor"),
        ("y ~ 1 + us(y | id)", "y", "the outcome as visit"),
        ("y ~ 1 + us(clean | week)", "week", "a factor to group by"),
        ("y ~ 1 + us(clean | week / id)", "week", "a factor to group by"),
        ("y ~ 1 + us(clean | idd)", "idd", "Did you mean 'id'?"),
        ("y ~ id + us(clean | id)", "id", "the grouping column among the predictors"),
        ("y ~ 1 + (1 | id) + us(clean | id)", "id", "a random effect of intercept beside us(clean | id), which holds"),
        ("y ~ 1 + (1 + week | id) + us(clean | id)", "id", "a random effect of intercept and week beside us"),
        ("y ~ 1 + (0 + week + hour | id) + us(clean | id)", "id", "a random effect of week beside us"),
        ("y ~ 1 + (1 + week | id) + toep(clean | id)", "id", "a random effect of intercept beside toep"),
        ("y ~ poly(week, 4) + (1 | id)", "week", "poly(week, 4) of 4 distinct values; a degree of at most 3"),
        ("y ~ ns(week, 6) + (1 | id)", "week", "knots of ns(week, 6) at 0, 0, 1, 1.5, 2, 4, 4; distinct quantiles"),
        ("y ~ poly(clean, 2) + (1 | id)", "clean", "poly(clean, 2) of a factor"),
        ("y ~ C(week, helmert) + (1 | id)", "week", "C(week, helmert) of numbers; a factor to code"),
        ("y ~ week + (1 + week | id) + (0 + week | id)", "week", "a random-effect column that is determined by week"),
        ("y ~ week + (1 + hour + late | id)", "late", "random-effect column that is determined by intercept and hour"),
        ("y ~ 0 + (1 | id)", None, "no fixed effects; at least one column"),
        ("y ~ 0 + us(clean | id)", None, "no fixed effects; at least one column"),
        ("y ~ clean + (1 | lone)", None, "24 random effects from 24 rows"),
        ("y ~ clean + (1 | id / lone)", None, "24 random effects from 24 rows"),
        ("y ~ clean + (clean | id)", None, "24 random effects from 24 rows"),
    ],
)  # fmt: skip
def test_visits_and_random_terms_that_say_nothing_are_refused(visits, make_design, formula, column, words):
    with pytest.raises(SpecError) as caught:
        make_design(formula, visits)
    found = [
        (problem.column, f"{problem.found}; {problem.expected} {problem.advice}") for problem in caught.value.problems
    ]
    assert any(place == column and words in sentence for place, sentence in found), found


@pytest.mark.parametrize(
    "formula", ["y ~ id + (0 + week | id)", "y ~ id + ar1(clean | id)", "y ~ half + (1 | half:id)"]
)
def test_subjects_in_the_fixed_part_may_have_other_effects(visits, make_design, formula):
    assert make_design(formula, visits).n_observations == N


def test_a_visit_that_one_arm_never_had_is_no_fault_but_too_few_rows_are(make_cohort, make_design):
    """What the data do not determine is named in the certificate of the fit."""
    cohort = make_cohort(
        id=[f"s{i // 3}" for i in range(30)],
        visit=["v1", "v2", "v3"] * 5 + ["v1", "v2", "v4"] * 5,
        arm=["four"] * 15 + ["six"] * 15,
        y=np.random.default_rng(7).normal(size=30),
    )
    assert make_design("y ~ visit + us(visit | arm / id)", cohort).n_random == 0
    with pytest.raises(SpecError, match="10 covariance parameters from 9 rows"):
        make_design("y ~ visit + us(visit | id)", make_cohort(**_rows(cohort, 9)))
    arms = ["four", "six"] + ["six"] * 28
    lonely = make_cohort(
        id=["a", *(f"s{i // 3}" for i in range(29))],
        visit=["v1", *(f"v{1 + i % 3}" for i in range(29))],
        arm=arms,
        y=cohort.numeric["y"],
    )
    with pytest.raises(SpecError, match="no subject with two visits at arm 'four'"):
        make_design("y ~ visit + ar1(visit | arm / id)", lonely)


def _rows(cohort, n):
    return {
        "id": [cohort.factors["id"].levels[k] for k in cohort.factors["id"].codes[-n:]],
        "visit": ["v1", "v2", "v3", "v1", "v2", "v4", "v1", "v3", "v4"],
        "y": cohort.numeric["y"][-n:],
    }


def test_times_are_no_visits(make_cohort, make_design):
    cohort = make_cohort(
        id=[f"s{i // 4}" for i in range(80)], time=np.arange(80) / 3, y=np.random.default_rng(7).normal(size=80)
    )
    with pytest.raises(SpecError, match=r"80 distinct visits; expected at most 60. .* use car1"):
        make_design("y ~ time + ar1(time | id)", cohort)
    assert make_design("y ~ time + car1(time | id)", cohort).residual.structure == "car1"


@pytest.fixture(scope="module")
def weighted_design():
    def make(formula, cohort, weights):
        return build_design(LmmSpec(formula=parse_formula(formula), weights=weights), cohort)

    return make


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([0.0, -2.0], "2 weights that are not positive, the smallest -2"),
        ([np.nan, 1.0], "1 complete rows without a weight"),
        ([np.inf, 1.0], "1 infinite values"),
        ([1e40, 1e-40], "2 weights such as 1e[+]40; expected numbers from 1e-30 to 1e[+]30"),
        ([1e-300, 1e300], "2 weights such as 1e-300; expected numbers from 1e-30 to 1e\\+30"),
    ],
)
def test_weights_that_are_no_weights_are_refused(make_cohort, weighted_design, weights, words):
    cohort = make_cohort(
        id=[f"s{i // 4}" for i in range(N)], y=np.random.default_rng(1).normal(size=N), w=[*weights, *[1.5] * (N - 2)]
    )
    with pytest.raises(SpecError, match=words):
        weighted_design("y ~ 1 + (1 | id)", cohort, "w")


def test_a_column_of_labels_is_no_weight(visits, weighted_design):
    with pytest.raises(SpecError, match="column 'half': weights with categories"):
        weighted_design("y ~ 1 + (1 | id)", visits, "half")
    with pytest.raises(SpecError, match=r"column 'houre': unknown column.*Did you mean 'hour'"):
        weighted_design("y ~ 1 + (1 | id)", visits, "houre")


def test_one_row_a_subject_will_do_where_weights_differ(visits, weighted_design):
    """Var(y) = variance of the intercept + sigma^2 / weight: two known curves."""
    with pytest.raises(SpecError, match="24 random effects from 24 rows"):
        weighted_design("y ~ 1 + (1 | lone)", visits, None)
    assert weighted_design("y ~ 1 + (1 | lone)", visits, "late").n_subjects == N
