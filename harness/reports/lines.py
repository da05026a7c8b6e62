"""Renderables of rich as plain lines of text."""

from collections.abc import Iterable
from io import StringIO

from rich.console import Console, RenderableType


def lines_of(parts: Iterable[RenderableType], width: int, *, colour: bool) -> str:
    """Return the parts as lines of at most `width` columns, each ended, without blanks at their ends."""
    lines = StringIO()
    # Everything that rich would otherwise read from the environment is given: the text depends on the parts only.
    console = Console(
        file=lines,
        width=width,
        height=25,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )
    for part in parts:
        console.print(part)
    return "\n".join(_harmless(line.rstrip()) for line in lines.getvalue().splitlines()) + "\n"


def _harmless(line: str) -> str:
    """Return the line so that no CI system that reads the output takes a name in it for one of its commands."""
    return f"'{line}" if line.lstrip().startswith(("::", "##[")) else line
