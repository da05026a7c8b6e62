"""The command: statuses, files, and that no text of a table becomes anything but text."""

import json

import pytest

from harness import cli
from harness.locations import fixtures_folder

DATA = fixtures_folder() / "cohorts" / "ketamine_real.csv"
SPEC = fixtures_folder() / "claims" / "ketamine.toml"
REPORT = {"report", "report/claims.json", "report/claims.md"}
HEADER = "id,kind,text,n,count,place,outcome,at,model,term\n"
RIGHT = "a,percent,38.3 %,94,36,,,,,\n"
WRONG = "b,percent,83.3 %,94,36,,,,,\n"
OF_DATA = "c,mean,31.12,94,,,madrs,visit=inf1; protocol=four,,\n"


@pytest.fixture
def harness(tmp_path, monkeypatch, capfd):
    """Run a command in an empty folder; returns (status, output, error)."""
    monkeypatch.chdir(tmp_path)

    def run(table, *arguments):
        (tmp_path / "claims.csv").write_text(table, encoding="utf-8")
        monkeypatch.setattr("sys.argv", ["harness", "verify", "claims.csv", *map(str, arguments)])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code
        said = capfd.readouterr()
        return status, said.out, said.err

    run.files = lambda: {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")} - {"claims.csv"}
    run.path = tmp_path
    return run


@pytest.mark.parametrize(
    ("rows", "status", "words"),
    [
        (RIGHT, cli.AGREE, "1 claim of claims, without data: 1 consistent, 0 inconsistent, 0 not checkable."),
        (RIGHT + WRONG, cli.DISAGREE, "Perhaps two digits are transposed, for 38.3."),
        (OF_DATA, cli.NOTHING, "no data are given"),
        (RIGHT + OF_DATA, cli.AGREE, "1 not checkable"),
    ],
)
def test_the_status_says_what_was_found(harness, rows, status, words):
    ended, output, error = harness(HEADER + rows)
    assert (ended, error) == (status, "")
    assert words in " ".join(output.split())
    assert harness.files() == REPORT


def test_with_data_the_claims_of_data_are_checked(harness):
    status, output, _ = harness(HEADER + OF_DATA, "--data", DATA, "--spec", SPEC, "--report", "out")
    assert status == cli.AGREE
    assert "against ketamine_real: 1 consistent" in output
    document = json.loads((harness.path / "out" / "claims.json").read_text(encoding="utf-8"))
    (claim,) = document["claims"]
    mean = next(finding for finding in claim["findings"] if finding["check"] == "the data: mean")
    assert mean["stands_for"] == {"lower": "31.115", "upper": "31.125"}
    assert mean["computed"] == {"lower": "2925/94", "upper": "2925/94"}


@pytest.mark.parametrize(
    ("rows", "arguments", "words"),
    [
        (RIGHT, ["--data", DATA], "--data alone; expected --data and --spec together, or neither"),
        (RIGHT, ["--spec", SPEC], "--spec alone"),
        (RIGHT, ["--data", "none.csv", "--spec", SPEC], "none.csv"),
        ("d,mean,x,,,,,,,\n", [], "line 2, column 'text': 'x'; expected a number such as 12.3"),
        ("d,mean,1,,,,madr,,,\n", ["--data", DATA, "--spec", SPEC], "line 2, column 'outcome': 'madr'"),
        ("d,se,1,,,,,,slops,week\n", ["--data", DATA, "--spec", SPEC], "Did you mean 'slopes'"),
        ("d,se,1,,,,,,slopes,weak\n", ["--data", DATA, "--spec", SPEC], "line 2, column 'term': 'weak'"),
    ],
)
def test_bad_input_is_one_message_and_nothing_is_written(harness, rows, arguments, words):
    status, output, error = harness(HEADER + rows, *arguments)
    assert (status, output) == (cli.USAGE, "")
    assert words in error
    assert "Traceback" not in error
    assert not harness.files()


def test_a_report_folder_that_is_a_link_is_refused_before_anything_is_read(harness):
    (harness.path / "elsewhere").mkdir()
    (harness.path / "link").symlink_to(harness.path / "elsewhere")
    status, _, error = harness("no table", "--report", "link")
    assert status == cli.USAGE
    assert "'link' is a link" in error
    assert not list((harness.path / "elsewhere").iterdir())


def test_names_in_a_table_are_text_in_every_report(harness):
    hostile = (
        '"=cmd|\' /C calc\'!A0","percent","38.3 %",94,36,"../../<script>alert(1)</script> [x](http://e.org)",,,,\n'
    )
    status, output, _ = harness(HEADER + hostile)
    assert status == cli.AGREE
    assert "'=cmd" in output
    markdown = (harness.path / "report" / "claims.md").read_text(encoding="utf-8")
    assert "<script>" not in markdown
    assert "[x](" not in markdown
    assert "\\[x\\]" in markdown
    document = json.loads((harness.path / "report" / "claims.json").read_text(encoding="utf-8"))
    assert document["claims"][0]["id"] == "=cmd|' /C calc'!A0"
    assert harness.files() == REPORT
