"""Cases that are drawn: the same for everybody, and as varied as they are meant to be."""

import math
import subprocess
import sys

import pytest
from hypothesis import given, settings

from harness.fuzzing.drawing import specimen_of
from harness.fuzzing.gbtm_strategy import gbtm_specimens
from harness.fuzzing.lmm_strategy import lmm_specimens

SMALL = settings(max_examples=8, deadline=None, derandomize=True)


@pytest.mark.parametrize("kind", ["lmm", "gbtm"])
def test_a_case_follows_from_the_seed_and_its_number_alone(kind):
    forwards = [specimen_of(kind, 7, index) for index in range(4)]
    backwards = [specimen_of(kind, 7, index) for index in reversed(range(4))]
    assert [repr(one) for one in forwards] == [repr(one) for one in reversed(backwards)]
    assert len({repr(one) for one in forwards}) == 4
    assert repr(specimen_of(kind, 8, 0)) != repr(forwards[0])


@SMALL
@given(specimen=lmm_specimens())
def test_every_drawn_mixed_model_is_a_case(specimen):
    case = specimen.case("drawn", ("lme4",))
    assert set(case.spec.columns) <= set(case.cohort.columns)
    assert case.cohort.n_rows == specimen.n_rows


@SMALL
@given(specimen=gbtm_specimens())
def test_every_drawn_trajectory_model_is_a_case(specimen):
    case = specimen.case("drawn", ("flexmix",))
    assert 1 <= case.spec.n_classes <= 4
    assert case.cohort.n_subjects == len(specimen.subjects)


def test_what_nobody_thinks_of_is_among_the_first_hundred():
    drawn = [specimen_of("lmm", 1, index) for index in range(100)]
    formulas = {one.model["formula"] for one in drawn}
    assert len(formulas) > 30
    assert {one.model["criterion"] for one in drawn} == {"ML", "REML"}
    assert any("weights" in one.model for one in drawn)
    assert any(math.isnan(value) for one in drawn for value in one.numbers["y"])  # missing outcomes
    assert any(len(set(one.numbers["y"])) < one.n_rows / 2 for one in drawn)  # ties
    assert any(int(one.subjects[0]) > 2**53 for one in drawn if one.subjects[0].isdigit())  # large ids
    assert any(one.labels["id"] != tuple(sorted(one.labels["id"])) for one in drawn)  # rows in no order
    assert any(max(map(abs, one.numbers["t"])) > 1000 for one in drawn)  # time around a large origin


def test_a_case_does_not_depend_on_what_is_imported():
    show = "from harness.fuzzing.drawing import specimen_of as of; print([of('lmm', 3, k) for k in (7, 123)])"
    here = f"{[specimen_of('lmm', 3, k) for k in (7, 123)]}\n"
    assert subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True).stdout == here
