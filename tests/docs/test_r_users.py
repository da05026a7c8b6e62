"""docs/r_users.md: both columns of its tables, run and compared.

`python tests/docs/test_r_users.py` records what R gives, with the packages that it has.
"""

import json
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "r_users.md"
RECORDED = Path(__file__).with_name("r_users.json")
PACKAGES = {"lmerTest and pbkrtest": ("lmerTest", "pbkrtest")}

_BLOCK = re.compile(r"```(python|r)\n(.*?)```", re.DOTALL)
_ROW = re.compile(r"^\| `(?P<r>.+?)` \| `(?P<python>.+?)` \| (?P<limit>[-0-9.e]+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """One row of the page: an expression in each language, and how far their values may be apart."""

    section: str
    r: str
    python: str
    limit: float


@dataclass(frozen=True)
class Section:
    """A heading of the page: the R packages that it is about, and its parts in order."""

    title: str
    packages: tuple[str, ...]
    steps: tuple[object, ...]  # ("python" or "r", code), or Row


@cache
def sections():
    """Return the page, section by section; the first holds what all others use."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    titles = ["", *parts[1::2]]
    return [
        Section(
            title=title,
            packages=PACKAGES.get(title, (title,)) if title else (),
            steps=tuple(_steps(title, text)),
        )
        for title, text in zip(titles, parts[0::2], strict=True)
    ]


def _steps(title, text):
    found = [(match.start(), match.groups()) for match in _BLOCK.finditer(text)]
    found += [
        (match.start(), Row(title, match["r"].replace("\\|", "|"), match["python"], float(match["limit"])))
        for match in _ROW.finditer(text)
    ]
    return [step for _, step in sorted(found, key=lambda pair: pair[0])]


@cache
def python_values():
    """Return the value of every row's Python expression, by R expression, as a flat array."""
    names, values = {}, {}
    for section in sections():
        for step in section.steps:
            if isinstance(step, Row):
                values[step.section, step.r] = np.ravel(np.asarray(eval(step.python, names), dtype=float))  # noqa: S307
            elif step[0] == "python":
                exec(step[1], names)  # noqa: S102  # the page's own code is what is tested
    return values


def r_values(installed, only=None):
    """Return the value of every R expression of the sections whose packages are installed, or of one section.

    Sections build on the first two: the data, and the models that lme4 fits.
    """
    script = ["answers <- list()", "options(warn = -1)"]
    wanted = [section for section in sections() if set(section.packages) <= set(installed)]
    for section in wanted:
        for step in section.steps:
            if isinstance(step, Row) and only in {None, section.title}:
                script.append(f"answers[[length(answers) + 1]] <- sprintf('%.17g', as.numeric(unlist({step.r})))")
            elif not isinstance(step, Row) and step[0] == "r":
                script.append(f"suppressMessages({{\n{step[1]}\n}})")
    script.append("for (answer in answers) cat(answer, '\\n')")
    done = subprocess.run(
        ["Rscript", "--vanilla", "-"],
        input="\n".join(script),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    asked = [row for row in rows() if row.section in {one.title for one in wanted} and only in {None, row.section}]
    lines = done.stdout.splitlines()[-len(asked) :]
    return {(row.section, row.r): np.array(line.split(), dtype=float) for row, line in zip(asked, lines, strict=True)}


def recorded():
    """Return what R gave when the page's numbers were recorded, and the versions of its packages."""
    stored = json.loads(RECORDED.read_text(encoding="utf-8"))
    values = {(row["section"], row["r"]): np.array(row["values"], dtype=float) for row in stored["rows"]}
    return values, stored["versions"]


def apart(ours, theirs):
    """Return the largest difference, relative to the largest value of the row."""
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    assert np.isfinite(ours).all()
    assert np.isfinite(theirs).all()
    return float(np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1e-300))


def rows():
    """Return all rows of the page."""
    return [step for section in sections() for step in section.steps if isinstance(step, Row)]


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.section}: {row.r}")
def test_ours_is_what_r_gave(row):
    values, _ = recorded()
    assert apart(python_values()[row.section, row.r], values[row.section, row.r]) <= row.limit


def test_every_section_has_rows_and_every_recorded_number_a_row():
    assert {row.section for row in rows()} == {section.title for section in sections()} - {""}
    assert set(recorded()[0]) == {(row.section, row.r) for row in rows()}


@pytest.mark.parametrize(
    "section",
    [
        pytest.param(section, marks=[pytest.mark.needs_r(package) for package in section.packages], id=section.title)
        for section in sections()
        if section.title
    ],
)
def test_ours_is_what_r_gives_now(section):
    live = r_values(["lme4", *section.packages], only=section.title)
    for row in (step for step in section.steps if isinstance(step, Row)):
        assert apart(python_values()[row.section, row.r], live[row.section, row.r]) <= row.limit, row


def record():
    """Write what R gives with the packages that are installed; what others gave stays as it was recorded."""
    packages = sorted({package for section in sections() for package in section.packages})
    asked = (
        "cat('R', as.character(getRversion()), '\\n');"
        "for (p in commandArgs(TRUE)) cat(p, packageDescription(p, fields = 'Version'), '\\n')"
    )
    done = subprocess.run(["Rscript", "--vanilla", "-e", asked, *packages], capture_output=True, text=True, check=True)
    versions = dict(line.rsplit(" ", 1) for line in map(str.strip, done.stdout.splitlines()))
    absent = {package for package in packages if versions[package] == "NA"}
    before, versions_before = recorded()
    versions |= {package: versions_before[package] for package in absent}
    now = r_values([package for package in packages if package not in absent])
    values = {key: now.get(key, before.get(key)) for key in ((row.section, row.r) for row in rows())}
    document = {
        "versions": versions,
        "rows": [
            {"section": section, "r": expression, "values": [f"{value:.17g}" for value in found]}
            for (section, expression), found in values.items()
        ],
    }
    RECORDED.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    record()
