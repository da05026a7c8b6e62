"""`harness campaign`: its report, its statuses, and a run that was killed and goes on."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from harness.campaigns import report_html, report_json, report_markdown
from harness.campaigns.agreement import clopper_pearson
from harness.campaigns.campaign import Found
from harness.campaigns.replicate import replicate_case
from harness.campaigns.replicate_files import replicate_files
from harness.campaigns.report import report_of, standing_of
from harness.campaigns.store import SCHEMA, digest
from harness.campaigns.workers import run_batch
from harness.cases import read_own_case
from harness.commands.campaign import status_of
from harness.errors import CampaignError
from harness.reports.write import write_texts

PLAN = """
[campaign]
name = "tested <b>"
seed = 1
replicates = 20
batch = 5
references = ["harness"]

[factors]
subjects = [6, 8]
visits = 3

[model]
kind = "lmm"
formula = "score ~ visit * arm + (1 | subject)"
criterion = "ML"
"""


def command(folder):
    code = "from harness.cli import main; main()"
    return [sys.executable, "-c", code, "campaign", "plan.toml", "--workers", "1", "--out", str(folder)]


def test_a_run_that_is_killed_goes_on_and_ends_as_if_it_had_not_been(tmp_path, made_small_plan):
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    rows = tmp_path / "out" / "rows"
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    first = subprocess.Popen(command("out"), cwd=tmp_path, env=environment, start_new_session=True)
    try:
        until = time.monotonic() + 60
        while not list(rows.glob("*.parquet")) and time.monotonic() < until:
            time.sleep(0.005)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    there = {path.name: path.stat().st_mtime_ns for path in rows.glob("*.parquet")}
    assert there
    second = subprocess.run(command("out"), cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    assert {name: (rows / name).stat().st_mtime_ns for name in there} == there
    document = json.loads((tmp_path / "out" / "campaign.json").read_text(encoding="utf-8"))
    batches = (made_small_plan.batch_of(cell, k) for cell in made_small_plan.cells for k in range(4))
    assert document["digest"] == digest([row for batch in batches for row in run_batch(batch).rows])
    assert document["replicates"]["stored_before"] >= 5 * len(there)
    assert f"digest: {document['digest']}" in second.stdout
    assert "40 of 40 replicates in 2 cells agree" in second.stdout
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "tested &lt;b&gt;" in page
    assert "<b>" not in page


# ---- reports of rows that were made up ----


def rows_of(cell, outcomes):
    return [
        {
            **dict.fromkeys(SCHEMA.names),
            "cell": cell.key,
            "replicate": k,
            "seed": "0",
            "outcome": outcome,
            "attribution": None if outcome == "agree" else "hessian",
            "reason": "" if outcome == "agree" else "because | of <script>",
            "distance": 1e-7 * (k + 1),
            "digits": 6.5,
            "worst_ratio": 0.1 * k,
            "worst_quantity": "sigma.estimate",
            "better": "both",
            "covered_left": [True, False, True, True],
            "left_seconds": 0.001,
            "right_seconds": 0.03,
        }
        for k, outcome in enumerate(outcomes)
    ]


def made(plan, outcomes, **given):
    rows = {cell.key: rows_of(cell, of_cell) for cell, of_cell in zip(plan.cells, outcomes, strict=True)}
    values = {"computed": 40, "stored": 0, "deaths": 0, "complete": True, "versions": ({"R": "4.2.2"},), **given}
    found = Found(rows=rows, **values)
    return report_of(plan, found, command="harness campaign x", started="2026", seconds=1.0, others=0)


@pytest.mark.parametrize(
    ("required", "outcomes", "status", "standings"),
    [
        (None, [["agree"] * 20, ["disagree"] * 20], 0, ["not required", "not required"]),
        (0.8, [["agree"] * 20, ["agree"] * 20], 0, ["shown", "shown"]),
        (0.9, [["agree"] * 20, ["agree"] * 19 + ["disagree"]], 0, ["open", "open"]),
        (0.9, [["agree"] * 20, ["disagree"] * 20], 1, ["open", "below"]),
        (0.9, [["not compared"] * 20, ["not compared"] * 20], 5, ["below", "below"]),
    ],
)
def test_the_status_is_that_of_the_worst_cell(small_plan, required, outcomes, status, standings):
    report = made(small_plan(required=required), outcomes)
    assert status_of(report) == status
    assert [one.standing for one in report.cells] == standings


def test_a_rate_is_shown_only_if_its_whole_interval_is():
    # By scipy's binomtest the lower limit of 185 of 185 is 0.98026, the upper one of 90 of 100 is 0.9510.
    assert standing_of(clopper_pearson(185, 185), 0.98) == "shown"
    assert standing_of(clopper_pearson(185, 185), 0.981) == "open"
    assert standing_of(clopper_pearson(90, 100), 0.95) == "open"
    assert standing_of(clopper_pearson(90, 100), 0.952) == "below"


def test_reports_say_what_limits_them(small_plan):
    versions = ({"R": "4.2.2"}, {"R": "4.3.0"})
    outcomes = [["agree"] * 20, ["not compared"] * 20]
    report = made(small_plan(required=0.5, stop=0.1), outcomes, complete=False, deaths=2, versions=versions)
    for text in (report_markdown.render(report), report_html.render(report), report_json.render(report)):
        assert "The campaign is not complete" in text
        assert "20 replicates could not be compared" in text
        assert "2 different sets of versions" in text
        assert "Workers died 2 times" in text
    assert "A cell ends after the first batch of 5" in report_html.render(report)


def test_text_of_engines_is_data_in_every_report(small_plan):
    report = made(small_plan(), [["agree"] * 19 + ["disagree"], ["agree"] * 20])
    assert "<script" not in report_html.render(report)
    assert "because \\| of &lt;script>" in report_markdown.render(report)
    row = json.loads(report_json.render(report))["disagreements"][0]
    assert (row["replicate"], row["attribution"], row["reason"]) == (19, "hessian", "because | of <script>")


def test_the_page_has_a_picture_of_each_rate_that_can_be_read_aloud(small_plan):
    page = report_html.render(made(small_plan(required=0.9), [["agree"] * 20, ["agree"] * 10 + ["disagree"] * 10]))
    assert "subjects 8: 50.00 % [27.20, 72.80] of 20" in page
    assert page.count('role="img"') == 2 + 2 + 2 * 4
    assert "http://" not in page
    assert "https://" not in page


def test_an_empty_campaign_is_no_agreement(small_plan):
    report = made(small_plan(required=0.5), [[], []], complete=False)
    assert status_of(report) == 5
    assert "No replicate was computed" in report_html.render(report)
    assert "No replicate was computed" in report_markdown.render(report)


# ---- one replicate as files ----


@pytest.mark.parametrize("kind", ["lmm", "gbtm"])
def test_a_replicate_can_be_written_and_read_as_a_case_of_ones_own(plan, tmp_path, kind):
    made_plan = plan(kind, subjects=(12,), dropout=(0.3,))
    key = made_plan.cells[0].key
    table, spec = write_texts(replicate_files(made_plan, f"{key}:7"), tmp_path)
    case, _ = replicate_case(made_plan.cells[0], 7)
    read = read_own_case(table, spec)
    assert read.cohort.sha256 == case.cohort.sha256
    assert read.spec == case.spec


@pytest.mark.parametrize("name", ["", "7", ":7", "{key}:20", "{key}:-1", "{key}:x", "{key}", "../{key}:1"])
def test_a_replicate_that_the_plan_does_not_have_is_refused(small_plan, name):
    made_plan = small_plan()
    with pytest.raises(CampaignError, match="expected a cell's key and a number below 20"):
        replicate_files(made_plan, name.format(key=made_plan.cells[0].key))
