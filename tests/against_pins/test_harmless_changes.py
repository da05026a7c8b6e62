"""What means the same agrees with the pins: renumbered classes, rows and columns in another order, another layout."""

import json
import random
import shutil
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from harness import runs
from harness.cohorts import fixtures
from harness.comparison.alignment import relabelled
from harness.comparison.known import read_known
from harness.comparison.verdict import Attribution, Outcome
from harness.crosscheck import References, compare_with
from harness.locations import fixtures_folder
from harness.references import source_hash
from harness.references.pins import PinnedEngine, pin_path

KNOWN = read_known(fixtures_folder() / "known_differences.toml")


def renumberings(reading):
    """Return other numberings of the reading's classes: the only one of two classes, three of more."""
    classes = sorted({q.latent_class for q in reading.quantities} - {None})
    others = [dict(zip(classes, order, strict=True)) for order in permutations(classes)][1:]
    return random.Random(1).sample(others, min(len(others), 3))  # noqa: S311  # a sample, not a secret


def test_classes_with_other_numbers_agree_and_are_named(mixture):
    for new_number in renumberings(mixture.reading):
        comparison = mixture.judge(relabelled(mixture.reading, new_number))
        assert comparison.outcome is Outcome.AGREE, comparison.sentence
        assert comparison.attribution is Attribution.LABELS
        assert comparison.permutation == {new: old for old, new in new_number.items()}


def test_classes_may_be_renumbered_in_the_file_itself(mixture, tmp_path):
    text = mixture.path.read_text(encoding="utf-8")
    swapped = text.replace("class[1].", "class[one].").replace("class[2].", "class[1].").replace("[one].", "[2].")
    pin_path(tmp_path, mixture.name, mixture.reference).write_text(swapped, encoding="utf-8")
    comparison = compare_with(mixture.ours, mixture.reference, pins_in(tmp_path, mixture.reference))
    assert comparison.outcome is Outcome.AGREE, comparison.sentence


def test_the_layout_of_a_pin_file_does_not_matter(agreeing, tmp_path):
    document = json.loads(agreeing.path.read_text(encoding="utf-8"))
    path = pin_path(tmp_path, agreeing.name, agreeing.reference)
    path.write_text(json.dumps(backwards(document)), encoding="utf-8")
    comparison = compare_with(agreeing.ours, agreeing.reference, pins_in(tmp_path, agreeing.reference))
    assert comparison.outcome is Outcome.AGREE, comparison.sentence


def test_a_table_with_rows_and_columns_in_another_order_passes_the_check(case_name, shuffled_project, monkeypatch):
    monkeypatch.setattr(runs, "fixtures_folder", lambda: shuffled_project)
    monkeypatch.setattr(fixtures, "fixtures_folder", lambda: shuffled_project)
    run = runs.check(runs.read_cases([case_name]), "harness check", lambda _: None)
    assert run.comparisons
    assert not run.skipped
    for comparison in run.comparisons:
        accepted = any(entry.concerns(case_name, comparison.right.engine) for entry in KNOWN)
        expected = {Outcome.AGREE, Outcome.KNOWN} if accepted else {Outcome.AGREE}
        assert comparison.outcome in expected, comparison.sentence
        assert accepted or comparison.attribution is None


@pytest.fixture(scope="module")
def shuffled_project(tmp_path_factory):
    """A copy of the fixtures whose tables have their rows and columns in another order."""
    copy = tmp_path_factory.mktemp("project") / "fixtures"
    shutil.copytree(fixtures_folder(), copy)
    for path in (copy / "cohorts").glob("*.csv"):
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        columns = np.random.default_rng(1).permutation(table.columns)
        table.sample(frac=1, random_state=1)[columns].to_csv(path, index=False)
        assert path.read_bytes() != (fixtures_folder() / "cohorts" / path.name).read_bytes()
    return copy


def pins_in(folder, reference):
    engine = PinnedEngine(name=reference, folder=folder, r_source=source_hash(reference))
    return References(pinned={reference: engine})


def backwards(node):
    return {key: backwards(node[key]) for key in reversed(node)} if isinstance(node, dict) else node
