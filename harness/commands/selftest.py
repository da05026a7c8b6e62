"""The command that tests the judge."""

from pathlib import Path
from typing import Annotated

import typer
from joblib import cpu_count
from rich.console import Console

from harness.reports.write import require_folder, write_texts
from harness.selftest.report import render, render_json
from harness.selftest.trials import selftest as tested
from harness.terminal import DISAGREE, progress, say

WIDTH_OF_A_LOG = 140


def selftest(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="Names of cases; all if none is given.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=0, help="Processes; as many as processors if 0.")] = 0,
    report: Annotated[
        Path | None, typer.Option("--report", help="A folder that selftest.json is written into.")
    ] = None,
) -> None:
    """Test the judge: every mutation of every pin must be caught, and no harmless change flagged. R is not needed."""
    if report is not None:
        require_folder(report)
    with progress() as told:
        found = tested(names or (), workers or cpu_count(), told)
    terminal = Console()
    width = max(terminal.width, 80) if terminal.is_terminal else WIDTH_OF_A_LOG
    say(render(found, width, colour=terminal.is_terminal))
    if report is not None:
        written = write_texts({"selftest.json": render_json(found)}, report)
        say("report: " + ", ".join(str(path) for path in written))
    if not found.has_passed:
        raise SystemExit(DISAGREE)
