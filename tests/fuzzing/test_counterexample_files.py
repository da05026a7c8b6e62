"""Counterexamples on disk: read back as they were, and one clear error for anything else."""

import json
import math
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.counterexamples.file_format import (
    Counterexample,
    read_counterexample,
    read_counterexample_case,
    write_counterexample,
)
from harness.errors import CaseError
from harness.fuzzing.gbtm_strategy import gbtm_specimens
from harness.fuzzing.lmm_strategy import lmm_specimens


def kept(specimen):
    references = ("lme4",) if specimen.model["kind"] == "lmm" else ("flexmix",)
    return Counterexample(
        specimen=specimen,
        references=references,
        code="hessian",
        sentence="They differ.",
        date="2026-11-26",
        by="harness fuzz lmm --seed 1, case 9",
        note="Nothing yet.",
        versions={"lme4": "1.1-31"},
    )


def flat(counterexample):
    """Return it as text with sorted keys, because NaN is not equal to itself."""
    return json.dumps(asdict(counterexample), sort_keys=True)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(specimen=st.one_of(lmm_specimens(), gbtm_specimens()))
def test_a_counterexample_is_read_back_to_the_last_bit(specimen, tmp_path_factory):
    path = tmp_path_factory.mktemp("kept") / "fuzzed__hessian.json"
    written = kept(specimen)
    write_counterexample(written, path)
    read = read_counterexample(path)
    assert flat(read) == flat(written)
    case = read_counterexample_case(path)
    assert case.cohort.sha256 == specimen.cohort("x").sha256
    assert (case.name, case.references, case.spec) == ("fuzzed__hessian", written.references, specimen.spec())


@pytest.fixture
def document():
    """Return a small counterexample as its JSON."""
    columns = {"t": [0.0, 1.0, 0.0, 1.0], "y": [1.5, None, 2.0, 3.0]}
    return {
        "format": 1,
        "references": ["lme4"],
        "found": {"code": "hessian", "sentence": "s", "date": "2026-11-26", "by": "b"},
        "note": "",
        "subject": "id",
        "time": "t",
        "model": {"kind": "lmm", "formula": "y ~ t + (1 | id)"},
        "numbers": columns,
        "labels": {"id": ["a", "a", "b", "b"]},
    }


def refusal(text, folder):
    path = folder / "hostile.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CaseError) as raised:
        read_counterexample_case(path)
    message = str(raised.value)
    assert len(message) < 4000
    return message


def test_the_small_one_is_a_case(document, tmp_path):
    path = tmp_path / "small.json"
    path.write_text(json.dumps(document))
    case = read_counterexample_case(path)
    assert math.isnan(case.cohort.numeric["y"][1])


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("format", 2, "format"),
        ("format", True, "format"),
        ("references", [], "references"),
        ("references", ["flexmix"], "references"),
        ("references", [["lme4"]], "references"),
        ("found", {"code": 1}, "found.code"),
        ("model", {"kind": ["lmm"]}, "references"),
        ("model", {"kind": "lmm", "formula": "y ~ system(1)"}, "formula"),
        ("subject", "nobody", "subject"),
        ("time", "y2", "time"),
        ("numbers", {"t": [0.0], "y": [1.0, 2.0, 3.0, 4.0]}, "rows"),
        ("numbers", {"t": "0123", "y": [1.0, 2.0, 3.0, 4.0]}, "numbers.t"),
        ("numbers", {"t": [0, 1, 0, 10**400], "y": [1.0, 2.0, 3.0, 4.0]}, "numbers.t"),
        ("numbers", {"t": [0, 1, 0, True], "y": [1.0, 2.0, 3.0, 4.0]}, "numbers.t"),
        ("labels", {"id": ["a", "a", "b", 3]}, "labels.id"),
        ("labels", {"id": ["a", "a", "b", None]}, "id"),
        ("labels", {"id": ["a", "a", "a", "b"]}, "same subject and time"),
        ("labels", {"id": ["a", "a", "b", "b"], "y": ["a", "a", "b", "b"]}, "y"),
        ("levels", {"id": [1]}, "levels.id"),
        ("surprise", 1, "surprise"),
    ],
)
def test_each_fault_is_named(document, tmp_path, key, value, told):
    assert told in refusal(json.dumps({**document, key: value}), tmp_path)


def test_all_faults_of_a_file_are_named_at_once(document, tmp_path):
    message = refusal(json.dumps({**document, "subject": "nobody", "references": []}), tmp_path)
    assert "subject" in message
    assert "references" in message


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"format": NaN}', "[" * 100_000, b"\xff\xfe", '{"a": 1e999}'])
def test_what_is_no_counterexample_is_refused(tmp_path, text):
    refusal(text, tmp_path)


@pytest.mark.parametrize("key", ["format", "references", "found", "note", "subject", "model", "numbers", "labels"])
def test_nothing_may_be_left_out(document, tmp_path, key):
    del document[key]
    assert key in refusal(json.dumps(document), tmp_path)
