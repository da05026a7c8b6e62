"""A sample of `tox -e security`, which reads 100 000 inputs: none may crash, execute or write where it must not."""

import importlib
import random
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import HarnessError

HERE = Path(__file__).parent
SAMPLE = 1500


def program(folder, *arguments):
    """Run Python in a process of its own, because an audit hook stays for as long as its process lives."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.timeout(600)  # on a machine that does other things too
def test_a_sample_of_hostile_inputs_is_read_or_refused(tmp_path):
    done = program(tmp_path, HERE / "fuzz_inputs.py", "--count", str(SAMPLE), "--seed", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{SAMPLE} inputs, seed 1" in done.stdout
    assert not list(tmp_path.iterdir())


WATCHED = """
import sys; sys.path.insert(0, {here!r})
from pathlib import Path
from watching import Watch
import os, subprocess
folder = Path("inside"); folder.mkdir()
watch = Watch(folder)
with watch.over("fault"):
    {fault}
print(watch.seen)
"""


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("os.system('true')", "fault: os.system"),
        ("subprocess.run(['true'])", "fault: subprocess.Popen"),
        ("os.fork() or os._exit(0)", "fault: os.fork"),
        ("open('pwned', 'w').close()", "fault: open of"),
        ("os.open('pwned', os.O_CREAT | os.O_WRONLY)", "fault: open of"),
        ("Path('pwned').mkdir()", "fault: os.mkdir of"),
        ("(folder / 'a').write_text(''); (folder / 'a').rename('pwned')", "fault: os.rename of"),
        ("(folder / 'link').symlink_to('..'); (folder / 'link/pwned').write_text('')", "fault: open of"),
        ("(folder / '../pwned').write_text('')", "fault: open of"),
        ("exec('1 + 1')", "fault: exec"),
        ("eval('1 + 1')", "fault: exec"),
    ],
)
def test_what_must_not_happen_is_seen(tmp_path, fault, told):
    done = program(tmp_path, "-c", WATCHED.format(here=str(HERE), fault=fault))
    assert done.returncode == 0, done.stderr
    assert told in done.stdout


def test_what_may_happen_is_not(tmp_path):
    fault = "(folder / 'a').write_text('1'); Path('inside/a').read_text(); open('/dev/null', 'w').close()"
    assert program(tmp_path, "-c", WATCHED.format(here=str(HERE), fault=fault)).stdout == "[]\n"


@pytest.fixture(scope="module")
def fuzz_inputs():
    sys.path.insert(0, str(HERE))
    try:
        yield importlib.import_module("fuzz_inputs")
    finally:
        sys.path.remove(str(HERE))


def test_every_file_that_is_damaged_was_valid_before(fuzz_inputs, tmp_path, monkeypatch):
    """Else it would be refused at its first fault, and nothing behind that be tried."""
    monkeypatch.setattr(fuzz_inputs.sources.hostile, "damaged", lambda chance, source: source)  # noqa: ARG005
    tried = [read for read, _ in fuzz_inputs.CLASSES if read.__module__ == "sources"]
    assert len(tried) > 10
    for read in tried:
        if read.__name__ not in {"cells", "table"}:  # which are hostile besides, or of another format
            outcome, complaint = fuzz_inputs.outcome_of(read, random.Random(1), tmp_path)  # noqa: S311
            assert (read.__name__, outcome, complaint) == (read.__name__, "read", "")


@pytest.mark.parametrize(
    ("raised", "outcome", "told"),
    [
        (KeyError(1), "crashed", "KeyError"),
        (SystemExit(0), "crashed", "SystemExit"),
        (RecursionError(), "crashed", "RecursionError"),
        (HarnessError("x" * 10**6), "refused", "a message of 1000000 characters"),
        (HarnessError("\x1b[2J"), "refused", "a terminal would obey"),
        (HarnessError("\ud800"), "refused", "not print"),
        (HarnessError(" "), "refused", "an empty message"),
        (HarnessError("column 'week': 'x'; expected a number."), "refused", ""),
    ],
)
def test_an_unclear_end_is_a_finding(fuzz_inputs, tmp_path, raised, outcome, told):
    def read(chance, folder):
        del chance, folder
        raise raised

    found, complaint = fuzz_inputs.outcome_of(read, None, tmp_path)
    assert found == outcome
    assert told in complaint
    assert bool(told) == bool(complaint)
