"""A step that can't be taken becomes a section that says so, and nothing in the report claims otherwise."""

from dataclasses import replace

import pytest

from harness.study.run import run_study
from harness.study.study_file import read_study

REFUSED = ["S6", "S7", "S8", "S10"]


@pytest.fixture(scope="module")
def without_classes(studies):
    """Return the report of a plan whose number of classes is none of those tried: no trajectory model is there."""
    plan = read_study(studies / "beat_the_blues.toml")
    told = []
    report = run_study(
        replace(plan, classes=(1, 2), chosen_classes={"bdi": 7}, cross_check=False), progress=told.append
    )
    return report, told


def test_its_section_gives_the_reason_and_nothing_else(without_classes):
    report, _ = without_classes
    empty = [section for section in report.sections if not (section.tables or section.estimates)]
    assert [section.key for section in empty] == REFUSED
    for section in empty:
        (warning,) = section.warnings
        assert warning.startswith("This step could not be taken. ")
        assert "7 classes; expected one of 1, 2, which are tried" in warning
        assert section.title


def test_the_other_steps_are_taken(without_classes):
    report, told = without_classes
    assert [section.key for section in report.sections] == [f"S{k}" for k in range(12)]
    assert told[0] == "reading the data"
    assert set(report.provenance.seconds) == {f"S{k}" for k in range(11)}


def test_methods_and_checklists_do_not_claim_it(without_classes):
    report, _ = without_classes
    assert not any("trajectory models" in text or "three-step" in text for text in report.methods)
    grolts = {answer.item.number: answer.standing for answer in report.checklists[0].answers}
    assert {grolts[number] for number in ("6a", "7", "9", "11", "13", "14a", "14c", "15")} == {"not in this report"}
    assert grolts["1"] == "reported"
