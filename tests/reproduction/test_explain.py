"""`harness explain VERDICT`: how a verdict is named, what is printed and written, and on how few subjects."""

from dataclasses import replace

import numpy as np
import pytest

from harness import cli, runs
from harness.comparison.verdict import Attribution, Outcome
from harness.crosscheck import References
from harness.engines import solve
from harness.errors import CaseError, SpecError
from harness.quantities import ObjectiveValue
from harness.reproduction.rerun import reproduce
from harness.reproduction.shrinking import FEWEST, fewest_subjects
from harness.reproduction.verdict_name import VerdictName, read_verdict_name

CASE = "sleepstudy__random_slope_reml"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("c", ("c", None, None)),
        ("c/lme4", ("c", "lme4", None)),
        ("c/lme4/fixed[days].estimate", ("c", "lme4", "fixed[days].estimate")),
        ("c/lme4/mode[a/b,week].estimate", ("c", "lme4", "mode[a/b,week].estimate")),
    ],
)
def test_a_name_has_up_to_three_parts_and_a_quantity_may_hold_slashes(text, parts):
    case, engine, quantity = parts
    assert read_verdict_name(text, ("lme4",)) == VerdictName(case=case, engine=engine, quantity=quantity)


@pytest.mark.parametrize("text", ["", "/", "c/", "/lme4", "c/lme4/", "c/lme5"])
def test_a_name_with_an_empty_or_unknown_part_is_refused(text):
    with pytest.raises(CaseError):
        read_verdict_name(text, ("lme4",))


def explain(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["harness", "explain", *map(str, arguments)])
    try:
        cli.main()
    except SystemExit as end:
        return end.code or 0
    return 0


def test_the_command_prints_one_verdict_and_writes_its_files(without_r, monkeypatch, tmp_path, capsys):
    assert "lme4" in without_r
    name = f"{CASE}/lme4/fixed[days].standard_error"
    status = explain(monkeypatch, name, "--out", tmp_path / "out", "--report", tmp_path / "report")
    printed = capsys.readouterr().out
    assert status == 0
    assert "agree: fixed[days].standard_error: 1.5457888962" in printed
    assert "fixed[intercept].standard_error: " not in printed.split("quantities compared")[0]
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"README.md", "data.csv", "model.json", "reproduce.py", "reproduce.R", "evidence.txt"}
    assert "`x2.standard_error`" in (tmp_path / "out" / "README.md").read_text()


def test_each_engine_of_a_case_gets_a_folder(without_r, monkeypatch, tmp_path, capsys):
    assert without_r
    monkeypatch.setattr(
        runs, "read_cases", lambda names, read=runs.read_cases: [replace(read(names)[0], references=("lme4", "nlme"))]
    )
    explain(monkeypatch, CASE, "--out", tmp_path / "out", "--report", tmp_path / "report")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"lme4", "nlme"}
    assert capsys.readouterr().out.count("reproduction: ") == 2


def test_an_unknown_quantity_is_a_mistake_with_the_nearest_name(without_r, monkeypatch, tmp_path, capsys):
    assert without_r
    name = f"{CASE}/lme4/fixed[day].estimate"
    assert explain(monkeypatch, name, "--out", tmp_path / "out", "--report", tmp_path / "report") == 2
    assert "fixed[days].estimate" in capsys.readouterr().err


class MlForReml:
    """lme4 that forgot REML."""

    def read(self, case, probes=(), start=None):  # noqa: ARG002  # an Engine's signature
        side = solve(replace(case, spec=replace(case.spec, criterion="ML")))
        own = side.reading("lme4")
        said = tuple(
            ObjectiveValue(label=p.label, point=p.point, log_likelihood=side.log_likelihood(p.point)) for p in probes
        )
        return replace(own, engine="lme4", source="live", objective=(*said, *own.objective))


def test_subjects_are_left_out_while_the_cause_stays_the_same():
    (case,) = runs.read_cases([CASE])
    found = reproduce(case, "lme4", References(live={"lme4": MlForReml()}), quantity="log_likelihood", seconds=60)
    assert found.comparison.attribution is Attribution.DEFINITION
    assert found.disputed.outcome is Outcome.DISAGREE
    assert found.subjects == (FEWEST, 18)
    assert f"On {FEWEST} of 18 subjects" in found.files["README.md"]
    assert len(found.files["data.csv"].splitlines()) == 1 + 10 * FEWEST


def subjects_of(case):
    return {case.cohort.subjects.levels[code] for code in np.unique(case.cohort.subjects.codes)}


def test_the_subjects_that_matter_are_kept():
    """Two of 18, wherever they stand; the others are as many as a model needs at least."""
    (case,) = runs.read_cases([CASE])
    needed = {"309", "371"}
    found = fewest_subjects(case, "subject", lambda part: needed <= subjects_of(part), seconds=60)
    assert needed <= subjects_of(found)
    assert len(subjects_of(found)) == FEWEST


def test_without_time_or_agreement_elsewhere_all_subjects_stay():
    (case,) = runs.read_cases([CASE])

    def refuses(_):
        raise SpecError("model", [])

    for disagrees, seconds in ((lambda _: True, 0.0), (lambda _: False, 60.0), (refuses, 60.0)):
        assert subjects_of(fewest_subjects(case, "subject", disagrees, seconds)) == subjects_of(case)
