"""The reports: the same verdicts in all of them, exact numbers in the JSON, bounded lines in the terminal."""

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.claims import Answer, report_console, report_json, report_markdown
from harness.claims.report_json import exact_text


def test_every_claim_is_in_every_report(verification):
    console, markdown = report_console.render(verification), report_markdown.render(verification)
    document = json.loads(report_json.render(verification))
    assert [claim["id"] for claim in document["claims"]] == [one.claim.id for one in verification.judged]
    for one in verification.judged:
        assert one.claim.id in console
        assert report_markdown.escape(one.claim.id) in markdown
    assert document["counts"] == {"consistent": 20, "inconsistent": 10, "not checkable": 0}
    assert document["headline"] in console


def test_lines_of_the_terminal_are_bounded_and_colour_adds_no_words(verification):
    for width in (80, 140):
        assert max(map(len, report_console.render(verification, width).splitlines())) <= width
    coloured = report_console.render(verification, 100, colour=True)
    assert "\x1b[" in coloured


def test_inconsistent_claims_come_first_in_markdown(verification):
    text = report_markdown.render(verification)
    assert text.index("### Inconsistent") < text.index("### Consistent")
    assert "*Perhaps it is a limit at 90 %.*" in text


def test_json_holds_exact_intervals_that_agree_with_the_verdicts(verification):
    judged = 0
    for claim in json.loads(report_json.render(verification))["claims"]:
        for finding in claim["findings"]:
            if finding["stands_for"] and finding["computed"]:
                ends = [
                    Fraction(finding[side][end]) for side in ("stands_for", "computed") for end in ("lower", "upper")
                ]
                meets = ends[0] <= ends[3] and ends[2] <= ends[1]
                assert meets == (finding["verdict"] == Answer.CONSISTENT.value)
                judged += 1
    assert judged > 40


@given(st.fractions(max_denominator=10**6))
def test_an_exact_text_is_the_number(number):
    assert Fraction(exact_text(number)) == number


@pytest.mark.parametrize(("number", "text"), [("1/8", "0.125"), ("-1/3", "-1/3"), ("12", "12"), ("-7/20", "-0.35")])
def test_decimals_are_written_where_they_end(number, text):
    assert exact_text(Fraction(number)) == text
