"""The command line: each command is a short function that calls one loop and prints one report."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from harness import runs
from harness.cases import Case, read_own_case
from harness.commands.campaign import campaign
from harness.commands.canary import canary
from harness.commands.certify import certify
from harness.commands.claims import verify
from harness.commands.envelope import envelope
from harness.commands.explain import write_reproductions
from harness.commands.fuzz import fuzz
from harness.commands.history import history
from harness.commands.selftest import selftest
from harness.commands.study import study
from harness.comparison.run import Run
from harness.comparison.verdict import Outcome
from harness.errors import CaseError, EngineError, HarnessError, HistoryError, NothingToCompareError, Problem
from harness.history import FILE_NAME, remembered, require_history
from harness.peers.doctor import examine_peers
from harness.references.doctor import examine
from harness.reports import annotations, console, explanation
from harness.reports.write import require_folder, write_report
from harness.reproduction.verdict_name import read_verdict_name
from harness.terminal import (
    ABSENT,
    AGREE,
    DISAGREE,
    INTERNAL,
    NOTHING,
    STALE,
    USAGE,
    annotate,
    fail,
    progress,
    say,
    typed_command,
)

WIDTH_OF_A_LOG = 140

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Mixed models and trajectory models in pure Python, cross-checked against R.",
)

Names = Annotated[list[str] | None, typer.Argument(metavar="[CASE]...", help="Names of cases; all if none is given.")]
ReportFolder = Annotated[Path, typer.Option("--report", help="The folder that the report is written into.")]
Data = Annotated[
    Path | None, typer.Option("--data", help="A table of yours: CSV, TSV, Parquet, Excel, SPSS, Stata, SAS.")
]
SpecFile = Annotated[Path | None, typer.Option("--spec", help="A TOML file with the table's schema and a model.")]
Required = Annotated[
    list[str] | None, typer.Option("--require", metavar="ENGINE", help="Fail (status 11) unless this runs live.")
]


HistoryFile = Annotated[
    Path | None, typer.Option("--history", help="The file that each run is added to; history.sqlite in the report.")
]


@app.command()
def check(names: Names = None, report: ReportFolder = Path("report"), history_file: HistoryFile = None) -> None:
    """Compare our estimates with recorded results of R. R is not needed."""
    kept = _kept(report, history_file)
    with progress() as told:
        run = runs.check(runs.read_cases(names or ()), typed_command(), told)
    _finish(run, report, kept)
    if run.skipped:
        fail("A pin is missing: record it, or take the engine out of the case's references.", STALE)


@app.command()
def compare(
    names: Names = None,
    data: Data = None,
    spec: SpecFile = None,
    require: Required = None,
    report: ReportFolder = Path("report"),
    *,
    history_file: HistoryFile = None,
) -> None:
    """Compare our estimates with R: live where the R package is installed, recorded results otherwise."""
    kept = _kept(report, history_file)
    cases = _chosen_cases(names or (), data, spec)
    with progress() as told:
        run = runs.compare(cases, typed_command(), told, require or ())
    _finish(run, report, kept)


@app.command()
def record(
    names: Names = None,
    reason: Annotated[str, typer.Option("--reason", help="Why the pins are recorded; it is stored in them.")] = "",
    engine: Annotated[
        list[str] | None, typer.Option("--engine", metavar="ENGINE", help="Record this engine only; may be repeated.")
    ] = None,
) -> None:
    """Record what the installed engines say, as pins."""
    if not reason.strip():
        problem = Problem(found="no --reason", expected="a sentence that says why the pins are recorded")
        raise CaseError("harness record", [problem])
    with progress() as told:
        recordings = runs.record(runs.read_cases(names or ()), reason, told, engine or ())
    for recording in recordings:
        if recording.path is None:
            say(f"{recording.case} {recording.engine}: not recorded, {recording.reason}")
        else:
            say(f"{recording.case} {recording.engine}: {len(recording.changes)} changes")
            for change in recording.changes:
                say(f"  {change}")
    if all(recording.path is None for recording in recordings):
        fail("Nothing was recorded; `harness doctor` tells what to install.", ABSENT)


@app.command()
def explain(
    name: Annotated[
        str,
        typer.Argument(metavar="VERDICT", help="CASE, CASE/ENGINE or CASE/ENGINE/QUANTITY, quoted for its brackets."),
    ],
    report: ReportFolder = Path("report"),
    out: Annotated[
        Path | None, typer.Option("--out", help="A folder for scripts that show the verdict without this project.")
    ] = None,
    shrink: Annotated[
        float, typer.Option("--shrink", min=0, help="Seconds to look for fewer subjects that disagree alike.")
    ] = 60.0,
) -> None:
    """Compare again, print a verdict with its evidence, and write scripts that anyone can run."""
    for folder in filter(None, (report, out)):
        require_folder(folder)
    (case,) = runs.read_cases([read_verdict_name(name).case])
    wanted = read_verdict_name(name, case.references)
    if wanted.engine is not None:
        case = replace(case, references=(wanted.engine,))
    with progress() as told:
        run = runs.compare([case], typed_command(), told)
    for comparison in run.comparisons:
        say(explanation.render(comparison, wanted.quantity))
    if out is not None:
        with progress() as told:
            for line in write_reproductions(case, wanted, out, seconds=shrink, progress=told):
                say(line)
    _finish(run, report)


app.command()(study)
app.command()(verify)
app.command()(certify)
app.command()(canary)
app.command()(campaign)
app.command()(fuzz)
app.command()(selftest)
app.command()(history)
app.command()(envelope)


@app.command()
def doctor() -> None:
    """Prove that R, its packages, the exchange with them and Python's packages work, and tell what to install."""
    checks = (*examine(), *examine_peers())
    for item in checks:
        say(f"{'ok  ' if item.ok else 'no  '} {item.name}: {item.detail}")
        if not item.ok and item.advice:
            say(f"     {item.advice}")
    if not all(item.ok for item in checks):
        raise SystemExit(ABSENT)


@app.command()
def cases() -> None:
    """List the cases of the project."""
    for name in runs.case_names():
        say(name)


def main() -> None:
    """Run a command; a mistake of the user ends in one clear message and never in a traceback."""
    try:
        app()
    except EngineError as error:
        fail(str(error), ABSENT)
    except NothingToCompareError as error:
        fail(str(error), NOTHING)
    except HarnessError as error:
        fail(str(error), USAGE)
    except OSError as error:
        fail(f"{error.filename or 'a file'}: {error.strerror or error}; expected to read or write it.", USAGE)
    except Exception as error:  # noqa: BLE001  # the last resort: a bug of ours must not look like a disagreement
        fail(f"internal error, please report it: {type(error).__name__}: {error}", INTERNAL)


def _chosen_cases(names: Sequence[str], data: Path | None, spec: Path | None) -> Sequence[Case]:
    if data is None and spec is None:
        return runs.read_cases(names)
    if data is None or spec is None or names:
        given = {"names of cases": names, "--data": data, "--spec": spec}
        found = " and ".join(word for word, value in given.items() if value)
        problem = Problem(found=found, expected="--data and --spec together, or names of cases alone")
        raise CaseError("harness compare", [problem])
    return [read_own_case(data, spec)]


def _kept(report: Path, history_file: Path | None) -> Path:
    """Return the file of the history; both it and the folder of the report can be written."""
    require_folder(report)
    kept = history_file or report / FILE_NAME
    require_history(kept)
    return kept


def _finish(run: Run, folder: Path, kept: Path | None = None) -> None:
    lost = None
    if kept is not None:
        try:
            run = remembered(run, kept)
        except HistoryError as error:  # which must not cost the report
            lost = error
    written = write_report(run, folder)
    terminal = Console()
    width = max(terminal.width, 80) if terminal.is_terminal else WIDTH_OF_A_LOG
    say(console.render(run, width, colour=terminal.is_terminal))
    say("report: " + ", ".join(str(path) for path in written))
    annotate(annotations.render(run))
    status = _status(run)
    if lost is not None:
        fail(str(lost), status or USAGE)
    if status != AGREE:
        raise SystemExit(status)


def _status(run: Run) -> int:
    outcomes = {comparison.outcome for comparison in run.comparisons}
    failures = {failure.reason for comparison in run.comparisons if (failure := comparison.right.failure) is not None}
    if "stale" in failures:
        return STALE
    if Outcome.DISAGREE in outcomes or run.notes or any(triangle.blocks for triangle in run.triangles):
        return DISAGREE
    return NOTHING if outcomes == {Outcome.NOT_COMPARED} else AGREE
