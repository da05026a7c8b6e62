"""Checks fail where what they check is wrong; each is tried on something that is."""

import hashlib
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.certification import evidence_checks, installation_checks, scoring_checks
from harness.certification.checks import CHECKS, make_checks
from harness.certification.grounds import Grounds
from harness.certification.traceability import Standing
from harness.locations import fixtures_folder
from harness.quantities import Failure
from harness.references.doctor import Finding
from harness.scoring import GAD7, MADRS, Band, BandTable
from harness.selftest.result import Tally, Wrong

# The run has two cases, the checkout many pins; the judge has a test of its own.
HERE = sorted(set(CHECKS) - {"references", "judge"})


@pytest.fixture
def grounds(run):
    return Grounds(run=run, fixtures=fixtures_folder())


@pytest.fixture
def copied(run, tmp_path):
    """The grounds with fixtures of their own: one cohort, and the pins of the run."""
    for folder in ("cohorts", "pins", "imports"):
        (tmp_path / folder).mkdir()
    names = ["cohorts/sleepstudy.csv", "cohorts/sleepstudy.toml"]
    names += [f"pins/{one.case}.{one.right.engine}.json" for one in run.comparisons]
    for name in names:
        shutil.copy(fixtures_folder() / name, tmp_path / name)
    return Grounds(run=run, fixtures=tmp_path)


def found(name, grounds):
    return make_checks([name], grounds)[name]


@pytest.mark.parametrize("name", HERE)
def test_the_checks_find_this_installation_right(name, grounds):
    assert found(name, grounds).standing is Standing.SHOWN


def test_recorded_results_are_right_where_all_are_compared(copied):
    result = found("references", copied)
    assert result.standing is Standing.SHOWN
    assert "R was not run" in result.caveats[0]


def test_an_edited_pin_and_one_that_nobody_compares_are_found(copied):
    pin = next((copied.fixtures / "pins").glob("*lme4.json"))
    shutil.copy(pin, pin.with_name("nobody__compares.lme4.json"))
    pin.write_text(pin.read_text(encoding="utf-8").replace("251.4", "251.5"), encoding="utf-8")
    result = found("references", copied)
    assert result.standing is Standing.NOT_SHOWN
    assert "nobody__compares.lme4.json belongs to no comparison" in result.detail
    assert "sealed" in result.detail


def test_a_stale_pin_is_found(copied):
    first, *others = copied.run.comparisons
    stale = replace(first.right, failure=Failure(reason="stale", sentence="The cohort has changed."))
    run = replace(copied.run, comparisons=(replace(first, right=stale, verdicts=()), *others))
    assert "The cohort has changed." in found("references", replace(copied, run=run)).detail


def test_live_results_need_a_doctor_who_found_all_well(copied):
    live = tuple(replace(one, right=replace(one.right, source="live")) for one in copied.run.comparisons)
    ran = replace(copied, run=replace(copied.run, comparisons=live))
    ill = Finding(name="exchange of doubles", ok=False, detail="NA and NaN were confused")
    absent = Finding(name="lcmm", ok=False, detail="absent", advice="install.packages('lcmm')")
    assert found("references", ran).standing is Standing.NOT_SHOWN
    assert found("references", replace(ran, doctor=(ill,))).standing is Standing.NOT_SHOWN
    assert found("references", replace(ran, doctor=(absent,))).standing is Standing.SHOWN


def test_a_cohort_with_another_value_is_found(copied):
    table = copied.fixtures / "cohorts" / "sleepstudy.csv"
    assert found("cohorts", copied).standing is Standing.SHOWN
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace("249.56", "249.57", 1), encoding="utf-8")
    assert "249.57" in table.read_text(encoding="utf-8")
    assert found("cohorts", copied).standing is Standing.NOT_SHOWN


def test_a_known_difference_that_disappeared_is_found(grounds):
    gone = replace(grounds, run=replace(grounds.run, notes=("a known difference has disappeared",)))
    assert found("known_differences", gone).standing is Standing.NOT_SHOWN


def test_a_changed_file_and_a_lost_one_are_found(grounds, monkeypatch, tmp_path):
    (tmp_path / "fit.py").write_text("changed", encoding="utf-8")
    recorded = {"harness/fit.py": (tmp_path / "fit.py", "0" * 64), "harness/lost.py": (tmp_path / "lost.py", "0" * 64)}
    monkeypatch.setattr(installation_checks, "recorded_files", lambda: recorded)
    result = found("package_files", grounds)
    assert result.standing is Standing.NOT_SHOWN
    assert "fit.py is not what was installed" in result.detail
    assert "lost.py is not there" in result.detail


@pytest.mark.parametrize(("name", "told"), [("harness/fit.py", False), ("harness/_data/fit.py", True)])
def test_a_checkout_whose_code_nobody_recorded_is_told(grounds, monkeypatch, tmp_path, name, told):
    (tmp_path / "fit.py").write_text("", encoding="utf-8")
    recorded = {name: (tmp_path / "fit.py", hashlib.sha256(b"").hexdigest())}
    monkeypatch.setattr(installation_checks, "recorded_files", lambda: recorded)
    result = found("package_files", grounds)
    assert result.standing is Standing.SHOWN
    assert bool(result.caveats) is told


@pytest.mark.parametrize("version", [None, "0.1"])
def test_an_absent_or_old_package_is_found(grounds, monkeypatch, version):
    monkeypatch.setattr(installation_checks, "installed", lambda name: version if name == "numpy" else "999")
    assert "numpy" in found("packages", grounds).detail
    assert found("packages", grounds).standing is Standing.NOT_SHOWN


@pytest.mark.parametrize(("name", "scale", "cut"), [("madrs", MADRS, 11), ("madrs", MADRS, 9), ("gad7", GAD7, 5)])
def test_a_threshold_off_by_one_is_found(grounds, monkeypatch, name, scale, cut):
    changed = {**scoring_checks._SCALES, name: replace(scale, remission=cut)}
    monkeypatch.setattr(scoring_checks, "_SCALES", changed)
    assert found(f"remission_{name}", grounds).standing is Standing.NOT_SHOWN


def test_a_band_off_by_one_is_found(grounds, monkeypatch):
    cuts = [("minimal", 0, 4), ("mild", 5, 10), ("moderate", 11, 14), ("severe", 15, 21)]
    bands = BandTable(name="off", bands=tuple(Band(label=a, lowest=b, highest=c) for a, b, c in cuts))
    monkeypatch.setattr(scoring_checks, "_SCALES", {**scoring_checks._SCALES, "gad7": replace(GAD7, bands=bands)})
    assert "gad7 10: mild, not moderate" in found("bands", grounds).detail


@pytest.mark.parametrize(
    ("name", "function", "wrong"),
    [
        ("response", "response", lambda b, y: 2 * y < b),
        ("partial_response", "partial_response", lambda b, y: 4 * y <= 3 * b),
        ("undefined", "response", lambda *_: False),
        ("missing_items", "remission", lambda y, rule: round(y) <= rule.cut),
    ],
)
def test_another_rule_is_found(grounds, monkeypatch, name, function, wrong):
    monkeypatch.setattr(scoring_checks, function, wrong)
    assert found(name, grounds).standing is Standing.NOT_SHOWN


def test_a_total_that_clips_is_found(grounds, monkeypatch):
    monkeypatch.setattr(scoring_checks, "_total", lambda _scale, answers, _rule=None: min(sum(answers), 5))
    assert found("totals", grounds).standing is Standing.NOT_SHOWN
    monkeypatch.setattr(scoring_checks, "_total", lambda *_: 0)
    assert found("refusals", grounds).standing is Standing.NOT_SHOWN


def test_an_import_that_loses_a_visit_is_found(copied):
    for folder, file in (("cohorts", "ketamine_real.toml"), ("imports", "ketamine_real.toml")):
        shutil.copy(fixtures_folder() / folder / file, copied.fixtures / folder / file)
    whole = (fixtures_folder() / "cohorts" / "ketamine_real.csv").read_text(encoding="utf-8")
    (copied.fixtures / "cohorts" / "ketamine_real.csv").write_text(whole, encoding="utf-8")
    assert found("import", copied).standing is Standing.SHOWN
    mapping = copied.fixtures / "imports" / "ketamine_real.toml"
    lines = [line for line in mapping.read_text(encoding="utf-8").splitlines() if not line.startswith("inf6 ")]
    mapping.write_text("\n".join(lines), encoding="utf-8")
    assert found("import", copied).standing is Standing.NOT_SHOWN


def test_the_checks_of_all_parts_have_names_of_their_own():
    parts = (installation_checks.CHECKS, evidence_checks.CHECKS, scoring_checks.CHECKS)
    assert sum(map(len, parts)) < len(CHECKS)
    assert len({name for part in parts for name in part}) == sum(map(len, parts))


def test_a_judge_that_misses_a_corruption_is_found(grounds, monkeypatch):
    missed = Wrong(pin="a.lme4", what="sigma.estimate")
    mutation = Tally(name="ten", sentence="A number is ten times as large.", pins=1, tried=9, wrong=(missed,))
    harmless = Tally(name="rows", sentence="Rows are in another order.", pins=1, tried=1, wrong=())
    said = SimpleNamespace(pins=("a.lme4",), mutations=(mutation,), harmless=(harmless,), has_passed=False)
    monkeypatch.setattr(evidence_checks, "selftest", lambda _: said)
    result = found("judge", grounds)
    assert result.standing is Standing.NOT_SHOWN
    assert "A number is ten times as large: sigma.estimate of a.lme4" in result.detail


def test_a_judge_that_was_not_tried_is_found(grounds, monkeypatch):
    said = SimpleNamespace(pins=(), mutations=(), harmless=(), has_passed=False)
    monkeypatch.setattr(evidence_checks, "selftest", lambda _: said)
    assert found("judge", grounds).standing is Standing.NOT_SHOWN
