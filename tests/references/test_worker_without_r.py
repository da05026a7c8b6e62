"""What is missing is named, with what to install, and told again without another try."""

import sys

import numpy as np
import pytest

from harness.cases import Case, Probe
from harness.cohorts import fixture_cohort
from harness.errors import EngineError
from harness.formula import parse_formula
from harness.lmm.spec import LmmSpec
from harness.references import installed_packages, reference_engine
from harness.references.doctor import examine
from harness.references.worker import RWorker


@pytest.fixture
def without_r(tmp_path):
    with RWorker(environment={"PATH": str(tmp_path), "R_HOME": None}) as worker:
        yield worker


@pytest.fixture
def without_rpy2(tmp_path):
    (tmp_path / "R").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "R").chmod(0o755)
    (tmp_path / "rpy2.py").write_text("raise ModuleNotFoundError(\"No module named 'rpy2'\", name='rpy2')\n")
    path = ":".join([str(tmp_path), *filter(None, sys.path)])
    with RWorker(environment={"PATH": str(tmp_path), "PYTHONPATH": path}) as worker:
        yield worker


def test_an_absent_r_is_named(without_r):
    for _ in range(2):
        with pytest.raises(EngineError) as caught:
            without_r.request("lme4.fit", {})
        assert (caught.value.engine, caught.value.reason) == ("lme4", "absent")
        assert "no R on the PATH" in str(caught.value)
        assert "r-base-core" in str(caught.value)
    assert without_r.pid is None


def test_an_absent_rpy2_is_named(without_rpy2):
    with pytest.raises(EngineError, match="no Python package rpy2") as caught:
        installed_packages(without_rpy2)
    assert caught.value.reason == "absent"
    assert "pip install" in str(caught.value)


def test_a_bridge_that_does_not_load_is_absent_with_its_own_words(tmp_path):
    (tmp_path / "R").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "R").chmod(0o755)
    (tmp_path / "rpy2.py").write_text("raise ImportError('undefined symbol: R_getVar')\n")
    path = ":".join([str(tmp_path), *filter(None, sys.path)])
    with (
        RWorker(environment={"PATH": str(tmp_path), "PYTHONPATH": path}) as worker,
        pytest.raises(EngineError, match="does not load: undefined symbol: R_getVar") as caught,
    ):
        worker.request("lme4.fit", {})
    assert caught.value.reason == "absent"


def test_an_absent_r_is_a_reading_with_a_failure(without_r):
    spec = LmmSpec(formula=parse_formula("reaction ~ days + (1 + days | subject)"))
    case = Case(name="sleepstudy", cohort=fixture_cohort("sleepstudy"), spec=spec, references=("lme4",))
    reading = reference_engine("lme4", without_r).read(case, (Probe(label="a", point=(1.0, 0.0, 1.0)),))
    assert reading.failure is not None
    assert reading.failure.reason == "absent"
    assert "no R on the PATH" in reading.failure.sentence
    assert reading.quantities == ()


def test_the_doctor_says_what_to_install(without_r):
    findings = {finding.name: finding for finding in examine(without_r)}
    assert findings["Python"].ok
    assert not findings["R"].ok
    assert "Install R" in findings["R"].detail


def test_what_can_not_travel_is_refused_before_r_is_started():
    with RWorker() as worker, pytest.raises(TypeError, match="can't travel"):
        worker.request("session.echo", {"x": np.array([2**40])})
