"""Whatever happens to R costs one request; the next one works."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from harness.errors import EngineError
from harness.locations import r_source_folder
from harness.references.worker import RWorker
from harness.roster import r_files

pytestmark = pytest.mark.needs_r

SOURCES = (*(r_source_folder() / name for name in r_files()), Path(__file__).with_name("faults.R"))


@pytest.fixture(scope="module")
def faulty():
    with RWorker(sources=SOURCES) as worker:
        yield worker


def works(worker):
    return worker.request("session.echo", {"x": 1.5}).value["x"].item() == 1.5


def test_a_kill_during_a_request_is_a_crash_of_that_request(faulty):
    assert works(faulty)
    pid = faulty.pid
    timer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    timer.start()
    with pytest.raises(EngineError, match="SIGKILL") as caught:
        faulty.request("fault.sleep", {})
    timer.join()
    assert (caught.value.engine, caught.value.reason) == ("fault", "crashed")
    assert works(faulty)
    assert faulty.pid != pid


@pytest.mark.parametrize("operation", ["fault.sleep", "fault.busy"])
def test_an_r_that_hangs_ends_at_its_deadline(faulty, operation):
    assert works(faulty)
    began = time.monotonic()
    with pytest.raises(EngineError, match=r"no answer within 0\.5 s") as caught:
        faulty.request(operation, {}, deadline=0.5)
    assert caught.value.reason == "timeout"
    assert time.monotonic() - began < 10
    assert works(faulty)


def test_quit_is_a_crash_and_not_an_end_of_ours(faulty):
    with pytest.raises(EngineError, match="exit status 3") as caught:
        faulty.request("fault.quit", {})
    assert caught.value.reason == "crashed"
    assert works(faulty)


def test_a_segmentation_fault_is_a_crash(faulty):
    with pytest.raises(EngineError, match="R ended") as caught:
        faulty.request("fault.segfault", {}, deadline=20)
    assert caught.value.reason in {"crashed", "timeout"}
    assert works(faulty)


def test_an_r_killed_between_requests_is_started_again(faulty):
    assert works(faulty)
    os.kill(faulty.pid, signal.SIGKILL)
    time.sleep(0.2)
    assert works(faulty)


def test_an_error_of_r_is_a_refusal_in_its_own_words(faulty):
    assert works(faulty)
    pid = faulty.pid
    for operation, words in (("fault.error", "boom"), ("fault.recursion", "."), ("fault.unheard_of", "no operation")):
        with pytest.raises(EngineError, match=words) as caught:
            faulty.request(operation, {})
        assert caught.value.reason == "refused"
    assert faulty.pid == pid


def test_a_flood_of_warnings_is_counted_not_kept(faulty):
    answer = faulty.request("fault.warnings", {})
    assert answer.value == ["done"]
    assert answer.warnings[:2] == ("warning 1", "warning 2")
    assert answer.warnings[-1] == "19980 more warnings, repeated or not kept"
    assert len(answer.warnings) == 21


def test_a_repeated_warning_is_kept_once(faulty):
    assert faulty.request("fault.same_warning", {}).warnings == ("again", "499 more warnings, repeated or not kept")


def test_printing_without_end_does_not_block_and_only_the_end_is_kept(faulty):
    answer = faulty.request("fault.print", {})
    assert answer.value == ["done"]
    assert answer.output.endswith("the last words")
    assert len(answer.output) <= 16_384


def test_a_large_answer_comes_back_whole(faulty):
    assert faulty.request("fault.large", {}).value.shape == (2_000_000,)


def test_a_value_that_can_not_travel_costs_only_its_request(faulty):
    pid = faulty.pid
    with pytest.raises(EngineError, match="can't travel") as caught:
        faulty.request("fault.closure", {})
    assert caught.value.reason == "refused"
    assert works(faulty)
    assert faulty.pid == pid


def test_what_r_started_dies_with_it():
    with RWorker(sources=SOURCES) as worker:
        leader = worker.request("fault.child", {}).value.item()
        assert os.getpgid(leader) == leader == worker.pid
    assert ends(leader)


def ends(leader):
    """Whether a process group is gone within 10 s."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(leader, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_an_r_that_never_returns_does_not_outlive_a_killed_parent():
    code = (
        "import sys; from pathlib import Path; from harness.references.worker import RWorker\n"
        "worker = RWorker(sources=[Path(name) for name in sys.argv[1:]]); worker.request('session.versions', {})\n"
        "sys.stdout.write(f'{worker.pid}\\n'); sys.stdout.flush(); worker.request('fault.busy', {})\n"
    )
    command = [sys.executable, "-c", code, *map(str, SOURCES)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=r_source_folder().parent) as parent:
        leader = int(parent.stdout.readline())
        parent.kill()
    assert ends(leader)


def test_no_request_changes_the_settings_of_the_next(faulty):
    first = faulty.request("fault.random", {}).value
    faulty.request("fault.settings", {})
    assert faulty.request("session.contrasts", {}).value == ["contr.treatment", "contr.poly"]
    assert faulty.request("fault.random", {}).value.tolist() == first.tolist()


def test_a_question_of_r_is_not_waited_for(faulty):
    assert faulty.request("fault.ask", {}, deadline=20).value == [""]


def test_plots_leave_no_files(faulty):
    assert not faulty.request("fault.plot", {}).value


def test_a_profile_of_the_user_is_not_read(tmp_path):
    profile = tmp_path / "profile.R"
    profile.write_text('options(contrasts = c("contr.sum", "contr.poly")); cat("I was here\\n")\n')
    home = tmp_path / "home"
    home.mkdir()
    (home / ".Rprofile").write_text(profile.read_text())
    environment = {"R_PROFILE_USER": str(profile), "R_PROFILE": str(profile), "HOME": str(home)}
    with RWorker(sources=SOURCES, environment=environment) as worker:
        answer = worker.request("session.contrasts", {})
        assert answer.value == ["contr.treatment", "contr.poly"]
        assert "I was here" not in answer.output


def test_the_environment_is_fixed_but_the_users_libraries_stay(monkeypatch, tmp_path):
    monkeypatch.setenv("R_LIBS", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("R_PROFILE_USER", "/nowhere")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "8")
    with RWorker(sources=SOURCES) as worker:
        assert worker.request("fault.environment", {}).value == ["C.UTF-8", "UTC", "", "1", str(tmp_path)]
