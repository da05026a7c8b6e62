"""What the terminal shows."""

from dataclasses import replace

import pytest
from rich.cells import cell_len

from harness.reports.console import render

ALL = [
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


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_line_is_wider_than_the_terminal(sample_runs, name, width):
    assert max(cell_len(line) for line in render(sample_runs[name], width).splitlines()) <= width


@pytest.mark.parametrize("name", ALL)
def test_nothing_but_printable_text_reaches_the_terminal_without_colour(sample_runs, name):
    assert all(line.isprintable() for line in render(sample_runs[name]).splitlines())


def test_colour_adds_nothing_but_colour(sample_runs):
    from rich.text import Text

    coloured = render(sample_runs["disagreement"], colour=True)
    assert "\x1b[" in coloured
    plain = "\n".join(line.rstrip() for line in Text.from_ansi(coloured).plain.splitlines())
    assert plain.split() == render(sample_runs["disagreement"]).split()


def test_pinned_and_not_compared_come_before_the_verdict(sample_runs):
    lines = render(sample_runs["disagreement"]).splitlines()
    assert lines[0].startswith("Pinned: lcmm was not installed")
    verdict = next(k for k, line in enumerate(lines) if line.startswith("DISAGREE"))
    assert max(k for k, line in enumerate(lines) if line.startswith("Not compared:")) < verdict


def test_case_names_stay_whole_at_100_columns(sample_runs):
    table = [line.split() for line in render(sample_runs["disagreement"]).splitlines()]
    assert sum(words[:1] == ["ketamine_sharp__quadratic_3_classes"] for words in table) == 2


def test_a_disagreement_has_its_sentence_next_step_objectives_and_worst_verdicts(sample_runs):
    text = render(sample_runs["disagreement"])
    block = " ".join(text[text.index("DISAGREE  ketamine") :].split())
    assert "lcmm stopped at a lower optimum: 7.76 log-likelihood units below ours." in block
    assert "Next: Record lcmm again with more starts" in block
    assert "optimum of harness -3934.120114 -3934.120114 0" in block
    assert "lcmm reached a log-likelihood of -3934.120114" in block
    assert "sigma.estimate 5.13 5.702 5.2 0.01 [1]" in block
    assert "[1] standard errors: 0.01 standard errors: a tenth" in block
    assert "and 5 more quantities disagree" in block
    assert "2 is 1, 3 is 2, 1 is 3" in block


def test_one_disagreement_among_500_is_shown(sample_runs):
    text = " ".join(render(sample_runs["many verdicts"]).split())
    assert "500 quantities compared: 499 agree, 0 known differences, 1 disagree; 0 not compared" in text
    assert "class[1].posterior[250] 0.5 0.6 1 0.01 [1]" in text


def test_agreeing_runs_have_no_blocks(sample_runs):
    assert "Next:" not in render(sample_runs["mixed"])


def test_many_reasons_are_bounded_and_counted(sample_runs):
    from dataclasses import replace

    run = sample_runs["nothing compared"]
    skipped = tuple(replace(run.skipped[0], reason=f"reason {k}") for k in range(40))
    text = render(replace(run, skipped=skipped))
    assert text.count("Not compared: ") == 12
    assert "Not compared for 29 more reasons: see the JSON report." in text


def test_markup_of_rich_in_a_name_is_text(sample_runs):
    assert "[red]" in render(sample_runs["hostile"])


def test_no_line_of_the_output_is_a_command_of_a_ci_system(sample_runs):
    comparison = sample_runs["disagreement"].comparisons[2]
    evil = replace(comparison, case="::stop-commands::x", sentence=f"{'a' * 93} ::add-mask::y ##[error]z")
    lines = render(replace(sample_runs["disagreement"], comparisons=(evil,))).splitlines()
    assert any("::stop-commands::x" in line for line in lines)
    assert not [line for line in lines if line.lstrip().startswith(("::", "##["))]
