"""The machine-readable report and its schema."""

import json
import math
from collections import Counter
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from harness.comparison.consensus import Consensus, Dissent
from harness.comparison.traces import Trace
from harness.comparison.triangle import Moved, Mover, Triangle
from harness.comparison.verdict import Attribution, Outcome
from harness.quantities import Kind
from harness.reports.json_report import document, render, schema
from harness.reports.json_verdicts import in_blocks
from harness.reports.plain import plain


@pytest.fixture(scope="module")
def validator():
    rules = json.loads(schema())
    jsonschema.Draft202012Validator.check_schema(rules)
    return jsonschema.Draft202012Validator(rules)


def test_every_run_fits_the_published_schema(sample_runs, validator):
    for name, run in sample_runs.items():
        problems = [
            f"{name}: {error.json_path}: {error.message}"[:300] for error in validator.iter_errors(document(run))
        ]
        assert problems == []
        assert json.loads(render(run)) == document(run)


def test_what_lies_beyond_pairs_fits_the_schema(sample_runs, validator):
    moved = Moved(quantity="sigma.estimate", ours=1.0, pinned=math.nan, live=None, mover=Mover.OURS)
    triangle = Triangle(
        case="a",
        engine="lme4",
        recorded={"lme4": "1"},
        running={},
        ours_pinned=Outcome.DISAGREE,
        live_pinned=Outcome.AGREE,
        ours_live=Outcome.DISAGREE,
        mover=Mover.OURS,
        sentence="Ours moved.",
        moved=(moved,),
    )
    dissent = Dissent(quantity="aic", values={"harness": 1.0, "lme4": "none"}, dissenter=None, sentence="")
    consensus = Consensus(case="a", engines=("harness", "lme4"), unanimous=3, dissents=(dissent,), sentence="")
    trace = Trace(case="a", engine="lme4", started=("1", "2"), ratios=(None, 0.1), digits=(1.0, 2.0), distances=(0.0,))
    run = replace(sample_runs["mixed"], triangles=(triangle,), consensus=(consensus,), traces=(trace,))
    assert list(validator.iter_errors(document(run))) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda run: run.pop("command"),
        lambda run: run.update(extra=1),
        lambda run: run.update(seconds="fast"),
        lambda run: run["comparisons"][0].update(outcome="fine"),
        lambda run: run["comparisons"][0]["verdicts"][0].pop("basis"),
        lambda run: run["comparisons"][0]["left"].update(source="guessed"),
        lambda run: run["comparisons"][0]["evidence"]["objectives"][0].update(left=None),
    ],
)
def test_the_schema_refuses_what_is_no_run(sample_runs, validator, spoil):
    found = document(sample_runs["mixed"])
    spoil(found["run"])
    assert not validator.is_valid(found)


@pytest.mark.parametrize("words", [Outcome, Kind, Attribution, Mover])
def test_the_schema_lists_the_words_of_the_harness(words):
    assert json.loads(schema())["$defs"][words.__name__]["enum"] == [word.value for word in words]


def test_every_verdict_is_there_with_its_values_in_full(sample_runs):
    for run in sample_runs.values():
        for comparison, shown in zip(run.comparisons, document(run)["run"]["comparisons"], strict=True):
            back = Counter(
                (path, str(left), str(right), block["outcome"], block["basis"], block["reason"], str(block["limit"]))
                for block in shown["verdicts"]
                for path, left, right in zip(block["quantity"], block["left_value"], block["right_value"], strict=True)
            )
            assert back == Counter(
                (
                    v.quantity,
                    str(plain(v.left_value)),
                    str(plain(v.right_value)),
                    v.outcome,
                    v.basis,
                    v.reason,
                    str(plain(v.limit)),
                )
                for v in comparison.verdicts
            )


def test_verdicts_judged_alike_share_a_block(sample_runs):
    (comparison,) = sample_runs["many verdicts"].comparisons
    agreeing, disagreeing = sorted(in_blocks(comparison.verdicts), key=lambda block: -len(block.quantity))
    assert (len(agreeing.quantity), len(disagreeing.quantity)) == (499, 1)
    assert len(render(sample_runs["many verdicts"])) < 120 * 500  # bytes a verdict


def test_a_quantity_that_no_verdict_names_stays_with_its_reading(sample_runs):
    run = sample_runs["disagreement"]
    shown = document(run)["run"]["comparisons"]
    failed = next(k for k, c in enumerate(run.comparisons) if not c.verdicts)
    assert {q["path"] for q in shown[failed]["left"]["quantities"]} == {
        q.path for q in run.comparisons[failed].left.quantities
    }
    assert shown[0]["left"]["quantities"] == []


def test_long_and_hostile_text_is_whole(sample_runs):
    run = sample_runs["hostile"]
    back = json.loads(render(run))["run"]
    (comparison,) = run.comparisons
    quantities = [path for block in back["comparisons"][0]["verdicts"] for path in block["quantity"]]
    assert sorted(quantities) == sorted(v.quantity for v in comparison.verdicts)
    assert len(back["skipped"][0]["case"]) == 100_000
    assert back["skipped"][0]["reason"] == run.skipped[0].reason


def test_numbers_that_are_not_finite_are_strings(sample_runs):
    text = render(sample_runs["hostile"])
    (pair,) = json.loads(text)["run"]["comparisons"][0]["evidence"]["objectives"]
    assert (pair["left"], pair["right"]) == ("NaN", "-Infinity")
    json.loads(text, parse_constant=lambda word: pytest.fail(f"bare {word} in the JSON"))


def test_doubles_come_back_bit_for_bit():
    value = 0.1 + 0.2
    assert json.loads(json.dumps(plain(value))) == value
    assert plain(np.float64(1 / 3)) == 1 / 3
    assert plain(np.array([[1.0, math.nan]])) == [[1.0, "NaN"]]
    assert plain(np.int64(7)) == 7


def test_keys_are_sorted_the_text_is_ascii_and_a_block_has_a_line(sample_runs):
    text = render(sample_runs["hostile"])
    assert text.isascii()
    assert text.index('"run"') < text.index('"schema_version"') < text.index('"summary"')
    mixed = render(sample_runs["mixed"])
    blocks = [line for line in mixed.splitlines() if line.startswith('{"basis"')]
    assert sum(len(json.loads(line.rstrip(","))["quantity"]) for line in blocks) == sum(
        len(comparison.verdicts) for comparison in sample_runs["mixed"].comparisons
    )


def test_a_type_that_no_report_knows_is_refused():
    with pytest.raises(TypeError, match="no JSON for object"):
        plain(object())
