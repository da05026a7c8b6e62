"""The scripts of a reproduction print the numbers of the comparison, without anything of this project."""

import csv
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from harness import runs
from harness.cases import Case
from harness.cohorts.cohort import Cohort, Factor
from harness.crosscheck import References
from harness.formula_tree import Atom, Formula, RandomTerm
from harness.lmm.spec import LmmSpec
from harness.references.live import reference_engine
from harness.reproduction.rerun import reproduce

# The two sum other terms in another order: what is left is rounding in the log-likelihood of a few hundred rows.
SAME = 1e-9


@pytest.mark.parametrize(
    ("name", "engine"),
    [
        ("sleepstudy__random_slope_reml", "lme4"),
        ("sleepstudy__uncorrelated_reml", "nlme"),
        ("penicillin__crossed_reml", "lme4"),
        ("orthodont__weights_ml", "lme4"),
        ("orthodont__distance_2_classes", "flexmix"),
        ("epil__seizures_by_treatment_2_classes", "flexmix"),
        ("bacteria__present_2_classes", "flexmix"),
        ("beat_the_blues__bdi_risk_factors_2_classes", "lcmm"),
    ],
)
def test_the_definition_gives_the_log_likelihood_of_both_at_both_optima(made, run_alone, name, engine):
    """By our engine, and by R as its pin has it; the third is numpy alone."""
    found = made(name, engine)
    numbers, model = run_alone(found.files)
    assert list(numbers) == ["the optimum of harness", f"the optimum of {engine}"]
    for point in model["points"]:
        by_definition = numbers[point["label"]]["log_likelihood"]
        assert point["log_likelihood"].keys() >= {"harness"}
        for said in point["log_likelihood"].values():
            assert by_definition == pytest.approx(said, rel=SAME)
    # The pin's own optimum at least has R's word.
    assert model["points"][1]["log_likelihood"].keys() == {"harness", engine}


def test_every_estimate_of_a_mixed_model_follows_from_the_printed_lines(made, run_alone):
    found = made("sleepstudy__random_slope_reml", "lme4", quantity="fixed[days].standard_error")
    numbers, model = run_alone(found.files)
    assert model["disputed"]["line"] == "x2.standard_error"
    for side, reading in (("harness", found.comparison.left), ("lme4", found.comparison.right)):
        said = {q.path: q.value for q in reading.quantities}
        here = numbers[f"the optimum of {side}"]
        assert here["x2.standard_error"] == pytest.approx(said["fixed[days].standard_error"], rel=SAME)
        assert here["x1.estimate"] == pytest.approx(said["fixed[intercept].estimate"], rel=SAME)
        assert here["covariance.z2.z1"] == pytest.approx(said["random.covariance[days,intercept]"], rel=SAME)
        assert here["sigma"] == pytest.approx(said["sigma.estimate"], rel=SAME)


def test_the_rows_are_the_very_doubles_that_were_used(made):
    found = made("sleepstudy__random_slope_reml", "lme4")
    rows = list(csv.DictReader(io.StringIO(found.files["data.csv"])))
    (case,) = runs.read_cases(["sleepstudy__random_slope_reml"])
    assert sorted(float(row["y"]) for row in rows) == sorted(case.cohort.numeric["reaction"].tolist())
    assert {row["g1"] for row in rows} == {str(code) for code in range(18)}


@pytest.mark.parametrize(
    ("name", "engine", "missing"),
    [
        ("sleepstudy__ar1_ml", "nlme", "residual structures"),
        ("beat_the_blues__bdi_growth_mixture", "lcmm", "random effects in classes"),
        ("epil__seizures_zip_3_classes", "crimCV", "families but gaussian, logit and Poisson"),
        ("two_rates__rare", "rates", "rates and means"),
    ],
)
def test_a_model_without_scripts_says_so_and_keeps_its_evidence(made, name, engine, missing):
    files = made(name, engine).files
    assert set(files) == {"README.md", "evidence.txt"}
    assert "There are no scripts" in files["README.md"]
    assert missing in files["README.md"]


def test_an_engine_without_an_r_script_is_named(made):
    files = made("epil__seizures_2_classes", "flexmix").files
    assert "reproduce.R" not in files
    assert "There is no R script for `flexmix` and this model." in files["README.md"]


HOSTILE = 'I(system("touch pwned"))'
LEVELS = ("a'); quit(); ('", "__import__('os').system('x') `#")


@pytest.fixture(scope="module")
def hostile():
    """Return a case in which every name is code."""
    stream = np.random.default_rng(4)
    subject = np.repeat(np.arange(12), 4)
    cohort = Cohort(
        name="hostile",
        subject="id`; q()",
        time=None,
        numeric={HOSTILE: stream.normal(size=48), '=cmd|"/c calc"!A1': stream.normal(size=48)},
        factors={
            "id`; q()": Factor(codes=subject, levels=tuple(f"s{i}\nimport os" for i in range(12))),
            "arm\n": Factor(codes=subject % 2, levels=LEVELS),
        },
    )
    terms = tuple((Atom(column=name),) for name in ('=cmd|"/c calc"!A1', "arm\n"))
    formula = Formula(outcome=HOSTILE, terms=terms, random=(RandomTerm(terms=(), grouping=("id`; q()",)),))
    return Case(name="hostile", cohort=cohort, spec=LmmSpec(formula=formula), references=("lme4",))


class Ourselves:
    """A reference that says what we say."""

    def __init__(self, case):
        self.case = case

    def read(self, case, probes=(), start=None):  # noqa: ARG002  # an Engine's signature
        reading = runs.solve(case).reading("lme4")
        return replace(reading, engine="lme4", source="live")


def test_no_name_of_a_user_is_in_a_script(hostile, run_alone):
    files = reproduce(hostile, "lme4", References(live={"lme4": Ourselves(hostile)})).files
    for file in ("reproduce.R", "reproduce.py", "data.csv"):
        for name in ("pwned", "calc", "quit()", "import os\n\n", "__import__", "q()"):
            assert name not in files[file], (file, name)
    assert re.fullmatch(r"[a-z0-9,]+", files["data.csv"].splitlines()[0])
    assert json.loads(files["model.json"])["names"]["x2"] == '=cmd|"/c calc"!A1'
    numbers, model = run_alone(files)
    said = model["points"][0]["log_likelihood"]["harness"]
    assert numbers["the optimum of harness"]["log_likelihood"] == pytest.approx(said, rel=SAME)


@pytest.mark.needs_r("lme4", "nlme", "flexmix")
@pytest.mark.parametrize(
    ("name", "engine", "path"),
    [
        ("sleepstudy__random_slope_reml", "lme4", "fixed[days].standard_error"),
        ("orthodont__weights_ml", "lme4", "fixed[age].estimate"),
        ("penicillin__crossed_reml", "lme4", "sigma.estimate"),
        ("sleepstudy__uncorrelated_reml", "nlme", "log_likelihood"),
        ("orthodont__distance_2_classes", "flexmix", "log_likelihood"),
    ],
)
def test_the_r_script_prints_the_number_of_the_engine(worker, run_in_r, name, engine, path):
    """R alone, without rpy2, against the same package through our worker."""
    (case,) = runs.read_cases([name])
    live = References(live={engine: reference_engine(engine, worker)})
    found = reproduce(case, engine, live, quantity=path)
    said = next(q.value for q in found.comparison.right.quantities if q.path == path)
    line = json.loads(found.files["model.json"])["disputed"]["line"]
    # The script's columns are those of the design: bobyqa gets there by another way, and as near as 4e-9 (penicillin).
    assert run_in_r(found.files)[line] == pytest.approx(said, rel=SAME if path == "log_likelihood" else 1e-7)
