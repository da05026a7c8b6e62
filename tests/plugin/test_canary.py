"""A session that did not reach its end is found out, whatever its exit status says."""

import json

import pytest

from harness import cli
from harness.pytest_plugin.canary import Canary, digest_of, read_canary, write_canary

ENDS = {"in python": "import os; os._exit(0)", "in C": "import ctypes; ctypes.CDLL(None).exit(0)"}
ASKED = ("--harness=check", "--harness-canary=canary.json")


@pytest.fixture
def command(capsys, monkeypatch):
    """Run a command; return its exit status and everything it said."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["harness", *arguments])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def test_the_canary_tells_how_many_quantities_were_judged_and_which(run, project, command):
    assert run(*ASKED).ret == 0
    found = read_canary(project / "canary.json")
    assert (found.status, found.complaint) == (0, "")
    assert found.collected == found.ended > found.judged > 100
    assert found.outcomes == {"agree": found.judged, "not compared": found.ended - found.judged}
    status, said = command("canary", "canary.json")
    assert status == 0
    assert f"{found.judged} quantities judged" in said
    assert command("canary", "canary.json", "--least", str(found.judged + 1))[0] == cli.DISAGREE


def test_a_worker_of_xdist_sings_the_same_song(run, project):
    run(*ASKED, "cases")
    alone = read_canary(project / "canary.json")
    result = run(*ASKED, "-n", "1", "cases", apart=True)
    assert result.ret == 0
    assert read_canary(project / "canary.json") == alone
    result.stdout.fnmatch_lines([f"harness: session reached its end; {alone.judged} quantities judged*"])


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_test_that_ends_the_process_leaves_no_canary(run, project, command, end):
    (project / "test_quit.py").write_text(f"def test_quit():\n    {end}\n\n\ndef test_wrong(): assert False\n")
    (project / "canary.json").write_text("an old one", encoding="utf-8")
    result = run(*ASKED, apart=True)
    # os._exit() leaves Python no say; an exit() in C, which is what R's quit() calls, can be made to fail.
    assert (result.ret == 0) == (end == ENDS["in python"])
    assert not (project / "canary.json").exists()
    status, said = command("canary", "canary.json")
    assert status == cli.USAGE
    assert "did not reach its end" in said


def test_a_session_that_is_cut_short_is_no_success(run, project, command):
    (project / "test_a.py").write_text("import pytest\n\n\ndef test_stop():\n    pytest.exit('enough', returncode=0)\n")
    result = run(*ASKED, "test_a.py", "cases")
    assert result.ret not in {0, pytest.ExitCode.NO_TESTS_COLLECTED} or read_canary(project / "canary.json").complaint
    assert result.ret != 0
    status, said = command("canary", "canary.json")
    assert status == cli.DISAGREE
    assert "only 0 of" in said


def test_a_session_that_stops_at_a_failure_says_how_far_it_came(run, project):
    (project / "pins" / "sleepstudy__random_slope_reml.lme4.json").unlink()
    assert run(*ASKED, "-x").ret == 1
    found = read_canary(project / "canary.json")
    assert found.ended == 1 < found.collected
    assert found.complaint.startswith("only 1 of")


def test_a_session_without_a_case_is_no_success(run, command):
    assert run(*ASKED, "test_other.py").ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert command("canary", "canary.json")[0] == cli.DISAGREE
    assert run("test_other.py").ret == 0
    assert run("--harness-canary=canary.json").ret == pytest.ExitCode.USAGE_ERROR


def test_a_failing_session_is_told_by_its_canary_too(run, project, command):
    (project / "test_wrong.py").write_text("def test_wrong(): assert False\n")
    assert run(*ASKED).ret == 1
    status, said = command("canary", "canary.json")
    assert status == cli.DISAGREE
    assert "exit status was 1" in said


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 2}', '{"format": 1, "judged": 5}', "[" * 100_000])
def test_another_file_is_no_canary(tmp_path, command, text):
    path = tmp_path / "canary.json"
    path.write_text(text, encoding="utf-8")
    status, said = command("canary", str(path))
    assert status == cli.USAGE
    assert "expected a file as --harness-canary writes it" in said


def test_what_is_written_is_read(tmp_path):
    canary = Canary(collected=3, ended=3, judged=2, outcomes={"agree": 2}, digest=digest_of(["b", "a"]), status=0)
    write_canary(canary, tmp_path / "canary.json")
    assert read_canary(tmp_path / "canary.json") == canary
    assert json.loads((tmp_path / "canary.json").read_text(encoding="utf-8"))["format"] == 1
    assert digest_of(["a", "b"]) == canary.digest != digest_of(["a"])
