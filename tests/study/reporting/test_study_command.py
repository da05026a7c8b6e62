"""`harness study` at the command line: what it writes, says and returns, and what it refuses."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness import cli
from harness.commands import study as command_of_studies
from harness.study.firewall import DurabilityNotEstimable
from harness.study.run import run_study
from harness.study.study_file import read_study

STUDIES = Path(__file__).parents[3] / "fixtures" / "studies"
FILES = {"index.html", "report.md", "results.json", "results.schema.json"}


@pytest.fixture
def command(tmp_path, monkeypatch, capfd):
    """Return a function that runs the command in an empty folder: (status, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["harness", "study", *map(str, arguments)])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code
        said = capfd.readouterr()
        return status, said.out, said.err

    return run


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("mixed", (0, "The one compared estimate agrees with R; 2 not compared.")),
        ("no R", (0, "None of 3 estimates was compared with R.")),
        ("disagreement", (1, "1 of 2 compared estimates disagrees with R; 2 not compared.")),
    ],
)
def test_the_report_is_written_and_a_disagreement_is_a_status(command, sample_reports, tmp_path, name, ending):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(command_of_studies, "run_study", lambda *_, **__: sample_reports[name])
        status, output, error = command(STUDIES / "ketamine.toml", "--report", "out")
    assert (status, error) == (ending[0], "")
    assert ending[1] in output
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES


def test_a_folder_that_is_a_link_is_refused_before_anything_is_read(command, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    status, output, error = command(tmp_path / "no.toml", "--report", "out")
    assert (status, output) == (cli.USAGE, "")
    assert "is a link; expected a folder" in error
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_study_file_that_can_not_be_used_is_one_message(command, tmp_path):
    text = (STUDIES / "ketamine.toml").read_text(encoding="utf-8")
    (tmp_path / "study.toml").write_text(re.sub(r"seed = \d+", 'seed = "x"', text).replace("starts", "strats"))
    status, output, error = command("study.toml")
    assert (status, output) == (cli.USAGE, "")
    assert "Traceback" not in error
    assert "seed" in error
    assert "strats" in error
    assert not (tmp_path / "report").exists()


# ---- follow-up that one protocol lacks, by every route ----

COUNTS = "66 of 94 patients in 'four'; 0 of 115 patients in 'six'"


def test_the_command_refuses_models_that_pool_a_follow_up(command, tmp_path):
    text = (STUDIES / "ketamine.toml").read_text(encoding="utf-8")
    visits = ", ".join(f'"{name}"' for name in ("inf1", "inf2", "inf3", "inf4", "inf5", "inf6", "fu_1wk"))
    text = text.replace('time_axis = "visit"', f'time_axis = "week"\nvisits = [{visits}]')
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    (tmp_path / "ketamine_redcap.csv").write_bytes((STUDIES / "ketamine_redcap.csv").read_bytes())
    status, output, error = command("study.toml")
    assert (status, output) == (cli.USAGE, "")
    assert COUNTS in error
    assert not (tmp_path / "report").exists()


def test_the_function_refuses_models_that_pool_a_follow_up():
    plan = read_study(STUDIES / "ketamine.toml")
    pooled = replace(plan, model_visits=(*plan.model_visits, "fu_1wk"), time_axis="week")
    with pytest.raises(DurabilityNotEstimable, match=re.escape(COUNTS)):
        run_study(pooled)


def test_the_report_tells_what_could_not_be_told(whole_study):
    (durability,) = (section for section in whole_study.sections if section.key == "S9")
    refused = [text for text in durability.warnings if text.startswith("Not estimable.")]
    assert any(COUNTS in text for text in refused)
    assert "because follow-up data were collected only in 'four'" in durability.paragraphs[0]
