"""Markdown and JSON say what the page says."""

import json
import math
from dataclasses import fields

import pytest

from harness.study import report_json, report_markdown
from harness.study.section import Estimate
from harness.study.verdicts import check_counts, check_of

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}
KEYWORDS = {
    *("$schema", "$defs", "$ref", "title", "description", "type", "const", "enum", "anyOf"),
    *("items", "properties", "required", "additionalProperties"),
}


def problems(value, rule, root, where="$"):
    """Return where a value breaks a rule, for the part of JSON Schema that results.schema.json uses."""
    assert set(rule) <= KEYWORDS, f"this check does not know {set(rule) - KEYWORDS}"
    found = []
    if "$ref" in rule:
        found += problems(value, root["$defs"][rule["$ref"].removeprefix("#/$defs/")], root, where)
    if value not in rule.get("enum", [rule.get("const", value)]):
        found.append(f"{where}: {value!r} is not among the values allowed")
    if "anyOf" in rule and all(problems(value, option, root, where) for option in rule["anyOf"]):
        found.append(f"{where}: {value!r} fits no option")
    if "type" in rule and (isinstance(value, bool) or not isinstance(value, TYPES[rule["type"]])):
        return [*found, f"{where}: {value!r} is no {rule['type']}"]
    if isinstance(value, dict):
        found += [f"{where}: {key} is missing" for key in rule.get("required", ()) if key not in value]
        for key, item in value.items():
            inner = rule.get("properties", {}).get(key, rule.get("additionalProperties", {}))
            found += [f"{where}: {key} is not foreseen"] if inner is False else problems(item, inner, root, key)
    if isinstance(value, list):
        for k, item in enumerate(value):
            found += problems(item, rule.get("items", {}), root, f"{where}[{k}]")
    return found


def test_every_report_fits_the_published_schema(any_report):
    rule = json.loads(report_json.schema())
    assert problems(json.loads(report_json.render(any_report)), rule, rule) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda found: found.pop("summary"),
        lambda found: found.update(extra=1),
        lambda found: found["study"].update(seed="7"),
        lambda found: found["sections"][0]["estimates"][0]["check"].update(verdict="fine"),
        lambda found: found["sections"][0]["estimates"][0].update(value=None),
        lambda found: found["checklists"][0]["items"][0].update(standing="done"),
        lambda found: found["provenance"].pop("versions"),
    ],
)
def test_the_schema_refuses_what_is_no_report(sample_reports, spoil):
    rule, found = json.loads(report_json.schema()), json.loads(report_json.render(sample_reports["mixed"]))
    spoil(found)
    assert problems(found, rule, rule)


def test_every_field_of_an_estimate_comes_back_bit_for_bit(sample_reports):
    report = sample_reports["mixed"]
    back = json.loads(report_json.render(report))["sections"][0]["estimates"]
    for shown, estimate in zip(back, report.estimates, strict=True):
        for field in fields(Estimate):
            if field.name != "check":
                assert shown[field.name] == getattr(estimate, field.name)
        assert shown["check"]["verdict"] == check_of(estimate)


def test_numbers_that_are_not_finite_are_strings(sample_reports):
    text = report_json.render(sample_reports["hostile"])
    (estimate,) = json.loads(text, parse_constant=lambda word: pytest.fail(f"bare {word}"))["sections"][1]["estimates"]
    assert (estimate["value"], estimate["standard_error"]) == ("Infinity", "NaN")


def test_json_is_ascii_with_sorted_keys(any_report):
    text = report_json.render(any_report)
    assert text.isascii()
    assert text == json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n"


def test_the_summary_counts_the_verdicts(any_report):
    counts = json.loads(report_json.render(any_report))["summary"]["checks"]
    assert counts == check_counts(any_report.estimates)
    assert sum(counts.values()) == len(any_report.estimates)


def test_markdown_has_every_section_table_figure_and_estimate(any_report):
    text = report_markdown.render(any_report)
    assert text.count("\n## ") == len(any_report.sections) + 3
    for kind, parts in (("Table", "tables"), ("Figure", "pictures")):
        expected = sum(len(getattr(section, parts)) for section in any_report.sections)
        assert text.count(f"**{kind} S") == expected
    assert sum(text.count(f"| {mark} ") for mark in "✓✗○") == len(any_report.estimates)


def test_hostile_text_stays_in_its_cell(sample_reports):
    text = report_markdown.render(sample_reports["hostile"])
    assert "<script>" not in text
    assert "\x1b" not in text
    assert "[x](" not in text.replace("\\[", "")
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("| ")]
    for lines in blocks:
        # A bar that is text is escaped; the others part the cells.
        assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


def test_the_last_digit_of_a_double_survives(sample_reports):
    value = sample_reports["mixed"].estimates[0].value
    assert math.isclose(json.loads(json.dumps(value)), value, rel_tol=0)
