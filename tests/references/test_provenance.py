"""Editing an R source makes pins of its engine stale, and of no other."""

import shutil

import pytest

from harness.locations import r_source_folder
from harness.references import REFERENCES, provenance, source_hash
from harness.roster import roster


@pytest.fixture
def copied(tmp_path, monkeypatch):
    folder = tmp_path / "reference_r"
    shutil.copytree(r_source_folder(), folder)
    monkeypatch.setattr(provenance, "r_source_folder", lambda: folder)
    return folder


@pytest.mark.parametrize("engine", REFERENCES)
def test_a_changed_source_changes_the_hash_of_the_engines_that_run_it_only(copied, engine):
    before = {name: source_hash(name) for name in REFERENCES}
    with (copied / f"{engine}.R").open("a") as source:
        source.write("\n")
    changed = {name for name in REFERENCES if source_hash(name) != before[name]}
    assert changed == {name for name, entry in roster().items() if f"{engine}.R" in entry.sources}
    assert engine in changed


def test_a_changed_dispatch_changes_all_hashes(copied):
    before = {name: source_hash(name) for name in REFERENCES}
    with (copied / "worker.R").open("a") as source:
        source.write("\n")
    assert all(source_hash(name) != before[name] for name in REFERENCES)
