"""The summary of a CI step."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.reports.markdown import MOST_BYTES, escape, render

SPECIAL = "\\`*_{}[]#+|~!$"


@given(st.text())
def test_escaped_text_holds_no_markdown_and_no_html(text):
    shown = escape(text)
    assert "\n" not in shown
    assert not re.search(r"[<>@]", shown)
    bare = re.sub(r"\\[\\`*_{}\[\]#+|~!$:-]", "", shown)
    assert not set(bare.replace("&#64;", "")) & set(SPECIAL)


def test_pipes_backticks_and_tags_are_escaped():
    assert escape("a|b `c` <d> & @me") == r"a\|b \`c\` &lt;d&gt; &amp; &#64;me"
    assert escape("one\ntwo") == r"one\\ntwo"


@pytest.mark.parametrize("name", ["mixed", "disagreement", "hostile", "singular", "many verdicts"])
def test_every_row_of_a_table_has_as_many_cells_as_its_head(sample_runs, name):
    widths = []
    for line in render(sample_runs[name]).splitlines():
        cells = len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) if line.startswith("| ") else 0
        if cells and widths and widths[-1]:
            assert cells == widths[-1]
        widths.append(cells)
    assert max(widths) == 13


def test_no_tag_of_the_data_survives(sample_runs):
    text = render(sample_runs["hostile"])
    assert "<" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;" in text


def test_disagreements_come_first(sample_runs):
    text = render(sample_runs["disagreement"])
    assert text.index("### ✗") < text.index("| case |")
    rows = [line for line in text[text.index("| case |") :].splitlines() if line.startswith("| ")]
    assert "✗ disagree" in rows[2]


def test_agreements_are_ordered_by_how_near_they_came_to_a_limit(sample_runs):
    near, far = sample_runs["all agree, live"].comparisons[:2]
    near = replace(near, case="near", verdicts=tuple(replace(v, observed=0.009) for v in near.verdicts))
    text = render(replace(sample_runs["all agree, live"], comparisons=(far, near)))
    assert text.index("| near |") < text.index("| sleepstudy")


def test_a_run_of_many_comparisons_is_bounded_and_says_what_is_left_out(sample_runs):
    run = sample_runs["disagreement"]
    (lost,) = (c for c in run.comparisons if c.permutation and c.right.source == "pinned")
    many = replace(run, comparisons=tuple(replace(lost, case=f"case_{k}") for k in range(900)))
    text = render(many)
    assert len(text.encode()) <= MOST_BYTES
    assert "900 of 901 comparisons disagree" in text
    shown = len(re.findall(r"^\| case\\_\d+ \|", text, re.MULTILINE))
    assert shown > 80
    assert f"{900 - shown} more comparisons" in text
    assert "and 880 more disagreements" in text


def test_a_run_of_endless_texts_is_bounded(sample_runs):
    run = sample_runs["hostile"]
    (comparison,) = run.comparisons
    text = render(replace(run, comparisons=(comparison,) * 400, notes=("n" * 10_000,) * 400))
    assert len(text.encode()) <= MOST_BYTES
