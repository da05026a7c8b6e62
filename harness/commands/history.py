"""The command that shows the history of comparisons."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.errors import HistoryError, Problem, nearest
from harness.history import FILE_NAME, last_traces
from harness.reports import history_console
from harness.terminal import say

WIDTH_OF_A_LOG = 140


def history(
    name: Annotated[str | None, typer.Argument(metavar="[CASE]", help="A case; all if none is given.")] = None,
    report: Annotated[Path, typer.Option("--report", help="The folder of the report that the history lies in.")] = Path(
        "report"
    ),
    history_file: Annotated[Path | None, typer.Option("--history", help="The file, if it lies elsewhere.")] = None,
) -> None:
    """Show how near to its limits each comparison came, run by run, and warn before a limit breaks."""
    path = history_file or report / FILE_NAME
    found = last_traces(path, name)
    if not found:
        known = {trace.case for trace in last_traces(path)}
        what = "no run" if name is None else f"no run of a case {name[:80]!r}"
        advice = "" if name is None else nearest(name, known)
        raise HistoryError(f"history {path.name}", [Problem(found=what, expected="a run", advice=advice)])
    terminal = Console()
    width = max(terminal.width, 80) if terminal.is_terminal else WIDTH_OF_A_LOG
    say(history_console.render(found, width, colour=terminal.is_terminal))
