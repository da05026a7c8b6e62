"""Rows on disk: whole or not at all, never computed twice, never mixed up."""

from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from harness.campaigns.store import CIRCUMSTANCES, RESULTS, digest, opened
from harness.campaigns.workers import run_batch
from harness.errors import CampaignError, InputError


@pytest.fixture(scope="module")
def done(made_small_plan):
    return run_batch(made_small_plan.batch_of(made_small_plan.cells[0], 1))


def test_rows_come_back_as_they_went(tmp_path, done):
    with opened(tmp_path) as store:
        assert not store.has(done.batch)
        path = store.append(done)
        assert store.has(done.batch)
        assert store.read(done.batch) == list(done.rows)
        assert store.versions(done.batch) == done.versions
    assert path.name == f"{done.batch.cell.key}-00000005-00000010.parquet"
    assert not list(tmp_path.glob("*.partial"))


def test_half_written_files_are_removed_and_whole_ones_kept(tmp_path, done):
    with opened(tmp_path) as store:
        path = store.append(done)
    partial = path.with_name(f"{path.name}.0a1b2c3d.partial")
    partial.write_bytes(path.read_bytes()[:100])
    with opened(tmp_path) as store:
        assert not partial.exists()
        assert store.has(done.batch)


@pytest.mark.parametrize("damage", ["cut", "empty", "other rows", "other columns"])
def test_a_damaged_file_is_computed_again(tmp_path, done, damage):
    with opened(tmp_path) as store:
        path = store.append(done)
        if damage == "cut":
            path.write_bytes(path.read_bytes()[:-20])
        elif damage == "empty":
            path.write_bytes(b"")
        else:
            table = pq.read_table(path)
            pq.write_table(table.slice(1) if damage == "other rows" else table.drop_columns(["seed"]), path)
        assert not store.has(done.batch)
        assert not path.exists()


def test_other_plans_in_the_folder_are_left_alone_and_counted(tmp_path, done):
    with opened(tmp_path) as store:
        store.append(done)
        assert store.others([done.batch.cell]) == 0
        assert store.others([replace(done.batch.cell, seed=99)]) == 1
        assert not store.has(replace(done.batch, cell=replace(done.batch.cell, seed=99)))


def test_two_runs_at_once_in_one_folder_are_refused(tmp_path):
    with opened(tmp_path), pytest.raises(CampaignError, match="another run writes here"), opened(tmp_path):
        pass
    with opened(tmp_path):
        pass


def test_a_link_is_no_folder_of_rows(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(InputError, match="a link"), opened(tmp_path / "link"):
        pass


def test_the_digest_depends_on_every_result_and_on_no_circumstance(done):
    rows = [dict(row) for row in done.rows]
    plain = digest(rows)
    assert digest(rows[::-1]) == plain
    for name in CIRCUMSTANCES.names:
        assert digest([{**rows[0], name: 99}, *rows[1:]]) == plain
    other = {"string": "other", "double": 0.1, "int32": 99, "list<element: bool>": [None], "list<item: bool>": [None]}
    for column in RESULTS:
        assert digest([{**rows[0], column.name: other[str(column.type)]}, *rows[1:]]) != plain, column.name


def test_the_digest_sees_the_last_bit(done):
    row = dict(done.rows[0])
    moved = {**row, "left_log_likelihood": row["left_log_likelihood"] * (1 + 2**-52)}
    assert moved["left_log_likelihood"] != row["left_log_likelihood"]
    assert digest([moved]) != digest([row])
