"""An R that dies, hangs or talks nonsense during a fit costs one comparison: the others agree, the report is whole."""

import json
import os
import signal
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from harness import cli, runs
from harness.locations import r_source_folder
from harness.references.session import live_engines
from harness.references.worker import RWorker
from harness.roster import r_files

pytestmark = pytest.mark.needs_r("lme4", "nlme")

SOURCES = (*(r_source_folder() / name for name in r_files()), Path(__file__).with_name("broken_fits.R"))
BEFORE, BROKEN, AFTER = "sleepstudy__random_slope_ml", "sleepstudy__random_slope_reml", "orthodont__uncorrelated_ml"
DEADLINE = 12.0
"""Seconds: many times what a fit takes, loading its package included."""


@pytest.fixture
def compare(tmp_path, monkeypatch, capsys):
    """Return a function that runs `harness compare` on three cases with one broken engine, and returns the report."""
    monkeypatch.chdir(tmp_path)
    began = tmp_path / "began"
    read_cases = runs.read_cases
    monkeypatch.setattr(runs, "read_cases", lambda names: tuple(map(with_two_references, read_cases(names))))

    def run(engine, fault, meanwhile=lambda _: None):
        environment = {"FAULT_IN": f"{engine}.fit", "FAULT": fault, "FAULT_BEGAN": str(began)}
        worker = RWorker(sources=SOURCES, environment=environment, deadline=DEADLINE)
        helper = threading.Thread(target=meanwhile, args=(partial(_wait_for, began, worker),))
        helper.start()
        monkeypatch.setattr(runs, "live_engines", partial(live_engines, worker))
        monkeypatch.setattr("sys.argv", ["harness", "compare", BEFORE, BROKEN, AFTER])
        with pytest.raises(SystemExit) as end:
            cli.main()
        helper.join()
        assert began.exists()
        said = capsys.readouterr()
        assert not said.err
        assert {path.name for path in Path("report").iterdir()} == FILES
        return end.value.code, json.loads(Path("report", "run.json").read_text())["run"], said.out

    return run


FILES = {"history.sqlite", "run.json", "run.schema.json", "junit.xml", "summary.md", "index.html"}


def with_two_references(case):
    return replace(case, references=("lme4", "nlme"))


def _wait_for(began, worker):
    """Return the process that runs the fit, as soon as it does."""
    until = time.monotonic() + 60
    while not began.exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    return worker.pid


def assert_only_one_failed(run, engine):
    """All six comparisons are there; the broken one says so, and nothing else disagrees."""
    pairs = {(c["case"], c["right"]["engine"]): c for c in run["comparisons"]}
    assert len(run["comparisons"]) == len(pairs) == 6
    failed = pairs.pop((BROKEN, engine))
    assert failed["outcome"] == "disagree"
    assert {c["outcome"] for c in pairs.values()} == {"agree"}
    assert {c["right"]["source"] for c in pairs.values()} == {"live"}
    assert not run["skipped"]
    return failed


@pytest.mark.parametrize(
    ("engine", "fault", "reason", "sentence"),
    [
        ("nlme", "kill", "crashed", "signal SIGKILL"),
        ("nlme", "quit", "crashed", "exit status 0"),
        ("lme4", "busy", "timeout", "no answer within 12 s"),
        ("nlme", "error", "refused", "the leading minor of order 1 is not positive"),
    ],
)
def test_an_r_that_fails_in_a_fit_is_named_and_the_other_comparisons_agree(compare, engine, fault, reason, sentence):
    status, run, output = compare(engine, fault)
    assert status == cli.DISAGREE
    failed = assert_only_one_failed(run, engine)
    assert failed["attribution"] == "engine"
    assert failed["right"]["failure"]["reason"] == reason
    assert sentence in failed["sentence"]
    assert failed["next_step"]
    assert f"DISAGREE  {BROKEN}" in output


def test_a_kill_from_outside_during_a_fit_costs_that_fit(compare):
    status, run, _ = compare("nlme", "hang", meanwhile=lambda fitting: os.kill(fitting(), signal.SIGKILL))
    assert status == cli.DISAGREE
    failed = assert_only_one_failed(run, "nlme")
    assert failed["attribution"] == "engine"
    assert "SIGKILL" in failed["sentence"]


def test_an_answer_without_its_parts_costs_that_fit(compare):
    status, run, _ = compare("lme4", "answer")
    assert status == cli.DISAGREE
    assert assert_only_one_failed(run, "lme4")["attribution"] == "engine"


def test_estimates_that_are_no_numbers_disagree(compare):
    status, run, _ = compare("lme4", "infinite")
    assert status == cli.DISAGREE
    assert_only_one_failed(run, "lme4")
