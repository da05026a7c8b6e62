"""What ends a command with which status, and that reports are written whole or not at all."""

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from harness import cli, runs
from harness.cases import Support
from harness.engines import solve
from harness.errors import EngineError
from harness.quantities import Failure, Reading

CASE = "sleepstudy__random_slope_reml"
OTHER = "sleepstudy__random_slope_ml"
MIXED_ORDERS = "beat_the_blues__bdi_mixed_orders"
NAMES = ("run.json", "run.schema.json", "junit.xml", "summary.md", "index.html")
REPORT = {"report", "report/history.sqlite", *(f"report/{name}" for name in NAMES)}

# ---- names, options, folders ----


@pytest.mark.parametrize("command", ["check", "compare", "record"])
@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", f"../cases/{CASE}", "", ".", "no_such_case", "a\nb"])
def test_what_is_no_case_is_refused(harness, command, name):
    reason = ["--reason", "to see"] if command == "record" else []
    status, output, error = harness.run(command, *reason, "--", name)
    assert status == cli.USAGE
    assert not output
    assert f"no case {name!r}; expected the name of a case" in error
    assert not harness.files


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("no_such_case", "no case 'no_such_case'; expected the name of a case"),
        ("../../x", "no case '..'; expected the name of a case"),
        ("/etc/passwd", "'/etc/passwd'; expected CASE, CASE/ENGINE or CASE/ENGINE/QUANTITY"),
        ("", "''; expected CASE, CASE/ENGINE or CASE/ENGINE/QUANTITY"),
    ],
)
def test_what_names_no_verdict_is_refused(harness, name, found):
    status, output, error = harness.run("explain", "--", name)
    assert status == cli.USAGE
    assert not output
    assert found in error
    assert not harness.files


def test_unknown_cases_are_listed_with_near_matches(harness):
    status, _, error = harness.run("check", CASE, "sleepstudy__random_slope_remll", "nothing")
    assert status == cli.USAGE
    assert "cases: 2 problems" in error
    assert f"Did you mean '{CASE}'" in error


@pytest.mark.parametrize(
    "arguments",
    [["--nonsense"], ["check", "--nonsense"], ["nonsense"], ["compare", "--data"], ["explain"], ["record", CASE]],
)
def test_an_unknown_command_or_option_is_a_usage_error(harness, arguments):
    status, output, error = harness.run(*arguments)
    assert status == cli.USAGE
    assert not output
    assert "Traceback" not in error
    assert not harness.files


def test_a_report_folder_that_is_a_link_or_a_file_is_refused_before_anything_is_fitted(harness, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.crosscheck.solve", lambda _: pytest.fail("it was fitted"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "file").write_text("")
    for command in ("check", "compare", "explain"):
        for name, kind in (("link", "a link"), ("file", "a file")):
            status, _, error = harness.run(command, CASE, "--report", name)
            assert status == cli.USAGE
            assert f"is {kind}; expected a folder" in error
    assert harness.files == {"elsewhere", "link", "file"}


def test_a_report_that_cannot_be_written_is_no_internal_error(harness, tmp_path):
    (tmp_path / "file").write_text("")
    status, _, error = harness.run("check", CASE, "--report", "file/report")
    assert status == cli.USAGE
    assert "Not a directory" in error


# ---- statuses ----


def test_a_check_that_agrees_has_status_0_and_writes_the_report(harness, tmp_path):
    status, output, error = harness.run("check", CASE)
    assert status == cli.AGREE, error
    assert CASE in output
    assert harness.files == REPORT
    assert json.loads((tmp_path / "report" / "run.json").read_text())["summary"]["overall"] == "agree"


def test_nothing_on_standard_error_where_nothing_is_wrong(harness):
    assert not harness.run("check", CASE)[2]


@pytest.fixture
def no_pins(tmp_path_factory, monkeypatch):
    """A project without pins."""
    original = runs.fixtures_folder()
    empty = tmp_path_factory.mktemp("fixtures")
    (empty / "cases").symlink_to(original / "cases")
    (empty / "known_differences.toml").symlink_to(original / "known_differences.toml")
    monkeypatch.setattr(runs, "fixtures_folder", lambda: empty)


@pytest.mark.usefixtures("no_pins")
@pytest.mark.parametrize("command", ["check", "compare", "explain"])
def test_without_r_and_pins_nothing_is_compared_and_that_is_no_agreement(harness, command):
    status, output, error = harness.run(command, CASE)
    assert status == cli.NOTHING
    assert not output
    assert "nothing was compared: " in error
    assert "lme4 is not installed and has no recorded result" in error
    assert not harness.files


def test_a_required_engine_that_is_absent_is_status_11(harness):
    status, output, error = harness.run("compare", CASE, "--require", "lcmm")
    assert status == cli.ABSENT
    assert not output
    assert "engine lcmm absent" in error
    assert "harness doctor" in error
    assert not harness.files


def test_a_required_engine_that_nobody_knows_is_a_usage_error(harness):
    status, _, error = harness.run("compare", CASE, "--require", "lmer", "--require", "lme4")
    assert status == cli.USAGE
    assert "no engine 'lmer'; expected one of" in error


def test_recording_without_r_is_status_11(harness):
    status, _, error = harness.run("record", CASE, "--reason", "to see")
    assert status == cli.ABSENT
    assert "nothing can be recorded" in error
    assert not harness.files


def test_an_r_that_does_not_start_is_status_11(harness, monkeypatch):
    def broken():
        raise EngineError("session", "crashed", "R ended (exit status 2)")

    monkeypatch.setattr(runs, "live_engines", broken)
    status, _, error = harness.run("compare", CASE)
    assert status == cli.ABSENT
    assert "R ended (exit status 2)" in error


def test_a_bug_of_ours_is_status_3_in_one_line(harness, monkeypatch):
    monkeypatch.setattr("harness.crosscheck.solve", lambda _: 1 / 0)
    status, output, error = harness.run("check", CASE)
    assert status == cli.INTERNAL
    assert not output
    assert error == "internal error, please report it: ZeroDivisionError: division by zero\n"
    assert not harness.files


class Engine:
    """A reference in R's place that says what a function makes of our fit."""

    def __init__(self, name, answer):
        self.name = name
        self.answer = answer

    def support(self, spec):  # noqa: ARG002  # an Engine's signature
        return Support(fit=True, objective=True)

    def read(self, case, probes=(), start=None):  # noqa: ARG002  # an Engine's signature
        return self.answer(case)


def silent(name):
    """An engine that declares to give nothing."""
    return lambda _: Reading(engine=name, source="live", versions={}, not_given={"": "it gives nothing"})


def crashed(name):
    failure = Failure(reason="crashed", sentence=f"{name} took R down with it: signal SIGKILL")
    return lambda _: Reading(engine=name, source="live", versions={}, failure=failure)


def test_engines_that_give_nothing_end_as_nothing_compared(harness, monkeypatch):
    (case,) = runs.read_cases([CASE])
    live = {name: Engine(name, silent(name)) for name in case.references}
    monkeypatch.setattr(runs, "live_engines", lambda: nullcontext(live))
    status, output, _ = harness.run("compare", CASE)
    assert status == cli.NOTHING
    assert "not compared" in output


def test_an_engine_that_crashed_is_a_disagreement_in_a_complete_report(harness, tmp_path, monkeypatch):
    live = {"nlme": Engine("nlme", crashed("nlme"))}
    monkeypatch.setattr(runs, "live_engines", lambda: nullcontext(live))
    status, output, _ = harness.run("compare", CASE, OTHER)
    assert status == cli.DISAGREE
    assert "SIGKILL" in output
    assert "::error" not in output
    found = json.loads((tmp_path / "report" / "run.json").read_text())["run"]["comparisons"]
    assert len(found) == sum(len(case.references) for case in runs.read_cases([CASE, OTHER]))
    assert harness.files == REPORT


def test_github_actions_gets_one_annotation_for_one_engine_that_crashed(harness, monkeypatch):
    monkeypatch.setattr(runs, "live_engines", lambda: nullcontext({"nlme": Engine("nlme", crashed("nlme"))}))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    _, output, _ = harness.run("compare", CASE)
    (line,) = (line for line in output.splitlines() if line.startswith("::"))
    assert line.startswith("::error title=nlme%3A engine::Disagreement with nlme in 1 comparison: ")


def test_what_is_recorded_agrees_with_the_check(harness, monkeypatch, tmp_path):
    """Also where the orders of classes are found by the search, so that points and model must be those of our fit."""
    original = runs.fixtures_folder()
    project = tmp_path / "project"
    project.mkdir()
    (project / "cases").symlink_to(original / "cases")
    (project / "known_differences.toml").symlink_to(original / "known_differences.toml")
    monkeypatch.setattr(runs, "fixtures_folder", lambda: project)

    def ours_as(name):
        return lambda case: replace(solve(case).reading(against=name), engine=name, source="live", covariance=None)

    live = {name: Engine(name, ours_as(name)) for name in ("lcmm", "flexmix")}
    monkeypatch.setattr(runs, "live_engines", lambda: nullcontext(live))
    status, output, error = harness.run("record", MIXED_ORDERS, "--reason", "to see")
    assert status == cli.AGREE, error
    assert output.count("first recording") == 2
    assert harness.run("check", MIXED_ORDERS)[0] == cli.AGREE


def test_the_cases_are_listed(harness):
    status, output, _ = harness.run("cases")
    assert status == cli.AGREE
    assert output.split() == list(runs.case_names())


# ---- the real command ----


def test_the_installed_command_checks_without_r_on_the_path(tmp_path):
    """In a process of its own, with nothing on the PATH: R is not started and not missed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("R_")} | {"PATH": ""}
    script = Path(sys.executable).with_name("harness")
    command = [str(script)] if script.exists() else [sys.executable, "-c", "from harness.cli import main; main()"]

    def run(*arguments):
        return subprocess.run(
            [*command, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    agrees = run("check", CASE)
    assert (agrees.returncode, agrees.stderr) == (cli.AGREE, "")
    assert CASE in agrees.stdout
    refused = run("compare", "--data", "../nothing.csv", "--spec", "nothing.toml")
    assert refused.returncode == cli.USAGE
    assert refused.stderr == "spec nothing.toml: No such file or directory; expected a TOML file.\n"
