"""A worker's R: a replicate during which it died is done once more."""

import pytest

from harness.campaigns import workers
from harness.campaigns.again import Again
from harness.errors import EngineError


class Mortal:
    """Stands for R: it dies at chosen replicates, a chosen number of times."""

    def __init__(self, deaths):
        self.deaths = dict(deaths)
        self.pid = 1

    def close(self):
        pass


@pytest.fixture
def batch(small_plan):
    made = small_plan()
    return made.batch_of(made.cells[0], 0)


def rows_of(batch, deaths, monkeypatch):
    mortal, computed = Mortal(deaths), []

    def run(_, number, __):
        computed.append(number)
        died = mortal.deaths.get(number, 0) > 0
        if died:
            mortal.deaths[number] -= 1
            mortal.pid += 1
        return {"replicate": number, "outcome": "disagree" if died else "agree"}

    monkeypatch.setattr(workers, "run_replicate", run)
    monkeypatch.setattr(workers, "reference_engine", lambda *_, **__: Again())
    return list(workers._rows(batch, mortal)), computed


def test_a_replicate_during_which_r_died_is_done_once_more(batch, monkeypatch):
    rows, computed = rows_of(batch, {2: 1}, monkeypatch)
    assert computed == [0, 1, 2, 2, 3, 4]
    assert [row["outcome"] for row in rows] == ["agree"] * 5
    assert [row["retries"] for row in rows] == [0, 0, 1, 0, 0]


def test_a_death_that_repeats_is_a_result(batch, monkeypatch):
    rows, computed = rows_of(batch, {2: 2}, monkeypatch)
    assert computed.count(2) == 2
    assert rows[2] == {"replicate": 2, "outcome": "disagree", "retries": 1}


def test_a_batch_of_our_own_engine_needs_no_r(batch, monkeypatch):
    monkeypatch.setattr(workers, "RWorker", None)
    done = workers.run_batch(batch)
    assert [row["replicate"] for row in done.rows] == [0, 1, 2, 3, 4]
    assert set(done.versions) == {"gbtm-harness", "numpy", "scipy"}


def test_a_batch_of_a_package_of_python_needs_no_r(small_plan, monkeypatch):
    pytest.importorskip("statsmodels")
    monkeypatch.setattr(workers, "RWorker", None)
    made = small_plan(references=("statsmodels",), subjects=(20,))
    done = workers.run_batch(made.batch_of(made.cells[0], 0))
    assert done.versions["statsmodels"]
    assert all(row["compared"] > 10 for row in done.rows)


def test_a_package_that_is_not_installed_ends_the_campaign(small_plan, monkeypatch):
    monkeypatch.setattr(workers, "installed_version", lambda _: None)
    made = small_plan(references=("statsmodels",))
    with pytest.raises(EngineError, match="absent"):
        workers.run_batch(made.batch_of(made.cells[0], 0))
