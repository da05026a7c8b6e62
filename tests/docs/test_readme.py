"""README.md: what it says that its first example prints is what it prints."""

import contextlib
import io
import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
_TRAJECTORIES = re.compile(r"### Trajectories\n\n```python\n(.*?)```.*?```\n(.*?)```", re.DOTALL)
_FIRST_IMPORTS = "import harness\nfrom harness.cohorts import to_frame\n"
_EXAMPLE = re.compile(r"## In Python\n\n```python\n(.*?)```.*?```\n(.*?)```", re.DOTALL)


def test_the_example_prints_what_the_readme_shows():
    code, shown = _EXAMPLE.search(README.read_text(encoding="utf-8")).groups()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})  # noqa: S102 - the page's own code is what is tested
    assert without_rounding(printed.getvalue()) == without_rounding(shown)


def test_the_example_has_fewer_than_ten_lines_of_code():
    code, _ = _EXAMPLE.search(README.read_text(encoding="utf-8")).groups()
    assert len([line for line in code.splitlines() if line.strip()]) < 10


def test_the_numbers_of_classes_are_those_that_the_readme_shows():
    code, shown = _TRAJECTORIES.search(README.read_text(encoding="utf-8")).groups()
    assert code.count("replicates=500") == 1
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(_FIRST_IMPORTS + code.replace("replicates=500", "replicates=2"), {})  # noqa: S102
    found, expected = (before_the_draws(text) for text in (printed.getvalue(), shown))
    assert found == expected


def before_the_draws(text):
    """Return the lines down to the ratio of the likelihoods, without hits, ends and seconds of each search."""
    lines = text.split("p, from ")[0].strip().splitlines()
    timed = range(lines.index(next(line for line in lines if line.endswith("Seconds"))), len(lines))
    return [
        re.sub(r"( +[0-9.]+){3}$", "", line) if k in timed and line.count("  ") > 5 else line
        for k, line in enumerate(lines)
    ]


def without_rounding(text):
    """Return the text without the figures of the certificate, which are rounding and differ between machines."""
    return re.sub(r"[0-9.]+e-1[0-9]", "tiny", text).strip()
