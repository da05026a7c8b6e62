"""Reports as files: whole or not at all, in their folder and nowhere else."""

import json

import pytest

from harness.errors import InputError
from harness.reports import write_report


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


NAMES = ["index.html", "junit.xml", "run.json", "run.schema.json", "summary.md"]


def test_five_files_and_nothing_else_are_written(tmp_path, sample_runs):
    written = write_report(sample_runs["hostile"], tmp_path / "report")
    assert files(tmp_path) == ["report", *(f"report/{name}" for name in NAMES)]
    assert sorted(path.name for path in written) == NAMES


def test_a_new_run_replaces_the_old_one(tmp_path, sample_runs):
    write_report(sample_runs["many verdicts"], tmp_path)
    write_report(sample_runs["pinned only"], tmp_path)
    assert json.loads((tmp_path / "run.json").read_text())["summary"]["overall"] == "agree"
    assert files(tmp_path) == NAMES


def test_a_link_in_the_folder_is_replaced_and_not_followed(tmp_path, sample_runs):
    outside = tmp_path / "outside.txt"
    outside.write_text("untouched")
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "run.json").symlink_to(outside)
    write_report(sample_runs["pinned only"], folder)
    assert outside.read_text() == "untouched"
    assert not (folder / "run.json").is_symlink()


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_folder_that_is_none_is_refused_and_nothing_is_written(tmp_path, sample_runs, kind):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = tmp_path / "report"
    if kind == "link":
        folder.symlink_to(elsewhere)
    else:
        folder.write_text("")
    with pytest.raises(InputError, match=f"is a {kind}; expected a folder"):
        write_report(sample_runs["pinned only"], folder)
    assert files(tmp_path) == ["elsewhere", "report"]


def test_a_write_that_fails_leaves_the_old_report_and_no_scraps(tmp_path, sample_runs, monkeypatch):
    write_report(sample_runs["pinned only"], tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}

    def full(_):
        raise OSError("no space left on device")

    monkeypatch.setattr("harness.reports.write.os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_report(sample_runs["disagreement"], tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == before


def test_the_same_run_gives_the_same_bytes(tmp_path, sample_runs):
    first = [path.read_bytes() for path in write_report(sample_runs["mixed"], tmp_path / "a")]
    second = [path.read_bytes() for path in write_report(sample_runs["mixed"], tmp_path / "b")]
    assert first == second
