"""No text of the user travels, and R's names of columns come back as ours."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cohorts.cohort import Cohort, Factor
from harness.errors import EngineError
from harness.formula import Atom, Formula, RandomTerm, parse_formula
from harness.gbtm.spec import GbtmSpec
from harness.lmm.spec import LmmSpec
from harness.references import wire
from harness.references.names import our_names
from harness.references.requests import gbtm_request, lmm_request

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
    return spec.formula, lmm_request("lme4", spec, cohort or cohort_of())


def translated(r_name, text="y ~ week * arm + week^2 + log(week) + (1 | id)"):
    formula, request = request_of(text)
    (name,) = our_names("lme4", [r_name], formula.terms, request, {"arm": ("three", "six")})
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
        random=(RandomTerm(terms=((Atom(column=text + "2"),),), subject=text + "4"),),
    )
    sent = lmm_request("lme4", LmmSpec(formula=formula), cohort)
    assert "pwned" not in json.dumps(wire.unframe(wire.frame(sent.payload)[wire.HEADER :]), default=str)
    spec = GbtmSpec(outcome=text, time=text + "2", subject=text + "4", orders=(1, 1))
    assert b"pwned" not in wire.frame(gbtm_request(spec, cohort).payload)


def test_a_factor_under_the_double_bar_is_refused_because_r_would_fit_another_model():
    with pytest.raises(EngineError, match="leaves the levels of a factor correlated"):
        request_of("y ~ week + (1 + arm || id)")
