"""Write reports into a folder: the only functions of the reports that touch files."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from harness.comparison.run import Run
from harness.errors import InputError, Problem
from harness.reports import html, json_report, junit, markdown


def write_report(run: Run, folder: Path) -> tuple[Path, ...]:
    """Write `run.json` with `run.schema.json`, `junit.xml`, `summary.md`, `index.html`, and return their paths.

    Everything is rendered before anything is written, and each file appears whole or not at all. File names are fixed
    here, so that no text of a run can name one, and a link in the folder is replaced, never followed.

    Raises
    ------
    InputError
        If the folder is a link or no folder; nothing is written then.
    """
    texts = {
        "run.json": json_report.render(run),
        "run.schema.json": json_report.schema(),
        "junit.xml": junit.render(run),
        "summary.md": markdown.render(run),
        "index.html": html.render(run),
    }
    return write_texts(texts, folder)


def write_texts(texts: Mapping[str, str], folder: Path) -> tuple[Path, ...]:
    """Write texts by file name into the folder, each whole or not at all, and return their paths.

    Raises
    ------
    InputError
        If the folder is a link or no folder; nothing is written then.
    """
    require_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(_replace(folder / name, text) for name, text in texts.items())


def require_folder(folder: Path) -> None:
    """Return if reports can go there, so that long work need not end in a refusal.

    Raises
    ------
    InputError
        If the folder is a link or no folder.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        found = f"{str(folder)!r} is {'a link' if folder.is_symlink() else 'a file'}"
        problem = Problem(found=found, expected="a folder, or nothing yet", advice="Remove it or name another folder.")
        raise InputError("report folder", [problem])


def _replace(path: Path, text: str) -> Path:
    """Put the text in place of the file in one step."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        # "x" refuses a file or link that is there already.
        with partial.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path
