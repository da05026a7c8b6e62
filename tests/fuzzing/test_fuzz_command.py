"""`harness fuzz`: its statuses, what it writes, and counterexamples that are kept as cases."""

import json

import pytest

from harness import cli
from harness.commands import fuzz as command
from harness.counterexamples.file_format import read_counterexample, read_counterexample_case
from harness.counterexamples.specimen import Specimen
from harness.fuzzing import fuzz
from harness.fuzzing.acceptable import Finding
from harness.fuzzing.fuzz import Caught, Examined, FuzzResult

SPECIMEN = Specimen(
    subject="id",
    time="t",
    numbers={"t": (0.0, 1.0, 2.0) * 3, "y": (1.0, 2.5, 3.0, 2.0, 2.0, 4.5, 0.1, 0.2, float("nan"))},
    labels={"id": tuple("aaabbbccc")},
    model={"kind": "lmm", "formula": "y ~ t + (1 | id)", "criterion": "ML"},
)
GOOD = Finding(code="agree", sentence="", reason="Every quantity agrees.")
BAD = Finding(code="unexplained", sentence="They differ.", reason="")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return what runs the command in an empty folder, with findings in place of fuzzing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "fixtures_folder", lambda: tmp_path / "fixtures")
    (tmp_path / "fixtures").mkdir()

    def with_findings(*findings, arguments=()):
        def found(plan, _):
            caught = [
                Caught(index=k, drawn=SPECIMEN, specimen=SPECIMEN, finding=one, tries=7, finished=True)
                for k, one in enumerate(findings)
                if not one.acceptable
            ]
            examined = tuple(Examined(index=k, finding=one, seconds=0.5) for k, one in enumerate(findings))
            return FuzzResult(plan=plan, examined=examined, caught=tuple(caught), seconds=2.0)

        monkeypatch.setattr(fuzz, "fuzz", found)
        asked = ["--engine", "lme4", "--examples", f"{len(findings) or 1}", *arguments]
        monkeypatch.setattr("sys.argv", ["harness", "fuzz", "lmm", *asked])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code
        return status, capsys.readouterr().out

    return with_findings


def test_what_agrees_leaves_a_summary_alone(run, tmp_path):
    status, said = run(GOOD, GOOD)
    assert status == 0
    assert "2 fuzzed lmm cases of seed 1 against lme4" in said
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["fuzz.json"]
    written = json.loads((tmp_path / "report" / "fuzz.json").read_text(encoding="utf-8"))
    assert written["counts"] == {"agree": 2}
    assert [case["reason"] for case in written["cases"]] == [GOOD.reason] * 2


def test_a_counterexample_is_written_and_ends_with_status_1(run, tmp_path):
    status, said = run(GOOD, BAD)
    (path,) = (tmp_path / "report").glob("fuzzed_lmm__unexplained_*.json")
    assert status == 1
    assert "NOT ACCEPTABLE" in said
    assert path.name in said
    assert not list((tmp_path / "fixtures").iterdir())
    kept = read_counterexample(path)
    assert (kept.code, kept.references) == (BAD.code, ("lme4",))
    assert kept.by.endswith("case 1")


def test_a_kept_counterexample_is_a_case_and_the_report_says_where(run, tmp_path):
    status, said = run(BAD, arguments=["--keep"])
    (path,) = (tmp_path / "fixtures" / "counterexamples").iterdir()
    assert status == 1
    assert str(path) in said
    assert f"report/{path.name}" not in said
    case = read_counterexample_case(path)
    assert case.name == path.stem
    assert case.cohort.sha256 == SPECIMEN.cohort(path.stem).sha256


def test_nothing_examined_is_no_success(run):
    assert run(arguments=["--seconds", "0"])[0] == 5
