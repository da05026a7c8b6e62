"""Reproductions of fixture cases by their pins, and the interpreter that has nothing of ours."""

import json
import subprocess
import sys
from contextlib import contextmanager

import pytest

from harness import runs
from harness.crosscheck import References
from harness.references import source_hash
from harness.references.pins import PinnedEngine
from harness.reproduction.rerun import reproduce
from harness.roster import roster

# What a bare interpreter with numpy and scipy does not have.
_ABSENT = ("harness", "pandas", "statsmodels", "rpy2", "rich", "typer")
_ALONE = (
    f"import sys, runpy\nfor name in {_ABSENT!r}: sys.modules[name] = None\n"
    "runpy.run_path('reproduce.py', run_name='__main__')"
)


def printed(text):
    """Return the numbers by point and name, as the scripts print them."""
    found, point = {}, None
    for line in text.splitlines():
        if line.startswith("  ") and len(line.split()) == 2:
            name, value = line.split()
            found[point][name] = float(value)
        elif not line.startswith(" "):
            point = line
            found[point] = {}
    return found


@pytest.fixture(scope="session")
def pins():
    folder = runs.fixtures_folder() / "pins"
    return {name: PinnedEngine(name=name, folder=folder, r_source=source_hash(name)) for name in roster()}


@pytest.fixture
def without_r(pins, monkeypatch):
    """Let the command find no R, so that pins answer."""

    @contextmanager
    def nothing():
        yield {}

    monkeypatch.setattr(runs, "live_engines", nothing)
    return pins


@pytest.fixture(scope="session")
def made(pins):
    """Return the reproduction of a case and an engine from its pin."""

    def reproduction(name, engine, **asked):
        (case,) = runs.read_cases([name])
        return reproduce(case, engine, References(pinned=pins), **asked)

    return reproduction


@pytest.fixture
def run_alone(tmp_path):
    """Write the files of a reproduction and return what reproduce.py prints without the project, and the model."""

    def run(files):
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        command = [sys.executable, "-I", "-c", _ALONE]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return printed(done.stdout), json.loads(files["model.json"])

    return run


@pytest.fixture
def run_in_r(tmp_path):
    """Write the files of a reproduction and return the numbers that reproduce.R prints."""

    def run(files):
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        command = ["Rscript", "--vanilla", "reproduce.R"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        (numbers,) = printed(done.stdout.split("\n  parameter")[0].split("\n    ")[0]).values()
        return numbers

    return run
