"""The command that measures the envelope of each limit."""

from typing import Annotated

import typer

from harness import runs
from harness.envelope.record import FILE_NAME, limits_of, write_envelope
from harness.envelope.table import lines
from harness.errors import CaseError, Problem
from harness.locations import fixtures_folder
from harness.terminal import DISAGREE, progress, say


def envelope(
    names: Annotated[list[str] | None, typer.Argument(metavar="[CASE]...", help="Cases; all if none is given.")] = None,
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Vary R's starts and optimisers too, which takes longer.")
    ] = False,
    record: Annotated[bool, typer.Option("--record", help="Write fixtures/envelope.json; needs all cases.")] = False,
) -> None:
    """Measure how far engines move by themselves, and whether each limit lies between that and what misleads."""
    if record and names:
        problem = Problem(found="--record and names of cases", expected="--record with all cases")
        raise CaseError("harness envelope", [problem])
    with progress() as told:
        found = runs.envelope(runs.read_cases(names or ()), told, live=live)
    missing = [
        f"{limit.engine or 'default'}, {limit.measure}" for limit in limits_of(found.bounds) if not limit.is_measured
    ]
    for line in lines(found, missing if not names else ()):
        say(line)
    if record:
        say(f"recorded: {write_envelope(found, fixtures_folder() / FILE_NAME)}")
    if found.outside:
        raise SystemExit(DISAGREE)
