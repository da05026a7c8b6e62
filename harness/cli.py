"""The command line: each command is a short function that calls one loop and prints one report."""

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from harness import runs
from harness.cases import Case, read_own_case
from harness.comparison.verdict import Outcome, Run
from harness.crosscheck import Progress as ProgressCallback
from harness.errors import CaseError, EngineError, HarnessError, NothingToCompareError, Problem
from harness.references.doctor import examine
from harness.reports import console, explanation
from harness.reports.write import require_folder, write_report

AGREE, DISAGREE, USAGE, INTERNAL, NOTHING, STALE, ABSENT = 0, 1, 2, 3, 5, 10, 11
"""Exit statuses; the README documents them and they do not change."""

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


@app.command()
def check(names: Names = None, report: ReportFolder = Path("report")) -> None:
    """Compare our estimates with recorded results of R. R is not needed."""
    require_folder(report)
    with _progress() as progress:
        run = runs.check(runs.read_cases(names or ()), _command(), progress)
    _finish(run, report)
    if run.skipped:
        _fail("A pin is missing: record it, or take the engine out of the case's references.", STALE)


@app.command()
def compare(
    names: Names = None,
    data: Data = None,
    spec: SpecFile = None,
    require: Required = None,
    report: ReportFolder = Path("report"),
) -> None:
    """Compare our estimates with R: live where the R package is installed, recorded results otherwise."""
    require_folder(report)
    cases = _chosen_cases(names or (), data, spec)
    with _progress() as progress:
        run = runs.compare(cases, _command(), progress, require or ())
    _finish(run, report)


@app.command()
def record(
    names: Names = None,
    reason: Annotated[str, typer.Option("--reason", help="Why the pins are recorded; it is stored in them.")] = "",
) -> None:
    """Record what R's installed engines say, as pins."""
    if not reason.strip():
        problem = Problem(found="no --reason", expected="a sentence that says why the pins are recorded")
        raise CaseError("harness record", [problem])
    with _progress() as progress:
        recordings = runs.record(runs.read_cases(names or ()), reason, progress)
    for recording in recordings:
        if recording.path is None:
            _say(f"{recording.case} {recording.engine}: not recorded, {recording.reason}")
        else:
            _say(f"{recording.case} {recording.engine}: {len(recording.changes)} changes")
            for change in recording.changes:
                _say(f"  {change}")
    if all(recording.path is None for recording in recordings):
        _fail("Nothing was recorded; `harness doctor` tells what to install.", ABSENT)


@app.command()
def explain(name: Annotated[str, typer.Argument(metavar="CASE")], report: ReportFolder = Path("report")) -> None:
    """Compare one case and print every verdict with its evidence."""
    require_folder(report)
    with _progress() as progress:
        run = runs.compare(runs.read_cases([name]), _command(), progress)
    for comparison in run.comparisons:
        _say(explanation.render(comparison))
    _finish(run, report)


@app.command()
def doctor() -> None:
    """Prove that R, its packages and the exchange with them work, and tell what to install."""
    checks = examine()
    for item in checks:
        _say(f"{'ok  ' if item.ok else 'no  '} {item.name}: {item.detail}")
        if not item.ok and item.advice:
            _say(f"     {item.advice}")
    if not all(item.ok for item in checks):
        raise SystemExit(ABSENT)


@app.command()
def cases() -> None:
    """List the cases of the project."""
    for name in runs.case_names():
        _say(name)


def main() -> None:
    """Run a command; a mistake of the user ends in one clear message and never in a traceback."""
    try:
        app()
    except EngineError as error:
        _fail(str(error), ABSENT)
    except NothingToCompareError as error:
        _fail(str(error), NOTHING)
    except HarnessError as error:
        _fail(str(error), USAGE)
    except OSError as error:
        _fail(f"{error.filename or 'a file'}: {error.strerror or error}; expected to read or write it.", USAGE)
    except Exception as error:  # noqa: BLE001  # the last resort: a bug of ours must not look like a disagreement
        _fail(f"internal error, please report it: {type(error).__name__}: {error}", INTERNAL)


def _chosen_cases(names: Sequence[str], data: Path | None, spec: Path | None) -> Sequence[Case]:
    if data is None and spec is None:
        return runs.read_cases(names)
    if data is None or spec is None or names:
        given = {"names of cases": names, "--data": data, "--spec": spec}
        found = " and ".join(word for word, value in given.items() if value)
        problem = Problem(found=found, expected="--data and --spec together, or names of cases alone")
        raise CaseError("harness compare", [problem])
    return [read_own_case(data, spec)]


def _finish(run: Run, folder: Path) -> None:
    written = write_report(run, folder)
    terminal = Console()
    width = max(terminal.width, 80) if terminal.is_terminal else WIDTH_OF_A_LOG
    _say(console.render(run, width, colour=terminal.is_terminal))
    _say("report: " + ", ".join(str(path) for path in written))
    status = _status(run)
    if status != AGREE:
        raise SystemExit(status)


def _status(run: Run) -> int:
    outcomes = {comparison.outcome for comparison in run.comparisons}
    failures = {failure.reason for comparison in run.comparisons if (failure := comparison.right.failure) is not None}
    if "stale" in failures:
        return STALE
    if Outcome.DISAGREE in outcomes or run.notes:
        return DISAGREE
    return NOTHING if outcomes == {Outcome.NOT_COMPARED} else AGREE


def _command() -> str:
    return shlex.join(["harness", *sys.argv[1:]])


@contextmanager
def _progress() -> Iterator[ProgressCallback]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    terminal = Console(stderr=True)
    with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        task = bar.add_task("reading the cases", total=None)
        yield lambda text: bar.update(task, description=text)


def _say(text: str) -> None:
    """Print; where the reader has gone (`harness compare | head`), go on in silence, because the exit status counts."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, status: int) -> None:
    print(message, file=sys.stderr)
    raise SystemExit(status)
