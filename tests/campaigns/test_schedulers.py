"""Real processes: two of this machine, one of them killed in the middle, and a cluster of two give the same rows."""

import os
import signal
from pathlib import Path

import pytest

from harness.campaigns.campaign import run_campaign
from harness.campaigns.schedulers import workers
from harness.campaigns.store import digest, opened
from harness.campaigns.workers import run_batch
from harness.errors import CampaignError


@pytest.fixture(scope="module")
def plan(made_small_plan):
    return made_small_plan


@pytest.fixture(scope="module")
def expected(plan):
    """Return the digest of the plan's rows, computed here without any scheduler."""
    batches = (plan.batch_of(cell, number) for cell in plan.cells for number in range(plan.n_batches))
    return digest([row for batch in batches for row in run_batch(batch).rows])


def found_by(plan, folder, *, n=1, scheduler=None, told=lambda _: None):
    with opened(folder) as store, workers(n, scheduler) as running:
        found = run_campaign(plan, running, store, told)
    files = sorted(path.name for path in folder.glob("*.parquet"))
    assert len(files) == len(set(files)) == len(plan.cells) * plan.n_batches
    assert (found.computed, found.complete) == (40, True)
    return found, digest([row for rows in found.rows.values() for row in rows])


def local_workers():
    """Return the processes of joblib's executor that this process started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (folder / "cmdline").read_text()
        except OSError:
            continue
        if parent == os.getpid() and "popen_loky" in command:
            found.append(int(folder.name))
    return found


def test_a_worker_that_is_killed_in_the_middle_loses_and_repeats_nothing(plan, expected, tmp_path):
    killed = []

    def told(standing):
        if not killed and standing.computed:
            killed.append(local_workers()[0])
            os.kill(killed[0], signal.SIGKILL)

    found, same = found_by(plan, tmp_path, n=2, told=told)
    assert killed
    assert found.deaths == 1
    assert same == expected
    assert not local_workers()


def test_a_cluster_of_two_processes_gives_the_same_rows(plan, expected, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
        _, same = found_by(plan, tmp_path, scheduler=cluster.scheduler_address)
    assert same == expected


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("harness.campaigns.schedulers.CONNECTING", 0.2)
    with pytest.raises(CampaignError, match="expected a Dask scheduler"), workers(1, "tcp://127.0.0.1:9"):
        pass


def test_without_its_package_a_cluster_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(CampaignError, match="gbtm-harness\\[cluster\\]"), workers(1, "tcp://127.0.0.1:9"):
        pass
