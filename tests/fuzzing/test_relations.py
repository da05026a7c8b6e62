"""Cases told in another way: each telling has a case, its estimates follow, and a wrong change is noticed."""

from dataclasses import replace
from functools import cache

import pytest

from harness.comparison.judge import judge
from harness.comparison.verdict import CrossEvidence, Outcome
from harness.counterexamples.specimen import Specimen
from harness.engines import NAME, solve
from harness.fuzzing.change import back, only
from harness.fuzzing.metamorphic import contradicts
from harness.fuzzing.relations import RELATIONS

NAN = float("nan")
LABELS = {"id": tuple(f"s{k}" for k in range(8) for _ in range(4))}
NUMBERS = {
    "t": (0.0, 1.0, 2.0, 3.0) * 8,
    "w": (1.0, 2.0, 0.5, 1.0) * 8,
    "y": (
        *(9.5, 8.0, 8.5, 6.0), *(7.0, 7.5, 5.0, 4.0), *(8.0, 8.5, 9.0, NAN), *(6.5, 4.0, 3.0, 1.5),
        *(2.0, 3.5, 3.0, 5.0), *(1.0, 0.5, 2.5, 1.0), *(3.0, 4.0, 4.5, 6.0), *(2.5, 1.0, 2.0, 3.5),
    ),
}  # fmt: skip
MODELS = {
    "ml": {"kind": "lmm", "formula": "y ~ t + (1 + t | id)", "criterion": "ML"},
    "reml": {"kind": "lmm", "formula": "y ~ t + (1 | id)", "criterion": "REML"},
    "weighted": {"kind": "lmm", "formula": "y ~ t + (1 | id)", "criterion": "ML", "weights": "w"},
    "classes": {
        "kind": "gbtm",
        "outcome": "y",
        "time": "t",
        "subject": "id",
        "orders": [1, 1],
        "family": "gaussian",
        "sigma": "shared",
        "n_starts": 10,
    },
}
BY_NAME = {relation.name: relation for relation in RELATIONS}
TOLD = {
    "rows_in_another_order": "ml reml weighted classes",
    "other_names": "ml reml weighted classes",
    "rows_without_an_outcome": "ml reml weighted classes",
    "outcome_scaled": "ml reml weighted classes",
    "outcome_mirrored": "ml reml weighted classes",
    "outcome_shifted": "ml reml weighted classes",
    "time_scaled": "ml reml weighted classes",
    "weights_scaled": "weighted",
    "unit_weights": "ml reml classes",
    "every_subject_twice": "ml weighted classes",
    "every_weight_two": "classes",
    "every_subject_split": "classes",
}
PAIRS = [(name, model) for name, models in TOLD.items() for model in models.split()]
WRONG = [
    ("outcome_shifted", "ml", {"shift": 1.0}),
    ("outcome_shifted", "classes", {"shift": 1.0}),
    ("outcome_scaled", "reml", {"sigma": 1.0}),
    ("time_scaled", "reml", {"added": 0.0}),
    ("every_subject_twice", "ml", {"copies": 1}),
    ("every_weight_two", "classes", {"copies": 2}),
    ("every_subject_split", "classes", {"copies": 1}),
    ("outcome_mirrored", "classes", {"effect": lambda _: 1.0}),
]


def specimen_of(model):
    """Return eight subjects with four visits, one outcome missing, and the model."""
    numbers = {name: values for name, values in NUMBERS.items() if name != "w" or "weights" in MODELS[model]}
    return Specimen(time="t", numbers=numbers, labels=LABELS, subject="id", model=MODELS[model])


@cache
def first_of(model):
    """Return what ours says of the first telling."""
    return reading_of(specimen_of(model))


def reading_of(specimen):
    """Return what ours says of it."""
    return solve(specimen.case("told", ("lme4",))).reading(against=NAME)


def outcome_of(name, model, **wrong):
    """Return what the judge says of the first telling and the other, by the change or by a wrong one."""
    specimen = specimen_of(model)
    first = first_of(model)
    other, change_of = BY_NAME[name].told(specimen)
    change = replace(change_of(first), **wrong)
    return judge("told", only(first, change), back(reading_of(other), change), CrossEvidence()).outcome


def test_every_relation_is_tried():
    assert set(TOLD) == set(BY_NAME)


@pytest.mark.parametrize(("name", "model"), PAIRS)
def test_estimates_follow(name, model):
    assert outcome_of(name, model) is Outcome.AGREE


@pytest.mark.parametrize(("name", "model", "wrong"), WRONG)
def test_a_wrong_change_is_noticed(name, model, wrong):
    assert outcome_of(name, model, **wrong) is Outcome.DISAGREE


@pytest.mark.parametrize("model", ["reml", "classes"])
def test_what_is_told_in_another_way_is_no_contradiction(model):
    assert contradicts(specimen_of(model)).code == "agree"
