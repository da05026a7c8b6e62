"""The command that traces requirements to verdicts."""

from pathlib import Path
from typing import Annotated

import typer

from harness.certification.bundle import MANIFEST, render
from harness.certification.certify import certify as traced
from harness.certification.statements import told
from harness.reports.write import require_folder, write_texts
from harness.terminal import DISAGREE, progress, say, typed_command


def certify(
    out: Annotated[Path, typer.Option("--out", help="The folder that the bundle is written into.")] = Path("bundle"),
    requirements: Annotated[
        Path | None, typer.Option("--requirements", help="Requirements of your own (TOML), on the project's cases.")
    ] = None,
    *,
    live: Annotated[bool, typer.Option("--live", help="Run R where it is installed; else recorded results.")] = False,
) -> None:
    """Trace every requirement to the verdicts that show it, as a bundle for IQ, OQ and PQ. R is not needed."""
    require_folder(out)
    with progress() as at:
        found = traced(typed_command(), at, live=live, requirements=requirements)
    write_texts(render(found), out)
    for line in told(found.traceability):
        say(line)
    say(f"bundle: {out}; `sha256sum -c {MANIFEST}` there checks it")
    if not found.traceability.is_complete:
        raise SystemExit(DISAGREE)
