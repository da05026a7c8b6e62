"""A campaign against live lme4: the same rows whoever computes them and whatever is killed meanwhile."""

import os
import signal
from pathlib import Path

import pytest

from harness.campaigns.campaign import run_campaign
from harness.campaigns.plan_file import plan_of
from harness.campaigns.schedulers import workers
from harness.campaigns.store import digest, opened

pytestmark = pytest.mark.needs_r("lme4")

PLAN = {
    "campaign": {"name": "live", "seed": 1, "replicates": 40, "batch": 5, "references": ["lme4"]},
    "factors": {"subjects": [10, 20]},
    "model": {"kind": "lmm", "formula": "score ~ visit * arm + (1 + visit | subject)"},
}


@pytest.fixture(scope="module")
def plan():
    return plan_of(PLAN, "", "live")


def found_by(plan, folder, *, n=1, scheduler=None, told=lambda _: None):
    with opened(folder) as store, workers(n, scheduler) as running:
        found = run_campaign(plan, running, store, told)
    rows = [row for rows in found.rows.values() for row in rows]
    assert (len(rows), found.computed, found.complete) == (80, 80, True)
    return found, rows


@pytest.fixture(scope="module")
def undisturbed(plan, tmp_path_factory):
    """Return the digest of the plan's rows from one worker that nobody disturbed."""
    found, rows = found_by(plan, tmp_path_factory.mktemp("undisturbed"))
    assert found.versions[0]["lme4"]
    assert sum(row["retries"] for row in rows) == found.deaths == 0
    # An agreement rate is what the campaign is to find out; here only that engines were compared at all.
    assert all(row["compared"] > 50 for row in rows)
    return digest(rows)


def children(parent, of):
    """Return the processes that a process started and whose command has a word."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            its_parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (folder / "cmdline").read_text()
        except OSError:
            continue
        if its_parent == parent and of in command:
            found.append(int(folder.name))
    return found


@pytest.mark.parametrize("what", ["a worker and its R", "an R alone"])
def test_killing_in_the_middle_loses_and_repeats_nothing(plan, undisturbed, tmp_path, what):
    killed = []

    def told(standing):
        if killed or not standing.computed:
            return
        worker = next(one for one in children(os.getpid(), "popen_loky") if children(one, "r_process"))
        killed.extend([*children(worker, "r_process"), *([worker] if what == "a worker and its R" else [])])
        for process in killed:
            os.kill(process, signal.SIGKILL)

    found, rows = found_by(plan, tmp_path, n=2, told=told)
    assert killed
    assert found.deaths == (1 if what == "a worker and its R" else 0)
    assert digest(rows) == undisturbed


@pytest.mark.filterwarnings("default")  # the cluster tells of the death by a warning of its own
def test_a_cluster_gives_the_same_rows_though_a_worker_is_killed(plan, undisturbed, tmp_path):
    distributed = pytest.importorskip("distributed")
    killed = []
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:

        def told(standing):
            if not killed and standing.computed:
                killed.append(next(iter(cluster.workers.values())).pid)
                os.kill(killed[0], signal.SIGKILL)

        _, rows = found_by(plan, tmp_path, scheduler=cluster.scheduler_address, told=told)
    assert killed
    assert digest(rows) == undisturbed
