"""`harness certify` ends as its bundle does."""

import pytest

from harness import cli, runs
from harness.certification.bundle import MANIFEST

WHOLE = '[[requirement]]\nid = "PQ-ALL"\nstatement = "All equals R."\ncases = ["*"]\n'
FILES = {
    "index.html",
    "traceability.csv",
    "traceability.json",
    "traceability.schema.json",
    "environment.json",
    MANIFEST,
}


@pytest.fixture
def certify(cases, tmp_path, monkeypatch, capfd):
    """Run the command on two cases with requirements; return (exit status, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "read_cases", lambda: cases)

    def run(requirements, *arguments):
        (tmp_path / "mine.toml").write_text(requirements, encoding="utf-8")
        monkeypatch.setattr("sys.argv", ["harness", "certify", "--requirements", "mine.toml", *arguments])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code
        said = capfd.readouterr()
        return status, said.out, said.err

    return run


def test_it_succeeds_where_everything_is_shown(certify, tmp_path):
    status, output, _ = certify(WHOLE, "--out", "there")
    assert status == cli.AGREE
    assert "1 requirement: 1 shown; no orphans." in output
    assert {path.name for path in (tmp_path / "there").iterdir()} == FILES


def test_it_fails_and_still_writes_where_verdicts_have_no_requirement(certify, tmp_path):
    status, output, _ = certify(WHOLE.replace("cases", "engines").replace('"*"', '"lme4"'))
    assert status == cli.DISAGREE
    assert "orphan: no requirement asks for" in output
    assert (tmp_path / "bundle" / MANIFEST).exists()


def test_it_fails_where_a_requirement_asks_in_vain(certify):
    status, output, _ = certify(WHOLE.replace('"*"', '"*", "no_such_case"'))
    assert status == cli.DISAGREE
    assert "PQ-ALL not examined" in output
    assert "orphan: PQ-ALL asks for the case 'no_such_case'" in output


def test_bad_requirements_are_refused_before_anything_is_fitted(certify, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.crosscheck.solve", lambda _: pytest.fail("it was fitted"))
    status, _, error = certify(WHOLE.replace("PQ-ALL", "ALL"))
    assert status == cli.USAGE
    assert "id = 'ALL'" in error
    assert not (tmp_path / "bundle").exists()
