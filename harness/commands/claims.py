"""The command that verifies claims."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness.claims import report_console, report_json, report_markdown
from harness.claims.verdict import Answer, Verification
from harness.claims.verification import verify_files
from harness.reports.write import require_folder, write_texts
from harness.terminal import AGREE, DISAGREE, NOTHING, progress, say

WIDTH_OF_A_LOG = 140


def verify(
    file: Annotated[Path, typer.Argument(metavar="CLAIMS", help="A table of printed numbers: CSV or TSV.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="The data: CSV, TSV, Parquet, Excel, SPSS, Stata, SAS.")
    ] = None,
    spec: Annotated[
        Path | None, typer.Option("--spec", help="A TOML file with the schema of the data, models, derived columns.")
    ] = None,
    report: Annotated[Path, typer.Option("--report", help="The folder that the report is written into.")] = Path(
        "report"
    ),
) -> None:
    """Judge printed numbers at their own precision: by arithmetic, and against data and models if they are given."""
    require_folder(report)
    with progress() as told:
        found = verify_files(file, data, spec, told)
    texts = {"claims.json": report_json.render(found), "claims.md": report_markdown.render(found)}
    written = write_texts(texts, report)
    terminal = Console()
    width = max(terminal.width, 80) if terminal.is_terminal else WIDTH_OF_A_LOG
    say(report_console.render(found, width, colour=terminal.is_terminal))
    say("report: " + ", ".join(str(path) for path in written))
    status = status_of(found)
    if status != AGREE:
        raise SystemExit(status)


def status_of(found: Verification) -> int:
    """Return 1 if a claim is inconsistent, 5 if none could be checked, else 0."""
    if found.count(Answer.INCONSISTENT):
        return DISAGREE
    return AGREE if found.count(Answer.CONSISTENT) else NOTHING
