"""S0 to S2: all that was declared is echoed, the rules are counted, and every patient is somewhere in the flow."""

from dataclasses import replace

import numpy as np
import pytest

from harness.study.data_checks import data_checks
from harness.study.declaration import declaration, median_gap
from harness.study.flow import flow
from harness.study.study_file import read_study


def test_what_was_declared_is_echoed(ketamine, table_of):
    section = declaration(ketamine.data, ketamine.plan)
    said = {row["declared"]: row["value"] for table in section.tables for row in table_of(section, table.name)}
    assert said["remission, MADRS"] == "a score of at most 10"
    assert said["end of treatment"].startswith("the rating before the last planned treatment")
    assert said["seed of random numbers"] == "20260701"
    assert said["SHA-256 of the study file"] == ketamine.plan.sha256
    assert said["SHA-256 of data file 1"] == ketamine.data.imported.source_sha256[0]
    assert said["primary test of two rates"].startswith("Pearson's chi-square")
    assert "how often" not in said


def test_another_declaration_is_another_echo(ketamine):
    changed = replace(ketamine.plan, seed=1, primary_test="fisher", denominator="nri", carry_baseline=False)
    before, after = declaration(ketamine.data, ketamine.plan), declaration(ketamine.data, changed)
    rows = [
        (old, new)
        for first, second in zip(before.tables, after.tables, strict=True)
        for old, new in zip(first.rows, second.rows, strict=True)
        if old != new
    ]
    assert {old[0] for old, _ in rows} == {
        "seed of random numbers",
        "primary test of two rates",
        "patients that count",
        "for sensitivity",
        "the baseline may be carried forward",
    }


def test_windows_of_recall_that_overlap_are_said(ketamine, beat_the_blues):
    assert median_gap(ketamine.data, ketamine.plan) == 3
    said = " ".join(declaration(ketamine.data, ketamine.plan).paragraphs)
    assert "MADRS over 7 days and GAD-7 over 14 days" in said
    assert "That GAD-7 changes more slowly is in part its longer window" in said
    assert np.isnan(median_gap(beat_the_blues.data, beat_the_blues.plan))
    assert "recall" not in " ".join(declaration(beat_the_blues.data, beat_the_blues.plan).paragraphs)


def test_the_sentence_about_durability_stands_where_a_protocol_lacks_follow_up(ketamine, beat_the_blues):
    sentence = "follow-up data were collected only in 'four'"
    assert sentence in " ".join(declaration(ketamine.data, ketamine.plan).paragraphs)
    said = " ".join(declaration(beat_the_blues.data, beat_the_blues.plan).paragraphs)
    assert "could not be made" not in said


def test_forced_different_ends_are_reported(ketamine, edited):
    six = {'six = { rule = "last_preinfusion" }': 'six = { rule = "window", window = [8, 12] }'}
    forced = six | {"carry_baseline = true": "carry_baseline = true\nforce_different_ends = true"}
    section = declaration(ketamine.data, read_study(edited(replace=forced)))
    assert "was forced to differ between protocols" in section.warnings[0]


def test_rules_are_counted_and_small_counts_withheld(ketamine, table_of):
    section = data_checks(ketamine.data, ketamine.plan)
    rules = {row["rule"]: row["hits"] for row in table_of(section, "rules")}
    assert rules["fewer infusions"] == 16
    assert rules["only baseline"] == "< 11"
    assert rules["follow up window"] == 0
    assert "3 rules out of" in section.paragraphs[0] or "2 rules out of" in section.paragraphs[0]


def test_accepted_violations_are_warned_of(ketamine):
    checks = tuple(
        replace(check, hits=12, accepted=True) if check.rule == "follow_up_window" else check
        for check in ketamine.data.imported.checks
    )
    data = replace(ketamine.data, imported=replace(ketamine.data.imported, checks=checks))
    assert "follow_up_window were accepted" in data_checks(data, ketamine.plan).warnings[0]


def test_days_of_visits_are_those_on_which_patients_were_rated(ketamine, table_of):
    table = ketamine.data.imported.table
    rated = table[table["madrs"].notna() | table["gad7"].notna()]
    for row in table_of(data_checks(ketamine.data, ketamine.plan), "timing"):
        own = rated[(rated["visit"] == row["visit"]) & (rated["protocol"] == row["protocol"])]["day"]
        assert (row["mean"], row["SD"]) == pytest.approx((own.mean(), own.std()))


def test_columns_that_were_not_read_are_named(ketamine, table_of):
    rows = {row["use"]: row["names"] for row in table_of(data_checks(ketamine.data, ketamine.plan), "columns")}
    assert "notes" in rows["others, not read"]
    assert "diagnosis___1" in rows["check boxes, not read"]


def test_the_flow_counts_every_rating(ketamine, table_of):
    table = ketamine.data.imported.table
    section = flow(ketamine.data, replace(ketamine.plan, small_cell_limit=3))
    for row in table_of(section, "ratings"):
        for protocol in ("four", "six"):
            for scale, title in (("madrs", "MADRS"), ("gad7", "GAD-7")):
                own = table[(table["visit"] == row["visit"]) & (table["protocol"] == protocol)]
                cell = row[f"patients in {protocol!r}, {title}"]
                n, of = int(own[scale].notna().sum()), {"four": 94, "six": 115}[protocol]
                if cell is None:
                    assert (row["visit"], protocol) in {("inf5", "four"), ("inf6", "four")}
                else:
                    assert cell == (f"> {of - 3}" if 0 < of - n < 3 else n)


def test_a_visit_that_a_protocol_does_not_plan_is_blank_and_one_without_ratings_is_nought(ketamine, table_of):
    rows = {row["visit"]: row for row in table_of(flow(ketamine.data, ketamine.plan), "ratings")}
    assert rows["inf5"]["patients in 'four', MADRS"] is None
    assert rows["fu_1mo"]["patients in 'six', MADRS"] == 0


def test_charts_that_were_counted_beforehand_head_the_flow(ketamine):
    plan = replace(ketamine.plan, charts={"screened": 300, "eligible": 240})
    section = flow(ketamine.data, plan)
    assert section.paragraphs[0] == "Charts before the file was made: screened: 300; eligible: 240."
    assert "Charts screened: 300; Charts eligible: 240; Patients with any score: 209" in section.pictures[0].description
    assert section.pictures[0].svg.count("<rect") == 1 + 2 + 1 + 2 * 4


def test_a_name_is_text_in_the_diagram_whatever_it_is(ketamine):
    plan = replace(ketamine.plan, charts={"<script>&": 300})
    assert "&lt;script&gt;&amp;" in flow(ketamine.data, plan).pictures[0].svg
