"""What commands say on the terminal: the only place that prints."""

import os
import shlex
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from harness.crosscheck import Progress as ProgressCallback

AGREE, DISAGREE, USAGE, INTERNAL, NOTHING, STALE, ABSENT = 0, 1, 2, 3, 5, 10, 11
"""Exit statuses; the README documents them and they do not change."""
INTERRUPTED = 130
"""What shells give to a command that Ctrl-C ended."""


def say(text: str) -> None:
    """Print; where the reader has gone (`harness compare | head`), go on in silence, because the exit status counts."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def annotate(lines: Iterable[str]) -> None:
    """Print workflow commands where GitHub Actions reads them."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in lines:
            say(line)


def fail(message: str, status: int) -> None:
    """Print a message for the user's eyes and end with a status."""
    print(message, file=sys.stderr)
    raise SystemExit(status)


def typed_command() -> str:
    """Return the command as it can be typed again."""
    return shlex.join(["harness", *sys.argv[1:]])


@contextmanager
def progress(every: float | None = None) -> Iterator[ProgressCallback]:
    """Yield what tells of the progress: on a terminal, and in a log as a line each `every` seconds if that is given."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    terminal = Console(stderr=True)
    if every is not None and not terminal.is_terminal:
        yield _logged(every)
        return
    with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        yield lambda text: bar.update(task, description=text)


def _logged(every: float) -> ProgressCallback:
    """Return what prints a text to stderr if the last one is so many seconds ago."""
    last = time.monotonic()

    def told(text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= every:
            last = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    return told
