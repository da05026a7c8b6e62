"""Classes with other numbers agree, and are named; `harness selftest` tries this and the rest on all pins."""

import random
from itertools import permutations

from harness.comparison.alignment import relabelled
from harness.comparison.verdict import Attribution, Outcome
from harness.crosscheck import References, compare_with
from harness.references import source_hash
from harness.references.pins import PinnedEngine, pin_path


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


def pins_in(folder, reference):
    engine = PinnedEngine(name=reference, folder=folder, r_source=source_hash(reference))
    return References(pinned={reference: engine})
