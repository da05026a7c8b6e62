"""The last gate: small counts, dates and small groups do not pass, whatever a section hands over."""

from dataclasses import replace

import pytest

from harness.study.disclosure import Gate
from harness.study.section import Estimate, Picture, Section, Table

GATE = Gate(limit=11)
EMPTY = Section(key="S1", title="t")


def table(*rows, header=("what", "patients"), **words):
    return Table(name="demo", caption=words.pop("caption", "c"), header=header, rows=rows, **words)


@pytest.mark.parametrize(
    "text",
    [
        "3 of 94 responded",
        "91 of 94 were rated",
        "91/94",
        "0 of 5 patients",
        "7 (7.4 %)",
        "class 2 has 7 patients",
        "7 responders",
        "n = 7",
        "rated on 2019-06-29",
        "rated on 29.06.2019",
        "on 29 June 2019",
        "Jun 29, 2019",
        "06/29/2019",
    ],
)
def test_such_a_text_does_not_pass(text):
    assert GATE.reason_against_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "0 of 94 responded",
        "94 of 94 were rated",
        "40 of 94 responded",
        "fewer than 11 of 94 patients",
        "< 10 patients",
        "27 (28.7 %)",
        "at least 10 patients and a fifth",
        "94 patients",
        "n = 94",
        "n = 7.5",
        "3 of 50 starts ended there",
        "2 of 6 distinct visits",
        "F(3, 205.1) = 2.20",
        "cuts 12/24/35",
        "madrs <= 10 or gad7 <= 4",
        "visits 1 to 4, days 7 to 13",
        "class 2 (18.2 %)",
        "in 2019",
        "1.5/3",
        "MADRS-S: 9-item, 3-day recall",
    ],
)
def test_such_a_text_passes(text):
    assert GATE.reason_against_text(text) is None


@pytest.mark.parametrize(
    "spoilt",
    [
        table(("four", 7)),
        table(("four", 7.0)),
        table(("four", 94), ("six", 10)),
        table(("patients lost", 7, 30), header=("what", "four", "six")),
        table(("four", "7 (7.4 %)"), header=("what", "response")),
        table(("four", 94), caption="Means of 7 patients"),
        table(("four", 94), notes=("3 of 94 lost",)),
    ],
)
def test_such_a_table_does_not_pass(spoilt):
    assert GATE.reason_against_table(spoilt)


@pytest.mark.parametrize(
    "fine",
    [
        table(("four", 94), ("six", "< 11"), ("seven", None), ("eight", 0)),
        table(("a", 3), header=("what", "parameters")),
        table(("a", 3), header=("what", "classes of patients")),
        table(("a", 1.5), header=("what", "patients")),
        table(header=("what", "patients")),
    ],
)
def test_such_a_table_passes(fine):
    assert GATE.reason_against_table(fine) is None


@pytest.mark.parametrize(
    ("value", "n"),
    [(7 / 94, 94), (87 / 94, 94), (0.25, 40), (0.5, 10), (12.5, 7)],
)
def test_a_share_of_a_known_number_is_a_count(value, n):
    assert GATE.reason_against_estimate(Estimate(path="a", label="b", value=value, denominator=n))


@pytest.mark.parametrize(
    ("value", "n"),
    [(27 / 94, 94), (0.0, 94), (1.0, 94), (0.1139, 209), (-0.05, 94), (31.2, 94), (7 / 94, None)],
)
def test_what_tells_no_small_count_passes(value, n):
    assert GATE.reason_against_estimate(Estimate(path="a", label="b", value=value, denominator=n)) is None


def test_text_in_a_figure_counts_too():
    svg = "<svg><text>class 1</text><text>7 subjects assigned</text></svg>"
    picture = Picture(name="a", caption="b", description="c", svg=svg)
    assert GATE.reason_against_picture(picture)
    assert GATE.reason_against_picture(replace(picture, svg="<svg><text>10</text></svg>")) is None


def test_what_does_not_pass_is_left_out_and_said_to_be():
    section = replace(
        EMPTY,
        paragraphs=("fine", "3 of 94"),
        warnings=("mind", "n = 2"),
        tables=(table(("four", 94)), replace(table(("four", 7)), name="spoilt")),
        pictures=(Picture(name="spoilt_figure", caption="b", description="7 patients", svg="<svg/>"),),
        estimates=(Estimate(path="a", label="b", value=0.1, denominator=20), Estimate(path="c", label="d", value=1.5)),
    )
    passed = GATE.passed(section)
    assert passed.paragraphs == ("fine",)
    assert [each.name for each in passed.tables] == ["demo"]
    assert passed.pictures == ()
    assert [each.path for each in passed.estimates] == ["c"]
    assert passed.warnings == (
        "mind",
        "Withheld: table spoilt, because a count from 1 to 10 could be read off.",
        "Withheld: figure spoilt_figure, because a count from 1 to 10 could be read off.",
        "Withheld: estimate a, because a count from 1 to 10 could be read off.",
        "Withheld: a sentence, because a count from 1 to 10 could be read off.",
        "Withheld: a sentence, because a count from 1 to 10 could be read off.",
    )
    assert GATE.reasons(passed) == []


def test_a_section_without_small_counts_passes_unchanged():
    section = replace(EMPTY, paragraphs=("fine",), tables=(table(("four", 94)),))
    assert GATE.passed(section) == section
