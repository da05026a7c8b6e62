import json
from dataclasses import replace

import pytest

from harness.cases import Case
from harness.cohorts import fixture_cohort
from harness.convergence import Convergence, Stop
from harness.errors import CaseError
from harness.formula import parse_formula
from harness.lmm.spec import LmmSpec
from harness.quantities import InputEvidence, Kind, ObjectiveValue, Quantity, Reading
from harness.references.pins import PinnedEngine, moves, new_pin, pin_path, read_pin, stale_reasons, write_pin

SOURCE = "a" * 64


@pytest.fixture(scope="module")
def case():
    spec = LmmSpec(formula=parse_formula("reaction ~ days + (1 | subject)"), criterion="ML")
    return Case(name="sleep__ml", cohort=fixture_cohort("sleepstudy"), spec=spec, references=("lme4",))


@pytest.fixture(scope="module")
def reading():
    return Reading(
        engine="lme4",
        source="live",
        versions={"R": "4.2.2", "lme4": "1.1.31"},
        evidence=InputEvidence(
            n_observations=180,
            n_subjects=18,
            outcome_sum=53731.420500000004,
            design_sums={"intercept": 180.0, "days": 810.0},
        ),
        quantities=(
            Quantity(path="n_observations", kind=Kind.EXACT, value=180),
            Quantity(path="fixed[days].estimate", kind=Kind.OPTIMUM, value=10.467285959595959, standard_error=0.8),
            Quantity(path="class[2].share.estimate", kind=Kind.OPTIMUM, value=0.1 + 0.2, latent_class=2),
        ),
        objective=(ObjectiveValue(label="optimum", point=(1.2, 5e-324), log_likelihood=-897.0393),),
        convergence=Convergence(stop=Stop.OPTIMUM, message="bobyqa", iterations=40, gradient=1e-9),
        conventions=("none",),
        not_given={"sigma.standard_error": "lme4 does not give it"},
        warnings=("careful",),
    )


@pytest.fixture
def folder(tmp_path, case, reading):
    write_pin(new_pin(case, reading, SOURCE, "a first recording"), tmp_path)
    return tmp_path


def edit(folder, change):
    path = pin_path(folder, "sleep__ml", "lme4")
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return path


def engine(folder, source=SOURCE):
    return PinnedEngine(name="lme4", folder=folder, r_source=source)


def test_a_pin_returns_every_double_exactly(folder, case, reading):
    found = engine(folder).read(case)
    assert {q.path: q.value for q in found.quantities} == {q.path: q.value for q in reading.quantities}
    assert found.objective == reading.objective
    assert found.evidence == reading.evidence
    assert found.convergence == reading.convergence
    assert found.not_given == reading.not_given
    assert found.source == "pinned"
    assert found.versions["lme4"] == "1.1.31"


def test_a_pin_has_one_scalar_a_line_and_sorted_keys(folder):
    text = pin_path(folder, "sleep__ml", "lme4").read_text()
    assert text == json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_latent_classes_survive(folder, case):
    found = {q.path: q for q in engine(folder).read(case).quantities}
    assert found["class[2].share.estimate"].latent_class == 2


def test_without_a_pin_the_engine_is_absent(tmp_path, case):
    failure = engine(tmp_path).read(case).failure
    assert failure is not None
    assert failure.reason == "absent"


def test_another_model_makes_the_pin_stale(folder, case):
    other = replace(case, spec=replace(case.spec, criterion="REML"))
    failure = engine(folder).read(other).failure
    assert failure is not None
    assert failure.reason == "stale"
    assert "the model has changed" in failure.sentence


def test_another_cohort_makes_the_pin_stale(folder, case):
    failure = engine(folder).read(replace(case, cohort=fixture_cohort("orthodont"))).failure
    assert "the cohort has changed" in failure.sentence


def test_another_r_source_makes_the_pin_stale(folder, case):
    failure = engine(folder, source="b" * 64).read(case).failure
    assert "the R source has changed" in failure.sentence


def test_a_pin_under_another_name_is_stale(folder, case):
    pin = pin_path(folder, "sleep__ml", "lme4")
    renamed = pin.rename(pin_path(folder, "sleep__ml", "nlme"))
    assert stale_reasons(read_pin(renamed), case, SOURCE, renamed)


@pytest.mark.parametrize(
    "change",
    [
        lambda pin: pin["sealed"]["versions"].update(lme4="1.1.32"),
        lambda pin: pin["sealed"]["not_given"].update(fixed="nothing"),
        lambda pin: pin["sealed"]["hashes"].update(cohort="0" * 64),
        lambda pin: pin["sealed"].update(reason="another"),
        lambda pin: pin["sealed"]["convergence"].update(gradient=1.0),
        lambda pin: pin.update(objective=[]),
        lambda pin: pin.update(evidence=None),
        lambda pin: pin.update(format=2),
        lambda pin: pin.pop("quantities"),
        lambda pin: pin["quantities"].update(opinion={"x": 1.0}),
    ],
)
def test_what_is_not_judged_is_sealed(folder, case, change):
    edit(folder, change)
    failure = engine(folder).read(case).failure
    assert failure is not None
    assert failure.reason == "stale"


def values(pin):
    return pin["quantities"]["optimum"]


@pytest.mark.parametrize(
    "change",
    [
        lambda pin: values(pin).update({"fixed[days].estimate": 10.46728}),
        lambda pin: values(pin).pop("fixed[days].estimate"),
        lambda pin: values(pin).update({"class[3].share.estimate": values(pin).pop("class[2].share.estimate") + 1e-6}),
        lambda pin: pin["quantities"]["exact"].update(n_observations=181),
        lambda pin: pin["quantities"].update(curvature=pin["quantities"].pop("optimum")),
        lambda pin: pin["evidence"]["design_sums"].update(intercept=180.00001),
        lambda pin: pin["evidence"].update(n_subjects=19),
        lambda pin: pin["objective"][0].update(point=[-1.2, 5e-324]),
        lambda pin: pin["objective"][0].update(log_likelihood=None),
    ],
)
def test_an_edited_value_shows_however_small(folder, case, change):
    edit(folder, change)
    failure = engine(folder).read(case).failure
    assert failure is not None
    assert "sealed" in failure.sentence


@pytest.mark.parametrize(
    "change",
    [
        lambda pin: values(pin).update({"class[7].share.estimate": values(pin).pop("class[2].share.estimate")}),
        lambda pin: values(pin).update({"fixed[days].estimate": 10.467285959595961}),
        lambda pin: pin["evidence"]["design_sums"].update(intercept=180.00000000000003),
        lambda pin: pin.update(quantities=dict(reversed(pin["quantities"].items()))),
    ],
    ids=["renumbered class", "last digit", "last digit of a sum", "order of lines"],
)
def test_a_harmless_change_is_not_an_edit(folder, case, change):
    edit(folder, change)
    assert engine(folder).read(case).failure is None


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense", "[" * 10_000 + "]" * 10_000, '{"format": 1}'])
def test_what_is_no_pin_is_one_clear_error(folder, text):
    path = pin_path(folder, "sleep__ml", "lme4")
    path.write_text(text)
    with pytest.raises(CaseError, match="expected a pin"):
        read_pin(path)


def test_a_pin_needs_a_reason_and_finite_numbers(case, reading):
    nan = Quantity(path="x", kind=Kind.OPTIMUM, value=float("nan"))
    with pytest.raises(CaseError) as caught:
        new_pin(case, replace(reading, quantities=(nan,)), SOURCE, " ")
    assert len(caught.value.problems) == 2


def test_recording_prints_every_move(case, reading):
    before = new_pin(case, reading, SOURCE, "first")
    moved = replace(reading.quantities[1], value=10.5)
    after = new_pin(case, replace(reading, quantities=(reading.quantities[0], moved)), SOURCE, "second")
    assert moves(before, after) == (
        "class[2].share.estimate: 0.30000000000000004 -> 'absent'",
        "fixed[days].estimate: 10.467285959595959 -> 10.5",
    )
    assert moves(before, before) == ()
    assert moves(None, before) == ("first recording, 3 values",)
