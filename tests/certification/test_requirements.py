"""Requirements are read with all their problems at once, and those of the project leave nothing out."""

import json

import pytest

from harness.certification.checks import CHECKS
from harness.certification.requirement import PHASES, matcher
from harness.certification.requirements_file import read_requirements
from harness.errors import CaseError
from harness.locations import fixtures_folder


@pytest.fixture(scope="module")
def project():
    return read_requirements(fixtures_folder() / "requirements.toml", CHECKS)


def read(tmp_path, text):
    path = tmp_path / "requirements.toml"
    path.write_text(text, encoding="utf-8")
    return read_requirements(path, CHECKS)


def test_all_problems_are_told_at_once(tmp_path):
    text = """
    nonsense = 1

    [[requirement]]
    id = "oq-1"
    statement = " "
    engines = "lme4"
    extra = true

    [[requirement]]
    id = "OQ-TWICE"
    statement = "A sentence."

    [[requirement]]
    id = "OQ-TWICE"
    statement = "A sentence."
    cases = ["*"]
    check = "bandz"

    [[outside]]
    statement = "Something."
    """
    with pytest.raises(CaseError) as caught:
        read(tmp_path, text)
    found = str(caught.value)
    assert len(caught.value.problems) == 10
    for said in (
        "unknown key 'nonsense'",
        "id = 'oq-1'",
        "statement = ' '",
        "engines = 'lme4'",
        "unknown key 'extra'",
        "id 'OQ-TWICE' 2 times",
        "nothing that shows it",
        "check and cases",
        "Did you mean 'bands'",
        "no 'reason'",
    ):
        assert said in found


@pytest.mark.parametrize("text", ["", "requirement = 1", "[requirement]\nid = 1", "not toml ["])
def test_a_file_without_requirements_is_refused(tmp_path, text):
    with pytest.raises(CaseError):
        read(tmp_path, text)


def test_what_is_not_said_asks_for_everything(tmp_path):
    asked = '[[requirement]]\nid = "OQ-1"\nstatement = "A sentence."\nengines = ["lme4"]\n'
    (one,) = read(tmp_path, asked).requirements
    assert (one.cases, one.engines, one.quantities, one.check) == (("*",), ("lme4",), ("*",), "")


def test_the_project_has_requirements_of_every_phase(project):
    assert {one.phase for one in project.requirements} == set(PHASES)
    assert {one.check for one in project.requirements if one.check} == set(CHECKS)
    assert project.outside


def test_every_quantity_of_every_pin_has_a_requirement(project):
    # The full run finds the rest: what only the judge computes. This needs no fit.
    asked = [(matcher(one.cases), matcher(one.engines), one) for one in project.requirements if not one.check]
    orphans = []
    for path in sorted((fixtures_folder() / "pins").glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        case, engine = document["case"], document["engine"]
        wanted = matcher(
            tuple(
                pattern
                for of_case, of_engine, one in asked
                if of_case(case) and of_engine(engine)
                for pattern in (*one.quantities, *one.also)
            )
        )
        orphans += [
            f"{path.name}: {quantity}"
            for quantities in document["quantities"].values()
            for quantity in quantities
            if not wanted(quantity)
        ]
    assert orphans == []
