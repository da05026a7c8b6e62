"""The ketamine study from its raw file to its report: every step, and nothing of a patient in any output."""

import csv
import html
import json
import re

import pytest

from harness.study import report_html, report_json, report_markdown

LIMIT = 11
STEPS = [f"S{k}" for k in range(12)]
# Words by which a header, or a row's name, says that its numbers count patients.
OF_PATIENTS = re.compile(
    r"^(?:n|of)$|\b(?:patients?|rated|responders?|hits|assigned|missing|lost|sustained|relapsed)\b"
)


@pytest.fixture(scope="module")
def outputs(whole_study):
    """Return what is written, by file."""
    return {
        "index.html": report_html.render(whole_study),
        "report.md": report_markdown.render(whole_study),
        "results.json": report_json.render(whole_study),
    }


@pytest.fixture(scope="module")
def raw(studies):
    with (studies / "ketamine_redcap.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_step_of_the_plan_is_there_in_order(whole_study):
    assert [section.key for section in whole_study.sections] == STEPS
    assert all(section.tables or section.estimates for section in whole_study.sections)


def test_no_step_was_refused_and_nothing_stopped_at_the_gate(whole_study):
    said = [text for section in whole_study.sections for text in section.warnings]
    assert [text for text in said if text.startswith(("Withheld", "This step could not be taken"))] == []


def test_every_estimate_has_a_path_of_its_own_and_no_verdict_without_r(whole_study):
    paths = [estimate.path for estimate in whole_study.estimates]
    assert len(paths) == len(set(paths)) > 100
    assert {e.check.verdict for e in whole_study.estimates if e.check is not None} == {"not compared"}


def test_tables_have_as_many_cells_as_headers(whole_study):
    for section in whole_study.sections:
        for table in section.tables:
            assert {len(row) for row in table.rows} <= {len(table.header)}, table.name
        names = [part.name for part in (*section.tables, *section.pictures)]
        assert len(names) == len(set(names)), names


def test_every_item_of_grolts_is_answered(whole_study):
    grolts = whole_study.checklists[0]
    assert [answer.item.number for answer in grolts.answers if answer.standing != "reported"] == []


# ---- privacy ----


def test_no_label_date_or_note_of_a_patient_is_in_any_output(outputs, raw):
    labels = {row["record_id"] for row in raw}
    dates = {row["visit_date"] for row in raw} - {""}
    assert (len(labels), len(dates)) == (209, 802)
    notes = ["lives with", "555-0137", "north"]
    for name, text in outputs.items():
        plain = html.unescape(text)
        found = [word for word in (*labels, *dates, *notes) if word in plain]
        assert found == [], name


def test_no_date_of_any_form_is_in_any_output(outputs):
    month = r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
    forms = (
        r"\b(?:19|20)\d\d-\d\d?-\d\d?\b",
        r"\b\d\d?[./]\d\d?[./](?:19|20)\d\d\b",
        r"\b\d\d?/\d\d?/\d\d\b",
        rf"\b\d\d? {month} (?:19|20)\d\d|\b{month} \d",
    )
    form = re.compile("|".join(forms), re.IGNORECASE)
    for name, text in outputs.items():
        assert form.findall(text) == [], name


def test_no_table_shows_a_count_from_1_to_10(outputs):
    counted = 0
    for section in json.loads(outputs["results.json"])["sections"]:
        for table in section["tables"]:
            for row in table["rows"]:
                for heading, cell in zip(table["header"], row, strict=True):
                    is_count = OF_PATIENTS.search(heading) or (OF_PATIENTS.search(str(row[0])) and cell is not row[0])
                    if is_count and isinstance(cell, int):
                        counted += 1
                        assert not 0 < cell < LIMIT, (table["name"], row)
    assert counted > 100


def test_no_text_shows_a_count_from_1_to_10(outputs, page_of):
    pairs = re.compile(r"(?<![\d.<>])\b(\d+) of (\d+)\b(?! (?:starts|classes|visits|estimates))")
    shares = re.compile(r"(?<![\d.<>])\b(?<!class )(\d+) \(\d+(?:\.\d)? %\)")
    named = re.compile(r"(?<![\d.<>])\b(\d+) (?:patients|responders|remitters|subjects)\b|\bn = (\d+)\b(?!\.)")
    texts = [data for _, data in page_of(outputs["index.html"]).texts if "{" not in data]
    texts += re.split(r"[|\n]", outputs["report.md"].replace("\\", ""))
    seen = 0
    for text in texts:
        for count, whole in pairs.findall(text):
            seen += 1
            # A share of 1 to 10 patients, or all but 1 to 10 of them.
            assert not 0 < int(count) < LIMIT, text
            assert not 0 < int(whole) - int(count) < LIMIT, text
        for count in shares.findall(text):
            seen += 1
            assert not 0 < int(count) < LIMIT, text
        for count in (one or other for one, other in named.findall(text)):
            seen += 1
            assert not 0 < int(count) < LIMIT or "at least" in text, text
    assert seen > 50


def test_no_estimate_is_a_share_of_1_to_10_patients(outputs):
    shares = 0
    for section in json.loads(outputs["results.json"])["sections"]:
        for estimate in section["estimates"]:
            n, value = estimate["denominator"], estimate["value"]
            assert n is None or n >= LIMIT
            if n and isinstance(value, float) and 0 < value < 1 and abs(value * n - round(value * n)) < 1e-9:
                shares += 1
                assert LIMIT <= round(value * n) <= n - LIMIT, estimate["path"]
    assert shares >= 8


def test_courses_are_drawn_for_no_small_class(whole_study):
    pictures = [p for section in whole_study.sections for p in section.pictures if p.name.endswith("-courses")]
    assert len(pictures) == 2
    for picture in pictures:
        panels = re.findall(r'<g id="[^"]*axes_\d+">.*?(?=<g id="[^"]*axes_|\Z)', picture.svg, re.DOTALL)
        assert len(panels) == 4
        for panel in panels:
            # Lines of single patients are thin and grey.
            lines = len(re.findall(r"stroke: #666666|stroke-opacity: 0\.[25]", panel))
            assert lines == 0 or lines >= LIMIT
