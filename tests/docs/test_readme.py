"""README.md: what it says that its first example prints is what it prints."""

import contextlib
import io
import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
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


def without_rounding(text):
    """Return the text without the figures of the certificate, which are rounding and differ between machines."""
    return re.sub(r"[0-9.]+e-1[0-9]", "tiny", text).strip()
