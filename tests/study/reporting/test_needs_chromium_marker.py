"""A test that needs Chromium skips visibly without it, and fails where Chromium is asked for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]


@pytest.mark.parametrize(("required", "outcome"), [("", "skipped"), ("1", "error")])
def test_without_chromium_it_is_skipped_unless_it_is_required(tmp_path, required, outcome):
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text(encoding="utf-8"))
    (tmp_path / "test_any.py").write_text("import pytest\n\n\n@pytest.mark.needs_chromium\ndef test_any():\n    pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = needs_chromium\n")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", str(tmp_path)],
        env={
            **os.environ,
            "PATH": str(tmp_path),
            "PYTHONPATH": str(TESTS.parent),
            "HARNESS_REQUIRE_CHROMIUM": required,
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"1 {outcome}" in ran.stdout, ran.stdout
    assert "no Chromium on the PATH" in ran.stdout
    assert (ran.returncode == 0) is (outcome == "skipped")
