"""The run: every batch once, whatever order it comes back in, whoever dies; cells stop by their data alone."""

import hashlib
import random
from concurrent.futures import BrokenExecutor, Future

import pytest
from scipy.stats import binomtest

from harness.campaigns import campaign
from harness.campaigns.campaign import run_campaign
from harness.campaigns.schedulers import Workers
from harness.campaigns.store import SCHEMA, digest, opened
from harness.campaigns.workers import Done
from harness.errors import CampaignError


def pretended(agreeing):
    """Return what computes batches without fitting: as many replicates agree as a function of the batch says."""

    def compute(batch):
        count = agreeing(batch)
        rows = [
            {
                **dict.fromkeys(SCHEMA.names),
                "cell": batch.cell.key,
                "replicate": number,
                "seed": f"{batch.cell.data_seed(number):032x}",
                "outcome": "agree" if k < count else "disagree",
            }
            for k, number in enumerate(range(batch.first, batch.last))
        ]
        return Done(batch=batch, rows=rows, versions={"x": "1"}, process=0)

    return compute


def by_hash(batch):
    """Return how many replicates of a batch agree: a fixed number that looks drawn."""
    return hashlib.sha256(f"{batch.cell.key} {batch.first}".encode()).digest()[0] % (batch.last - batch.first + 1)


drawn = pretended(by_hash)


class Pretended(Workers):
    """Workers of this process that return batches in an order of their own and die when they are told to."""

    lost = (BrokenExecutor,)

    def __init__(self, *, seed=0, n=3, deaths=0, deadly=0.3, compute=drawn):
        self.order = random.Random(seed)  # noqa: S311
        self.n, self.deaths, self.deadly, self.compute = n, deaths, deadly, compute
        self.waiting, self.computed, self.renewed = [], [], 0

    def submit(self, batch):
        future = Future()
        self.waiting.append((future, batch))
        return future

    def finish(self, future, batch):
        if self.deaths and self.order.random() < self.deadly:
            self.deaths -= 1
            future.set_exception(BrokenExecutor("died"))
            return
        self.computed.append((batch.cell.key, batch.first))
        future.set_result(self.compute(batch))

    def n_workers(self):
        # Asked once a round: then one or two of the batches that are given out come back, whichever.
        for _ in range(self.order.randint(1, 2)):
            if self.waiting:
                self.finish(*self.waiting.pop(self.order.randrange(len(self.waiting))))
        return self.n

    def renew(self):
        self.renewed += 1

    def close(self):
        pass


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch):
    monkeypatch.setattr(campaign, "TICK", 0.001)


def rows_of(found):
    return [row for rows in found.rows.values() for row in rows]


def run(plan, folder, workers, told=lambda _: None):
    with opened(folder) as store:
        return run_campaign(plan, workers, store, told)


def test_rows_do_not_depend_on_the_order_in_which_batches_come_back(small_plan, tmp_path):
    plan = small_plan()
    found = {digest(rows_of(run(plan, tmp_path / str(seed), Pretended(seed=seed)))) for seed in range(3)}
    direct = [row for cell in plan.cells for k in range(plan.n_batches) for row in drawn(plan.batch_of(cell, k)).rows]
    assert found == {digest(direct)}


def test_what_died_is_computed_again_and_nothing_else(small_plan, tmp_path):
    plan, workers = small_plan(), Pretended(seed=4, deaths=5)
    found = run(plan, tmp_path, workers)
    assert workers.deaths == 0
    assert workers.renewed == found.deaths > 0
    assert sorted(workers.computed) == sorted((cell.key, 5 * k) for cell in plan.cells for k in range(4))
    assert found.complete
    assert (found.computed, found.stored) == (40, 0)


def test_a_run_goes_on_from_what_is_there(small_plan, tmp_path):
    plan = small_plan()

    class EnoughError(Exception):
        pass

    def told(standing):
        if standing.there >= 15:
            raise EnoughError

    with pytest.raises(EnoughError):
        run(plan, tmp_path, Pretended(seed=1), told)
    there = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")}
    assert 0 < len(there) < 8
    second = Pretended(seed=2)
    found = run(plan, tmp_path, second)
    assert found.stored == 5 * len(there)
    assert len(second.computed) == 8 - len(there)
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in there} == there
    assert digest(rows_of(found)) == digest(rows_of(run(plan, tmp_path / "whole", Pretended())))
    third = Pretended()
    assert run(plan, tmp_path, third).computed == 0
    assert not third.computed


@pytest.mark.parametrize("seed", range(5))
def test_a_cell_stops_by_its_data_alone(small_plan, tmp_path, seed):
    plan = small_plan(replicates=500, batch=10, stop=0.05)
    # The first cell always agrees, so it has enough after 40: (1 - 0.025^(1/n))/2 <= 0.05 from n = 36 on. The other
    # agrees in 9 of 10, and by scipy's binomtest has enough at the first tens at which half of the width is 0.05.
    first = plan.cells[0].key
    compute = pretended(lambda batch: 10 if batch.cell.key == first else 9)
    found = run(plan, tmp_path, Pretended(seed=seed, n=4, compute=compute))
    counts = [len(found.rows[cell.key]) for cell in plan.cells]
    intervals = ((n, binomtest(9 * n // 10, n).proportion_ci(0.95, "exact")) for n in range(10, 500, 10))
    assert counts == [40, next(n for n, interval in intervals if interval.high - interval.low <= 0.1)]
    assert found.complete


def test_a_finished_plan_can_be_extended(small_plan, tmp_path):
    run(small_plan(), tmp_path, Pretended())
    found = run(small_plan(replicates=30, subjects=(6, 8, 10)), tmp_path, Pretended())
    assert (found.stored, found.computed) == (40, 50)


def test_progress_counts_what_is_there_and_what_is_spared(small_plan, tmp_path):
    plan = small_plan(replicates=100, batch=10, stop=0.05)
    told = []
    run(plan, tmp_path, Pretended(compute=pretended(lambda _: 10)), told.append)
    assert (told[0].total, told[0].there) == (200, 0)
    assert (told[-1].there, told[-1].spared, told[-1].left) == (80, 120, 0)
    assert "spared by early stops" in str(told[-1])


def test_rows_of_different_versions_are_told(small_plan, tmp_path):
    def compute(batch):
        done = pretended(lambda _: 5)(batch)
        return Done(batch=batch, rows=done.rows, versions={"x": str(batch.first > 5)}, process=0)

    assert len(run(small_plan(), tmp_path, Pretended(compute=compute)).versions) == 2


def test_workers_that_die_without_end_are_an_error(small_plan, tmp_path):
    with pytest.raises(CampaignError, match=f"workers died {campaign.MOST_DEATHS + 1} times"):
        run(small_plan(), tmp_path, Pretended(deaths=10**6, deadly=1.0))


def test_an_error_that_is_no_death_ends_the_run(small_plan, tmp_path):
    def breaks(batch):
        raise ZeroDivisionError(batch.first)

    class Breaking(Pretended):
        def finish(self, future, batch):
            try:
                breaks(batch)
            except ZeroDivisionError as error:
                future.set_exception(error)

    with pytest.raises(ZeroDivisionError):
        run(small_plan(), tmp_path, Breaking())
