"""Making a counterexample smaller, on questions whose smallest answer is known."""

import pytest

from harness.counterexamples.specimen import Specimen
from harness.fuzzing.drawing import specimen_of
from harness.fuzzing.shrinking import shrink
from harness.fuzzing.simpler_models import simpler


def panel(n_subjects, n_visits, formula="y ~ t * arm + x + (1 + t | id) + (1 | site)"):
    rows = [(i, k) for i in range(n_subjects) for k in range(n_visits)]
    return Specimen(
        subject="id",
        time="t",
        numbers={
            "t": tuple(float(k) for _, k in rows),
            "x": tuple(0.123456 * (i + k) for i, k in rows),
            "y": tuple(10.0 * i + k + 0.25 for i, k in rows),
        },
        labels={
            "id": tuple(f"person {i}" for i, _ in rows),
            "arm": tuple("ab"[i % 2] for i, _ in rows),
            "site": tuple(f"site {i % 3}" for i, _ in rows),
        },
        levels={"arm": ("a", "b")},
        model={"kind": "lmm", "formula": formula, "criterion": "ML"},
    )


@pytest.mark.parametrize("needed", [1, 3, 6])
def test_as_many_subjects_stay_as_are_needed(needed):
    shrunk = shrink(panel(40, 4), lambda one: len(one.subjects) >= needed)
    assert len(shrunk.specimen.subjects) == needed
    assert shrunk.specimen.n_rows == needed
    assert shrunk.finished


def test_the_subject_that_matters_stays_and_its_other_rows_go():
    shrunk = shrink(panel(30, 5), lambda one: 173.25 in one.numbers["y"])
    assert shrunk.specimen.numbers["y"] == (173.25,)
    assert shrunk.specimen.labels["id"] == ("s1",)  # by another name, which did not matter


def test_terms_that_do_not_matter_go_and_their_columns_with_them():
    shrunk = shrink(panel(6, 3), lambda one: "t | id" in one.model["formula"])
    assert shrunk.specimen.model["formula"] in {"y ~ 1 + (t | id)", "y ~ 1 + (1 + t | id)"}
    assert set(shrunk.specimen.numbers) == {"t", "y"}
    assert set(shrunk.specimen.labels) == {"id"}


def test_digits_that_do_not_matter_go():
    shrunk = shrink(panel(4, 2), lambda one: "x" in one.numbers and max(one.numbers["x"]) > 0)
    assert all(value == float(f"{value:.1g}") for value in shrunk.specimen.numbers["x"])  # x was 0.123456 and more


def test_no_more_is_asked_than_is_allowed():
    asked = []

    def is_alike(one):
        asked.append(one)
        return True

    shrunk = shrink(panel(40, 4), is_alike, tries=3)
    assert len(asked) == shrunk.tries == 3
    assert not shrunk.finished
    assert shrunk.specimen is asked[-1]


def test_what_can_not_be_smaller_stays_as_it_is():
    whole = panel(3, 2)
    shrunk = shrink(whole, lambda one: one == whole)
    assert shrunk.specimen is whole


@pytest.mark.parametrize("kind", ["lmm", "gbtm"])
def test_every_simpler_model_is_one_and_is_simpler(kind):
    for index in range(12):
        drawn = specimen_of(kind, 3, index)
        for one in simpler(drawn):
            one.case("simpler", ("lme4",))  # raises if it were none
            assert len(str(one.model)) <= len(str(drawn.model)) + len("1 + ")
            assert one.model != drawn.model
