"""The machine-readable report and its schema."""

import json
import math
from dataclasses import fields

import numpy as np
import pytest

from harness.comparison.verdict import Attribution, Outcome
from harness.quantities import Kind
from harness.reports.json_report import document, plain, render, schema

KEYWORDS = {
    *("$schema", "$defs", "$ref", "title", "description", "type", "const", "enum", "anyOf"),
    *("items", "properties", "required", "additionalProperties"),
}
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}


def problems(value, rule, root, where="$"):
    """Return where a value breaks a rule, for the part of JSON Schema that run.schema.json uses."""
    assert set(rule) <= KEYWORDS, f"this check does not know {set(rule) - KEYWORDS}"
    found = []
    if "$ref" in rule:
        found += problems(value, root["$defs"][rule["$ref"].removeprefix("#/$defs/")], root, where)
    if value not in rule.get("enum", [rule.get("const", value)]):
        found.append(f"{where}: {value!r} is not among the values allowed")
    if "anyOf" in rule and all(problems(value, option, root, where) for option in rule["anyOf"]):
        found.append(f"{where}: {value!r} fits no option")
    if "type" in rule and not has_type(value, rule["type"]):
        return [*found, f"{where}: {value!r} is no {rule['type']}"]
    return found + problems_inside(value, rule, root, where)


def has_type(value, name):
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def problems_inside(value, rule, root, where):
    found = []
    if isinstance(value, dict):
        found += [f"{where}: {key} is missing" for key in rule.get("required", ()) if key not in value]
        for key, item in value.items():
            inner = rule.get("properties", {}).get(key, rule.get("additionalProperties", {}))
            if inner is False:
                found.append(f"{where}: {key} is not foreseen")
            else:
                found += problems(item, inner, root, f"{where}.{key}")
    if isinstance(value, list):
        for k, item in enumerate(value):
            found += problems(item, rule.get("items", {}), root, f"{where}[{k}]")
    return found


NAMES = [
    "all agree, live",
    "pinned only",
    "mixed",
    "disagreement",
    "engine failure",
    "nothing compared",
    "empty",
    "hostile",
    "singular",
    "many verdicts",
]


@pytest.mark.parametrize("name", NAMES)
def test_every_run_fits_the_published_schema(sample_runs, name):
    rule = json.loads(schema())
    assert problems(json.loads(render(sample_runs[name])), rule, rule) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda run: run.pop("command"),
        lambda run: run.update(extra=1),
        lambda run: run.update(seconds="fast"),
        lambda run: run["comparisons"][0].update(outcome="fine"),
        lambda run: run["comparisons"][0]["verdicts"][0].pop("basis"),
        lambda run: run["comparisons"][0]["left"].update(source="guessed"),
    ],
)
def test_the_schema_refuses_what_is_no_run(sample_runs, spoil):
    rule, found = json.loads(schema()), json.loads(render(sample_runs["mixed"]))
    spoil(found["run"])
    assert len(problems(found, rule, rule)) >= 1


@pytest.mark.parametrize(("words", "where"), [(Outcome, "outcome"), (Kind, "kind")])
def test_the_schema_lists_the_words_of_the_harness(words, where):
    assert json.loads(schema())["$defs"][where]["enum"] == [word.value for word in words]


def test_the_schema_lists_every_attribution():
    options = json.loads(schema())["$defs"]["comparison"]["properties"]["attribution"]["anyOf"]
    assert options[0]["enum"] == [word.value for word in Attribution]


def test_every_field_of_a_verdict_is_there(sample_runs):
    run = sample_runs["disagreement"]
    shown = document(run)["run"]["comparisons"][2]["verdicts"][1]
    verdict = run.comparisons[2].verdicts[1]
    assert shown == {field.name: plain(getattr(verdict, field.name)) for field in fields(verdict)}
    assert shown["right_value"] == verdict.right_value


def test_long_and_hostile_text_is_whole(sample_runs):
    run = sample_runs["hostile"]
    back = json.loads(render(run))["run"]
    (comparison,) = run.comparisons
    assert [v["quantity"] for v in back["comparisons"][0]["verdicts"]] == [v.quantity for v in comparison.verdicts]
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


def test_keys_are_sorted_and_the_text_is_ascii(sample_runs):
    text = render(sample_runs["hostile"])
    assert text.isascii()
    assert text == json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n"


def test_a_type_that_no_report_knows_is_refused():
    with pytest.raises(TypeError, match="no JSON for object"):
        plain(object())
