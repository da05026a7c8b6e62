import math
import subprocess
import sys

from harness.gbtm.selection.processes import over_replicates, stream_of

SCRIPT = """
print("begins")
import math
from harness.gbtm.selection.processes import over_replicates
print(over_replicates(math.factorial, 5, 2))
"""


def test_replicates_come_back_in_order():
    assert over_replicates(math.factorial, 5, 1) == [1, 1, 2, 6, 24]


def test_processes_do_not_run_the_users_script_again(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == ["begins", "[1, 1, 2, 6, 24]"]


def test_a_stream_follows_from_seed_and_number():
    first, again, other = (stream_of(1, number).integers(2**31) for number in (3, 3, 4))
    assert first == again != other
