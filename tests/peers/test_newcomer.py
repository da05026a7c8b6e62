"""A package of Python becomes a reference by one file: an adapter that an entry point names."""

import sys
from contextlib import nullcontext
from dataclasses import replace

import pytest

from harness import roster, runs
from harness.comparison.verdict import Outcome
from harness.crosscheck import References, compare_with
from harness.engines import solve
from harness.errors import CaseError, EngineError
from harness.peers.doctor import examine_peers
from harness.peers.session import live_peers
from harness.references import source_hash
from harness.references.pins import PinnedEngine, new_pin, write_pin

CASE = "sleepstudy__random_intercept_ml"

# It says what MixedLM says; a real one would call a package of its own.
ADAPTER = """
from harness.peers.lmm.statsmodels import StatsmodelsMixed


class Newcomer(StatsmodelsMixed):
    package = "newcomer-of-a-test"
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that installs a package of one file with an entry point, for the time of a test."""

    def installed(name, code, attribute="Newcomer"):
        (tmp_path / "newcomer_of_a_test.py").write_text(code, encoding="utf-8")
        info = tmp_path / "newcomer_of_a_test-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: newcomer-of-a-test\nVersion: 1.2\n")
        points = f"[harness.engines.lmm]\n{name} = newcomer_of_a_test:{attribute}\n"
        (info / "entry_points.txt").write_text(points)

    monkeypatch.syspath_prepend(tmp_path)
    roster.peers.cache_clear()
    yield installed
    roster.peers.cache_clear()
    sys.modules.pop("newcomer_of_a_test", None)


@pytest.fixture
def newcomer(install):
    install("newcomer", ADAPTER)
    (case,) = runs.read_cases([CASE])
    return replace(case, references=("newcomer",))


def test_a_newcomer_can_be_named_in_cases(newcomer):
    assert newcomer.references == ("newcomer",)
    assert "newcomer" in roster.engines_of("lmm")
    assert "newcomer" not in roster.engines_of("gbtm")


def test_a_newcomer_is_compared_with_ours_under_its_own_name_and_version(newcomer):
    found = compare_with(solve(newcomer), "newcomer", References(live=live_peers()))
    assert found.outcome is Outcome.AGREE, found.sentence
    assert found.right.versions["newcomer-of-a-test"] == "1.2"


def test_a_newcomer_is_recorded_and_its_pin_goes_stale_with_its_file(newcomer, tmp_path):
    ours, live = solve(newcomer), live_peers()
    reading = live["newcomer"].read(newcomer, ours.probes())
    write_pin(new_pin(newcomer, reading, source_hash("newcomer"), "to see"), tmp_path)
    pinned = {"newcomer": PinnedEngine(name="newcomer", folder=tmp_path, r_source=source_hash("newcomer"))}
    found = compare_with(ours, "newcomer", References(pinned=pinned))
    assert (found.outcome, found.right.source) == (Outcome.AGREE, "pinned")
    with (tmp_path / "newcomer_of_a_test.py").open("a") as file:
        file.write("# another version\n")
    pinned = {"newcomer": replace(pinned["newcomer"], r_source=source_hash("newcomer"))}
    found = compare_with(ours, "newcomer", References(pinned=pinned))
    assert "the adapter has changed" in found.right.failure.sentence


def test_a_newcomer_takes_part_in_runs(newcomer, monkeypatch):
    monkeypatch.setattr(runs, "live_engines", lambda: nullcontext(live_peers()))
    run = runs.compare([newcomer], "harness compare", lambda _: None, required=["newcomer"])
    assert [comparison.right.engine for comparison in run.comparisons] == ["newcomer"]


def test_the_doctor_tries_a_newcomer(newcomer):  # noqa: ARG001  # which is installed
    found = {finding.name: finding for finding in examine_peers()}
    assert found["newcomer"].ok
    assert "1.2" in found["newcomer"].detail


def test_a_newcomer_that_is_wrong_does_not_pass_the_doctor(install):
    code = f"{ADAPTER}\n    def fit(self, case, start):\n        raise ZeroDivisionError('no rows')\n"
    install("newcomer", code)
    found = {finding.name: finding for finding in examine_peers()}
    assert not found["newcomer"].ok
    assert "ZeroDivisionError: no rows" in found["newcomer"].detail


def test_an_exception_of_a_package_is_its_answer_and_not_the_end_of_the_run(install):
    install("newcomer", f"{ADAPTER}\n    def fit(self, case, start):\n        raise ZeroDivisionError('no rows')\n")
    (case,) = runs.read_cases([CASE])
    found = compare_with(solve(case), "newcomer", References(live=live_peers()))
    assert found.outcome is Outcome.DISAGREE
    assert "ZeroDivisionError: no rows" in found.right.failure.sentence


def test_an_engine_cannot_take_the_name_of_another(install):
    install("nlme", ADAPTER)
    with pytest.raises(EngineError, match="a name that R's engines has"):
        roster.peers()


def test_an_entry_point_that_leads_nowhere_is_named(install):
    install("newcomer", ADAPTER, attribute="Nobody")
    with pytest.raises(EngineError, match="gives no adapter Nobody"):
        live_peers()
    assert not {finding.name: finding for finding in examine_peers()}["newcomer"].ok


def test_only_references_of_the_cases_can_be_recorded():
    with pytest.raises(CaseError, match="engine 'nobody'"):
        runs.record(runs.read_cases([CASE]), "to see", lambda _: None, ["nobody"])
