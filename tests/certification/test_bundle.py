"""What a bundle says, that it can be checked, and that no text of a run becomes anything but text."""

import csv
import json
import re
import subprocess
from dataclasses import replace

import jsonschema
import pytest

from harness.certification.bundle import MANIFEST, render
from harness.certification.requirement import Requirement
from harness.comparison.verdict import Attribution, Outcome
from harness.reports.write import write_texts

HOSTILE = '=cmd|"/c calc"!A1<script>alert(1)</script>\n\x1b[2J'
ALL = Requirement(
    identifier="PQ-ALL", statement="All numbers equal R's.", cases=("*",), engines=("*",), quantities=("*",)
)
CHECKED = Requirement(identifier="IQ-BANDS", statement="Bands are as stated.", check="bands")


@pytest.fixture(scope="module")
def texts(run, bundle_of):
    return render(bundle_of(run, ALL, CHECKED))


@pytest.fixture(scope="module")
def hostile(run, bundle_of, altered, with_outcome, accepting):
    """A bundle in which every text that comes from outside attacks, and not everything agrees."""
    reason = f"{HOSTILE} as the reason"
    changed = altered(run, "lme4", lambda v: replace(v, quantity=f"{HOSTILE}[{v.quantity}]", basis=HOSTILE))
    changed = with_outcome(changed, "nlme", "sigma.estimate", Outcome.KNOWN, reason)
    changed = with_outcome(changed, "lmerTest", "log_likelihood", Outcome.DISAGREE, reason)
    caused = tuple(replace(one, attribution=Attribution.HESSIAN) for one in changed.comparisons)
    changed = replace(changed, comparisons=caused, command=HOSTILE, notes=(HOSTILE,))
    changed = replace(changed, environment={**changed.environment, HOSTILE: HOSTILE})
    asked = replace(ALL, statement=HOSTILE, quantities=("*", HOSTILE))
    return render(bundle_of(changed, asked, CHECKED, known=[accepting("nlme", reason=reason)]))


def sha256sum(folder):
    return subprocess.run(["sha256sum", "-c", MANIFEST], cwd=folder, capture_output=True, text=True, check=False)


def test_the_same_run_gives_the_same_bytes(run, bundle_of, texts):
    assert render(bundle_of(run, ALL, CHECKED)) == texts


def test_the_start_of_the_run_is_the_only_time_in_a_bundle(run, bundle_of, texts):
    later = replace(run, started="2999-01-01T00:00:00+00:00", seconds=run.seconds + 1)
    again = render(bundle_of(later, ALL, CHECKED))
    same = {name: text.replace(later.started, run.started) for name, text in again.items() if name != MANIFEST}
    assert same == {name: text for name, text in texts.items() if name != MANIFEST}


def test_sha256sum_finds_every_file_of_a_bundle_unchanged(texts, tmp_path):
    write_texts(texts, tmp_path)
    checked = sha256sum(tmp_path)
    assert checked.returncode == 0
    assert sorted(line.removesuffix(": OK") for line in checked.stdout.splitlines()) == sorted(set(texts) - {MANIFEST})


@pytest.mark.parametrize(
    "name", ["index.html", "traceability.csv", "traceability.json", "traceability.schema.json", "environment.json"]
)
def test_sha256sum_finds_a_change_of_any_file(texts, tmp_path, name):
    write_texts(texts, tmp_path)
    path = tmp_path / name
    path.write_text(path.read_text(encoding="utf-8").replace("a", "b", 1), encoding="utf-8")
    checked = sha256sum(tmp_path)
    assert checked.returncode == 1
    assert f"{name}: FAILED" in checked.stdout


def test_a_bundle_never_says_more_than_what_was_shown(texts, hostile):
    for name, text in [*texts.items(), *hostile.items()]:
        found = re.findall(r"validated|certified|complian\w+|guarantee\w*|approved", text, re.IGNORECASE)
        assert not found, name


def test_the_page_says_what_was_not_shown(texts):
    page = texts["index.html"]
    for said in ("What was not shown", "Known differences", "Orphans", "no orphans", "within the limit", "recorded"):
        assert said in page


def test_the_json_fits_its_schema(texts, hostile):
    rules = json.loads(texts["traceability.schema.json"])
    jsonschema.Draft202012Validator.check_schema(rules)
    for files in (texts, hostile):
        found = list(jsonschema.Draft202012Validator(rules).iter_errors(json.loads(files["traceability.json"])))
        assert not found
    wrong = {**json.loads(texts["traceability.json"]), "is_complete": "yes"}
    assert list(jsonschema.Draft202012Validator(rules).iter_errors(wrong))


def test_json_and_csv_hold_the_same_rows(texts):
    document = json.loads(texts["traceability.json"])
    lines = list(csv.DictReader(texts["traceability.csv"].splitlines()))
    (everything,) = [one for one in document["requirements"] if one["id"] == "PQ-ALL"]
    rows = [line for line in lines if line["requirement"] == "PQ-ALL" and line["case"]]
    assert len(rows) == len(everything["rows"]) > 100
    for line, row in zip(rows, everything["rows"], strict=True):
        comparison = document["comparisons"][row["comparison"]]
        assert (line["case"], line["engine"]) == (comparison["case"], comparison["engine"])
        assert (line["quantities"], line["verdict"]) == (row["family"], row["standing"])
        assert line["limit"] == ("" if row["limit"] is None else repr(row["limit"]))
        assert line["basis"].lstrip("'") == document["bases"][row["basis"]]
        assert line["inputs_sha256"] == comparison["digest"]
        assert line["evidence_sha256"] == row["evidence"]
    own = [line for line in lines if line["requirement"] == "PQ-ALL" and not line["case"]]
    assert [line["agree"] for line in own] == [str(everything["counts"]["agree"])]


def test_evidence_changes_with_a_number_in_its_last_digit(run, bundle_of, altered, texts):
    def nudged(verdict):
        right = verdict.right_value
        return replace(verdict, right_value=right * (1 + 3e-16)) if verdict.quantity == "sigma.estimate" else verdict

    def evidence(text):
        (one,) = [one for one in json.loads(text)["requirements"] if one["id"] == "PQ-ALL"]
        return {(row["comparison"], row["family"]): row["evidence"] for row in one["rows"]}

    before = evidence(texts["traceability.json"])
    after = evidence(render(bundle_of(altered(run, "lme4", nudged), ALL, CHECKED))["traceability.json"])
    changed = {key for key in before if before[key] != after[key]}
    assert {family for _, family in changed} == {"sigma.estimate"}
    assert len(changed) == 1


def test_no_text_of_a_run_is_markup_or_a_formula(hostile):
    page = hostile["index.html"]
    assert "<script" not in page
    assert "\x1b" not in page
    for line in csv.reader(hostile["traceability.csv"].splitlines()):
        for cell in line:
            assert not cell.startswith(("=", "+", "@", "\t")), cell
            assert not (cell.startswith("-") and not re.fullmatch(r"-?[\d.e+-]+|-inf", cell)), cell
    assert all(character.isprintable() or character == "\n" for text in hostile.values() for character in text)


def test_the_environment_names_versions_and_files_and_no_place_of_this_machine(texts):
    document = json.loads(texts["environment.json"])
    assert {"numpy", "scipy", "typer"} <= set(document["packages"])
    assert document["versions"]["python"]
    assert {one["engine"] for one in document["engines"]} > {"harness", "lme4", "rates"}
    files = document["files"]
    for name in ("harness/lmm/fit.py", "reference_r/lme4.R", "fixtures/cohorts/sleepstudy.csv"):
        assert re.fullmatch(r"[0-9a-f]{64}", files[name])
    assert not [name for name in files if name.startswith(("/", "..")) or "__pycache__" in name]
    assert "/home" not in texts["environment.json"]
