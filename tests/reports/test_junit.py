"""JUnit XML: what CI systems count must be what was found, whatever the texts hold."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from harness.comparison.verdict import Outcome
from harness.reports import junit
from harness.reports.ranking import outcome_of


def parsed(run):
    return ET.fromstring(junit.render(run))  # noqa: S314  # written a line ago


def test_every_comparison_is_one_test_with_its_outcome(sample_runs):
    for run in sample_runs.values():
        root = parsed(run)
        suites = [suite for suite in root if suite.get("name") != "the run as a whole"]
        tests = [test for suite in suites for test in suite.iter("testcase")]
        assert len(tests) == len(run.comparisons) + len(run.skipped)
        red = sum(outcome_of(comparison) is Outcome.DISAGREE for comparison in run.comparisons)
        assert sum(test.find("failure") is not None or test.find("error") is not None for test in tests) == red
        assert [int(root.get(key)) for key in ("tests", "failures", "errors", "skipped")] == [
            len(root.findall(f".//{tag}")) for tag in ("testcase", "failure", "error", "skipped")
        ]


def test_a_disagreement_says_its_cause_and_its_worst_quantities(sample_runs):
    root = parsed(sample_runs["disagreement"])
    (failure,) = root.findall(".//failure")
    assert failure.get("type") == "local_optimum"
    assert failure.get("message").startswith("lcmm stopped at a lower optimum")
    assert "Next: Record lcmm again with more starts" in failure.text
    assert "5.2 of at most 0.01 standard errors" in failure.text
    (error,) = root.findall(".//error")
    assert error.get("type") == "engine"


def test_what_was_not_compared_is_skipped_and_nothing_compared_fails(sample_runs):
    root = parsed(sample_runs["nothing compared"])
    assert root.find(".//skipped").get("message") == "flexmix fits no random effects"
    assert root.find(".//failure").get("type") == "nothing compared"


def test_a_known_difference_that_is_gone_fails(sample_runs):
    assert parsed(sample_runs["mixed"]).find(".//failure") is None
    failure = parsed(replace(sample_runs["mixed"], notes=("an entry is stale",))).find(".//failure")
    assert failure.text == "an entry is stale"


def test_the_properties_hold_counts_and_versions(sample_runs):
    (test,) = parsed(sample_runs["pinned only"]).findall(".//testcase[@name='lcmm (pinned)']")
    found = {item.get("name"): item.get("value") for item in test.iter("property")}
    assert found["outcome"] == "agree"
    assert found["disagree"] == "0"
    assert found["right"] == "lcmm 2.2.2 with R 4.4.1, recorded 2025-11-02"


@pytest.mark.parametrize("name", ["hostile", "many verdicts"])
def test_the_text_is_bounded(sample_runs, name):
    assert len(junit.render(sample_runs[name])) < 12_000
