"""A pin file that is not what `harness record` wrote fails `harness check`, whatever was changed in it."""

import json
import shutil
from dataclasses import replace

import pytest

from harness import runs
from harness.cli import DISAGREE, STALE, main
from harness.comparison.verdict import Outcome
from harness.locations import fixtures_folder, r_source_folder
from harness.references import provenance, source_hash
from harness.references.pins import PinnedEngine, pin_path, read_pin, write_pin
from harness.roster import roster

LMM, GBTM = "sleepstudy__random_slope_reml", "orthodont__distance_2_classes"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A copy of the fixtures that `harness check` works on."""
    copy = tmp_path / "fixtures"
    shutil.copytree(fixtures_folder(), copy, ignore=shutil.ignore_patterns("*.csv"))
    monkeypatch.setattr(runs, "fixtures_folder", lambda: copy)
    monkeypatch.chdir(tmp_path)
    return copy


def status_of_check(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["harness", "check", *arguments])
    try:
        main()
    except SystemExit as end:
        return end.code
    return 0


def leaves(node, at=()):
    """Yield the place of every scalar of a document."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*at, key))
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from leaves(value, (*at, place))
    else:
        yield at


def wrong_scalars(value):
    if isinstance(value, bool) or value is None:
        return [not value, "x"]
    if isinstance(value, str):
        return [f"{value} ", value[1:], None]
    changed = [-value, 1.1 * value, 10 * value, float("nan"), None, str(value), value + 1]
    return [wrong for wrong in changed if wrong != value]


def edits(document):
    """Yield every way to change one scalar, or to take it out: (place, new value); "gone" stands for taken out."""
    for at in leaves(document):
        value = document
        for key in at:
            value = value[key]
        yield from ((at, wrong) for wrong in wrong_scalars(value))
        yield at, "gone"


def edited(document, at, value):
    copy = json.loads(json.dumps(document))
    node = copy
    for key in at[:-1]:
        node = node[key]
    if value == "gone":
        del node[at[-1]]
    else:
        node[at[-1]] = value
    return copy


def unnoticed(pinned, folder, changes):
    """Return the edits after which the pin still gives an answer."""
    engine = PinnedEngine(name=pinned.reference, folder=folder, r_source=source_hash(pinned.reference))
    document = json.loads(pinned.path.read_text(encoding="utf-8"))
    path = pin_path(folder, pinned.name, pinned.reference)
    path.write_text(json.dumps(document), encoding="utf-8")
    assert engine.read(pinned.ours.case).failure is None, "it is stale without an edit"
    found = []
    for at, value in changes(document):
        path.write_text(json.dumps(edited(document, at, value)), encoding="utf-8")
        failure = engine.read(pinned.ours.case).failure
        if failure is None or failure.reason != "stale":
            found.append((at, value))
    return found


def test_an_edit_of_any_scalar_makes_the_pin_stale(thorough, tmp_path):
    assert not unnoticed(thorough, tmp_path, edits)


def change(path, edit):
    document = json.loads(path.read_text(encoding="utf-8"))
    edit(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def swap_standard_errors(document):
    errors = document["quantities"]["curvature"]
    a, b = "fixed[days].standard_error", "fixed[intercept].standard_error"
    errors[a], errors[b] = errors[b], errors[a]


@pytest.mark.parametrize(
    "edit",
    [
        swap_standard_errors,
        lambda pin: pin["quantities"]["curvature"].pop("fixed[days].standard_error"),
        lambda pin: pin["quantities"]["optimum"].update({"fixed[days].estimate": 10.5}),
        lambda pin: pin["quantities"]["optimum"].update({"fixed[days].estimate": float("nan")}),
        lambda pin: pin["quantities"]["exact"].update(n_observations=None),
        lambda pin: pin["objective"][0]["point"].reverse(),
        lambda pin: pin["sealed"]["hashes"].update(r_source="0" * 64),
        lambda pin: pin["sealed"]["not_given"].update({"": "R does not give it"}),
        lambda pin: pin.update(engine="nlme"),
        lambda pin: pin.clear(),
    ],
    ids=["swapped", "dropped", "moved", "nan", "null", "point", "R source", "excuse", "engine", "empty"],
)
def test_an_edited_pin_ends_the_check_with_status_10(project, monkeypatch, capsys, edit):
    change(pin_path(project / "pins", LMM, "lme4"), edit)
    assert status_of_check(monkeypatch, LMM) == STALE
    assert "stale" in capsys.readouterr().out


def test_one_edited_pin_among_all_fails_the_check_of_all(project):
    change(pin_path(project / "pins", LMM, "lme4"), swap_standard_errors)
    run = runs.check(runs.read_cases([LMM, GBTM]), "harness check", lambda _: None)
    failed = {(c.case, c.right.engine) for c in run.comparisons if c.outcome is Outcome.DISAGREE}
    assert failed == {(LMM, "lme4")}
    assert len(run.comparisons) == sum(len(case.references) for case in runs.read_cases([LMM, GBTM]))


def test_a_wrong_value_that_was_sealed_ends_the_check_with_status_1(project, monkeypatch, capsys):
    """Whoever records a wrong R has a pin with an intact seal; the judge must see it."""
    path = pin_path(project / "pins", LMM, "lme4")
    pin = read_pin(path)
    versions = {name: number for name, number in pin.reading.versions.items() if name != "recorded"}
    moved = (replace(q, value=1.1 * q.value) if q.path == "sigma.estimate" else q for q in pin.reading.quantities)
    write_pin(replace(pin, reading=replace(pin.reading, versions=versions, quantities=tuple(moved))), path.parent)
    assert status_of_check(monkeypatch, LMM) == DISAGREE
    assert "sigma.estimate" in capsys.readouterr().out


def test_a_pin_under_the_name_of_another_engine_is_stale(project, monkeypatch, capsys):
    pins = project / "pins"
    shutil.copy(pin_path(pins, LMM, "lme4"), pin_path(pins, LMM, "nlme"))
    assert status_of_check(monkeypatch, LMM) == STALE
    assert "belongs to" in " ".join(capsys.readouterr().out.split())


def test_a_pin_of_another_case_is_stale(project, monkeypatch, capsys):
    pins = project / "pins"
    shutil.copy(pin_path(pins, "sleepstudy__random_slope_ml", "lme4"), pin_path(pins, LMM, "lme4"))
    assert status_of_check(monkeypatch, LMM) == STALE
    assert "the model has changed" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("file", ["lme4.R", "nlme.R", "mixed_models.R", "worker.R"])
def test_an_edited_r_source_makes_the_pins_made_with_it_stale(tmp_path, monkeypatch, file):
    compared = {name for case in runs.read_cases([LMM, GBTM]) for name in case.references}
    stale = {name for name in compared if name in roster() and file in roster()[name].sources}
    assert stale
    sources = tmp_path / "reference_r"
    shutil.copytree(r_source_folder(), sources)
    with (sources / file).open("a", encoding="utf-8") as source:
        source.write("# harmless\n")
    monkeypatch.setattr(provenance, "r_source_folder", lambda: sources)
    run = runs.check(runs.read_cases([LMM, GBTM]), "harness check", lambda _: None)
    failed = {c.right.engine: c.right.failure for c in run.comparisons if c.right.failure is not None}
    assert failed.keys() == stale
    for failure in failed.values():
        assert failure.reason == "stale"
        assert "the R source has changed" in failure.sentence


def test_a_model_that_changed_makes_its_pins_stale(project, monkeypatch, capsys):
    path = project / "cases" / f"{LMM}.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("(1 + days |", "(1 |"), encoding="utf-8")
    assert status_of_check(monkeypatch, LMM) == STALE
    assert "the model has changed" in " ".join(capsys.readouterr().out.split())


def test_a_missing_pin_fails_the_check(project, monkeypatch, capsys):
    pin_path(project / "pins", LMM, "lme4").unlink()
    assert status_of_check(monkeypatch, LMM) == STALE
    said = capsys.readouterr()
    assert "lme4 is not installed and has no recorded result" in " ".join(said.out.split())
    assert "A pin is missing" in said.err


def test_an_untouched_copy_passes_the_check(project, monkeypatch):
    assert status_of_check(monkeypatch, LMM, GBTM) == 0
    assert (project.parent / "report" / "run.json").is_file()
