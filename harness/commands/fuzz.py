"""The command of differential fuzzing."""

import shutil
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.engines import own_versions
from harness.locations import fixtures_folder
from harness.reports.write import require_folder
from harness.terminal import ABSENT, DISAGREE, NOTHING, fail, progress, say, typed_command

MINUTE = 60.0


class Kind(StrEnum):
    """The models that are fuzzed."""

    LMM = "lmm"
    GBTM = "gbtm"


_ENGINES = {Kind.LMM: "lme4", Kind.GBTM: "flexmix"}


def fuzz(
    kind: Annotated[Kind, typer.Argument(help="Mixed models or trajectory models.")],
    *,
    engine: Annotated[str | None, typer.Option("--engine", help="lme4 or flexmix if nothing else is asked.")] = None,
    metamorphic: Annotated[
        bool, typer.Option("--metamorphic", help="Without R: ours against itself and against the definitions.")
    ] = False,
    examples: Annotated[int, typer.Option("--examples", min=1, help="How many cases are drawn.")] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, help="All cases follow from it.")] = 1,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes, each with an R of its own.")] = 1,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0, help="Begin no case after so long.")] = None,
    report: Annotated[Path, typer.Option("--report", help="The folder that is written into.")] = Path("report"),
    keep: Annotated[bool, typer.Option("--keep", help="Keep counterexamples as cases of the project.")] = False,
) -> None:
    """Draw cases that nobody thought of and look for a disagreement with R that has no acceptable cause."""
    require_folder(report)
    try:
        from harness.fuzzing import fuzz as fuzzing  # noqa: PLC0415  # Hypothesis is an extra
        from harness.fuzzing import report as fuzz_report  # noqa: PLC0415
    except ModuleNotFoundError as error:
        fail(f"{error.name} is not installed. Install it: pip install 'gbtm-harness[fuzz]'.", ABSENT)
    plan = fuzzing.FuzzPlan(
        kind=kind.value,
        engine=fuzzing.ALONE if metamorphic else engine or _ENGINES[kind],
        examples=examples,
        seed=seed,
        workers=workers,
        seconds=seconds,
    )
    with progress(every=MINUTE) as told:
        result = fuzzing.fuzz(plan, told)
    written = fuzz_report.write(result, report, typed_command(), dict(own_versions()))
    if keep:
        folder = fixtures_folder() / "counterexamples"
        folder.mkdir(exist_ok=True)
        written = (written[0], *(Path(shutil.move(path, folder / path.name)) for path in written[1:]))
    for line in fuzz_report.lines(result):
        say(line)
    say("report: " + ", ".join(str(path) for path in written))
    if not result.examined:
        fail("No case was examined.", NOTHING)
    if result.unacceptable:
        raise SystemExit(DISAGREE)
