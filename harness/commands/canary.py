"""The command that tells whether a session of pytest reached its end."""

from pathlib import Path
from typing import Annotated

import typer

from harness.pytest_plugin.canary import read_canary
from harness.terminal import DISAGREE, fail, say


def canary(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `pytest --harness-canary FILE` has written.")],
    least: Annotated[int, typer.Option("--least", min=1, help="How many quantities must have been judged.")] = 1,
) -> None:
    """Tell whether a session of pytest reached its end, whatever its exit status said."""
    found = read_canary(file)
    if found.complaint:
        fail(f"The session reached its end, but {found.complaint}.", DISAGREE)
    if found.judged < least:
        fail(f"The session reached its end, but judged {found.judged} quantities, fewer than {least}.", DISAGREE)
    say(f"The session reached its end: {found.judged} quantities judged, items {found.digest[:12]}.")
