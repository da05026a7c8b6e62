"""A test that needs R skips visibly without it, and fails where R is asked for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("required", "outcome"), [("", "skipped"), ("1", "error"), ("nlme,lme4", "error"), ("lcmm", "skipped")]
)
def test_without_r_it_is_skipped_unless_it_is_required(tmp_path, required, outcome):
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text(encoding="utf-8"))
    (tmp_path / "test_any.py").write_text(
        "import pytest\n\n\n@pytest.mark.needs_r('lme4')\ndef test_any():\n    pass\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = needs_r(package)\n")
    environment = {name: value for name, value in os.environ.items() if name != "R_HOME"}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", str(tmp_path)],
        env={**environment, "PATH": str(tmp_path), "PYTHONPATH": str(TESTS.parent), "HARNESS_REQUIRE_R": required},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"1 {outcome}" in ran.stdout, ran.stdout
    assert "no R on the PATH" in ran.stdout
    assert (ran.returncode == 0) is (outcome == "skipped")
