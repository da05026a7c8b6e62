"""The command of the study."""

from pathlib import Path
from typing import Annotated

import typer

from harness.reports.write import require_folder
from harness.study.report_files import write_study
from harness.study.run import run_study
from harness.study.study_file import read_study
from harness.study.verdicts import check_counts, headline
from harness.terminal import DISAGREE, progress, say, typed_command


def study(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The study file (TOML).")],
    report: Annotated[Path, typer.Option("--report", help="The folder that the report is written into.")] = Path(
        "report"
    ),
) -> None:
    """Run a study from its raw file to its report, every estimate compared with R where R is installed."""
    require_folder(report)
    plan = read_study(file)
    with progress() as told:
        result = run_study(plan, command=typed_command(), progress=told)
    written = write_study(result, report)
    for section in result.sections:
        say(f"{section.key:<4} {section.title}" + (f" ({len(section.warnings)} warnings)" if section.warnings else ""))
    say(f"{headline(result.estimates)}.")
    say("report: " + ", ".join(str(path) for path in written))
    if check_counts(result.estimates)["disagrees"]:
        raise SystemExit(DISAGREE)
