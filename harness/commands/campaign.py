"""The command that runs campaigns."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from harness.campaigns import report_html, report_json, report_markdown
from harness.campaigns.campaign import run_campaign
from harness.campaigns.plan_file import read_plan
from harness.campaigns.replicate_files import replicate_files
from harness.campaigns.report import Report, report_of
from harness.campaigns.report_words import cautions, cell_line, headline, requirement
from harness.campaigns.schedulers import workers
from harness.campaigns.store import opened
from harness.reports.write import require_folder, write_texts
from harness.terminal import AGREE, DISAGREE, INTERRUPTED, NOTHING, fail, progress, say, typed_command

MINUTE = 60.0


def campaign(
    file: Annotated[Path, typer.Argument(metavar="PLAN", help="The plan (TOML).")],
    processes: Annotated[
        int | None, typer.Option("--workers", min=1, max=1024, help="Local processes; as many as cores if not given.")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="ADDRESS", help="A Dask scheduler, such as tcp://10.0.0.1:8786."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="The folder of rows and report; what is there is not computed again.")
    ] = Path("campaign"),
    replicate: Annotated[
        str | None,
        typer.Option(
            "--replicate", metavar="CELL:NUMBER", help="Write the data and the spec of one replicate instead."
        ),
    ] = None,
) -> None:
    """Estimate how often engines agree, over simulated data: factors x replicates, resumed where a run was killed."""
    plan = read_plan(file)
    require_folder(out)
    if replicate is not None:
        table, spec = write_texts(replicate_files(plan, replicate), out)
        say(f"harness compare --data {table} --spec {spec}")
        return
    started, began = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    try:
        with (
            opened(out / "rows") as store,
            workers(processes or os.cpu_count() or 1, scheduler) as running,
            progress(every=MINUTE) as told,
        ):
            found = run_campaign(plan, running, store, lambda standing: told(str(standing)))
            others = store.others(plan.cells)
    except KeyboardInterrupt:
        fail(f"Interrupted; what is in {out} stays, and the same command goes on from there.", INTERRUPTED)
        raise
    seconds = time.monotonic() - began
    report = report_of(plan, found, command=typed_command(), started=started, seconds=seconds, others=others)
    texts = {
        "index.html": report_html.render(report),
        "summary.md": report_markdown.render(report),
        "campaign.json": report_json.render(report),
    }
    written = write_texts(texts, out)
    for one in report.cells:
        say(cell_line(one))
    say(f"{headline(report)}. {requirement(report)}".strip())
    for caution in cautions(report):
        say(caution)
    say(f"digest: {report.digest}")
    say("report: " + ", ".join(str(path) for path in written))
    status = status_of(report)
    if status != AGREE:
        raise SystemExit(status)


def status_of(report: Report) -> int:
    """Return 1 if a cell's interval lies below the required rate, 5 if nothing was compared, else 0."""
    if not report.n_compared:
        return NOTHING
    return DISAGREE if report.below else AGREE
