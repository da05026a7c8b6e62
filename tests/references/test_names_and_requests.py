"""No text of the user travels, and R's names of columns come back as ours."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cases import Case
from harness.cohorts.cohort import Cohort, Factor
from harness.errors import EngineError
from harness.formula import Atom, Formula, RandomTerm, parse_formula
from harness.gbtm.spec import GbtmSpec
from harness.lmm.spec import LmmSpec
from harness.references import wire
from harness.references.lme4 import lme4_request
from harness.references.lmm_requests import lmm_request
from harness.references.names import our_names, our_terms
from harness.references.requests import gbtm_request

HOSTILE = 'I(system("touch pwned"))'


def cohort_of(outcome="y", week="week", arm="arm", subject="id", levels=("three", "six")):
    return Cohort(
        name="small",
        subject=subject,
        time=week,
        numeric={outcome: np.array([1.0, np.nan, 3.0, 4.0]), week: np.array([0.0, 1.0, 0.0, 1.0])},
        factors={
            arm: Factor(codes=np.array([0, 0, 1, -1]), levels=levels),
            subject: Factor(codes=np.array([0, 0, 1, 1]), levels=("a", "b")),
        },
    )


def request_of(text, cohort=None):
    spec = LmmSpec(formula=parse_formula(text))
    return spec.formula, lmm_request(spec, cohort or cohort_of())


EVERYTHING = "y ~ week * arm + week^2 + log(week) + poly(week, 2) + arm:ns(week, 3) + C(arm, sum) + (1 | id)"


def translated(r_name, text=EVERYTHING):
    formula, request = request_of(text)
    (name,) = our_names("lme4", [r_name], formula.terms, request)
    return name


@pytest.mark.parametrize(
    ("r_name", "name"),
    [
        ("(Intercept)", "intercept"),
        ("v3", "week"),
        ("v4L2", "arm[six]"),
        ("I(v3^2)", "week^2"),
        ("log(v3)", "log(week)"),
        ("v3:v4L2", "week:arm[six]"),
        ("v4L2:v3", "week:arm[six]"),
        ("poly(v3, 2)1", "poly(week, 2)[1]"),
        ("ns(v3, 3)2:v4L2", "arm[six]:ns(week, 3)[2]"),
        ("v5L1", "C(arm, sum)[three]"),
    ],
)
def test_names_come_back_as_ours(r_name, name):
    assert translated(r_name) == name


@pytest.mark.parametrize("r_name", ["v9", "v3:I(v3^2)", "x", "", "v3L", "sin(v3)"])
def test_a_column_that_the_model_does_not_have_is_refused(r_name):
    with pytest.raises(EngineError, match="it has a column"):
        translated(r_name)


def test_missing_values_travel_as_missing():
    _, request = request_of("y ~ arm + (1 | id)")
    columns = request.payload["columns"]
    assert wire.is_missing(columns["v1"]["values"]).tolist() == [False, True, False, False]
    assert columns["v3"]["codes"].tolist() == [1, 1, 2, wire.MISSING_INTEGER]


def test_only_columns_of_the_model_travel():
    _, request = request_of("y ~ 1 + (1 | id)")
    assert dict(request.names) == {"v1": "y", "v2": "id"}
    assert list(request.payload["columns"]) == ["v1", "v2"]


@given(st.text(min_size=1).map(lambda text: HOSTILE + text))
def test_no_name_or_level_travels(text):
    cohort = cohort_of(
        outcome=text, week=text + "2", arm=text + "3", subject=text + "4", levels=(text + "5", text + "6")
    )
    formula = Formula(
        outcome=text,
        terms=((Atom(column=text + "2"),), (Atom(column=text + "3"),)),
        random=(RandomTerm(terms=((Atom(column=text + "2"),),), grouping=(text + "4",)),),
    )
    sent = lmm_request(LmmSpec(formula=formula), cohort)
    assert "pwned" not in json.dumps(wire.unframe(wire.frame(sent.payload)[wire.HEADER :]), default=str)
    spec = GbtmSpec(outcome=text, time=text + "2", subject=text + "4", orders=(1, 1))
    assert b"pwned" not in wire.frame(gbtm_request(spec, cohort).payload)


def trajectory_cohort():
    """The second row has no outcome; ages and arms belong to subjects."""
    return Cohort(
        name="small",
        subject="id",
        time="week",
        numeric={
            "y": np.array([1.0, np.nan, 3.0, 4.0, 2.0]),
            "week": np.array([0.0, 1.0, 0.0, 1.0, 3.0]),
            "age": np.array([50.0, 50.0, 61.0, 61.0, 61.0]),
            "days": np.array([7.0, 7.0, 7.0, 5.0, 7.0]),
        },
        factors={
            "arm": Factor(codes=np.array([0, 0, 1, 1, 1]), levels=("three", "six")),
            "id": Factor(codes=np.array([0, 0, 1, 1, 1]), levels=("a", "b")),
        },
    )


def values_of(request, letter):
    return request.payload["columns"][letter]["values"]


def test_covariates_of_trajectories_travel_as_columns_of_their_design():
    spec = GbtmSpec(
        outcome="y",
        time="week",
        subject="id",
        orders=(1, 1),
        family="poisson",
        exposure="days",
        covariates="arm:week",
        common="age",
        membership="arm",
    )
    request = gbtm_request(spec, trajectory_cohort())
    tree = request.payload["spec"]
    assert (tree["outcome"], tree["time"], tree["subject"], tree["exposure"]) == ("v1", "v2", "v3", "v4")
    assert tree["trials"] is None
    # The classes have slopes of their own, so that arm:week is the difference of the second arm's.
    (six,), (age,), (arm,) = tree["covariates"], tree["common"], tree["membership"]
    assert len({"v1", "v2", "v3", "v4", six, age, arm}) == 7
    # No row without an outcome has a value, because none was coded there.
    assert values_of(request, six) == pytest.approx([0, np.nan, 0, 1, 3], nan_ok=True)
    assert values_of(request, age) == pytest.approx([50, np.nan, 61, 61, 61], nan_ok=True)
    assert values_of(request, arm) == pytest.approx([0, np.nan, 1, 1, 1], nan_ok=True)
    assert wire.is_missing(values_of(request, arm)).tolist() == [False, True, False, False, False]


def test_trajectories_without_time_travel_with_a_column_of_zeros():
    spec = GbtmSpec(outcome="y", time=None, subject="id", orders=(0, 0))
    request = gbtm_request(spec, trajectory_cohort())
    assert values_of(request, "v2").tolist() == [0, 0, 0, 0, 0]
    assert len(request.payload["spec"]["basis"]) == 0


def test_a_spline_of_time_travels_as_its_columns():
    spec = GbtmSpec(outcome="y", time="week", subject="id", orders=(2,), knots=(1.0,))
    request = gbtm_request(spec, trajectory_cohort())
    first, second = request.payload["spec"]["basis"]
    assert values_of(request, first) == pytest.approx([0, np.nan, 0, 1, 3], nan_ok=True)
    # With knots 0, 1, 3: (t^3 - (t-3)^3_+) / 3 - ((t-1)^3_+ - (t-3)^3_+) / 2.
    assert values_of(request, second) == pytest.approx([0, np.nan, 0, 1 / 3, 9 - 4], nan_ok=True)


def test_a_factor_under_the_double_bar_is_refused_because_r_would_fit_another_model():
    spec = LmmSpec(formula=parse_formula("y ~ week + (1 + arm || id)"))
    case = Case(name="small", cohort=cohort_of(), spec=spec, references=())
    with pytest.raises(EngineError, match="leaves the levels of a factor correlated"):
        lme4_request("lme4", case)


def test_terms_come_back_as_they_are_written():
    text = "y ~ poly(week, 2) * arm + C(arm, sum) + ns(week, 3) + log(week) + (1 | id)"
    formula, request = request_of(text)
    letter = next(letter for letter, name in request.names.items() if name == "arm")
    labels = ["poly(v3, 2)", letter, "ns(v3, 3)", "log(v3)", f"{letter}:poly(v3, 2)"]
    expected = ("poly(week, 2)", "arm", "ns(week, 3)", "log(week)", "poly(week, 2):arm")
    assert our_terms("lmerTest", labels, formula.terms, request) == expected


def test_a_term_that_the_model_does_not_have_is_refused():
    formula, request = request_of("y ~ week * arm + (1 | id)")
    with pytest.raises(EngineError, match="it has a term"):
        our_terms("lmerTest", ["v3:v9"], formula.terms, request)


def test_a_factor_travels_once_for_each_of_its_codings():
    _, request = request_of("y ~ C(arm, sum) + C(arm, helmert) + (1 | id)")
    assert list(request.names.values()).count("arm") == 2
    assert sorted(request.payload["spec"]["codings"].values()) == ["helmert", "sum"]


def test_levels_of_combined_factors_come_back():
    _, request = request_of("y ~ week + (1 | arm:id)")
    grouping = request.payload["spec"]["random"][0]["grouping"]
    assert request.label("L2:L1", grouping) == "six:a"
