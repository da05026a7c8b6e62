"""The loops behind the commands, with engines that say what they are told to."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from harness import cli, runs
from harness.comparison.known import KnownDifference
from harness.comparison.verdict import Attribution
from harness.crosscheck import References, cross_check
from harness.engines import solve
from harness.errors import CaseError
from harness.quantities import Failure, Reading

CASE = "sleepstudy__random_slope_reml"


class Saying:
    """A reference that says what a function makes of the case."""

    def __init__(self, name, answer):
        self.name = name
        self.answer = answer

    def read(self, case, probes=(), start=None):  # noqa: ARG002  # an Engine's signature
        return replace(self.answer(case), engine=self.name, source="live")


def ours(case):
    return solve(case).reading(against="lme4")


def crashed(_):
    failure = Failure(reason="crashed", sentence="R ended (signal SIGKILL)")
    return Reading(engine="nlme", source="live", versions={}, failure=failure)


@pytest.fixture
def pins(tmp_path, monkeypatch):
    """The folder of pins of a project that has none."""
    original = runs.fixtures_folder()
    for name in ("cases", "known_differences.toml"):
        (tmp_path / name).symlink_to(original / name)
    monkeypatch.setattr(runs, "fixtures_folder", lambda: tmp_path)
    return tmp_path / "pins"


def test_a_recording_that_fails_halfway_writes_nothing(pins, monkeypatch):
    live = {"lme4": Saying("lme4", ours), "nlme": Saying("nlme", crashed)}
    monkeypatch.setattr(runs, "live_engines", lambda: nullcontext(live))
    with pytest.raises(CaseError, match="SIGKILL"):
        runs.record(runs.read_cases([CASE]), "to see", lambda _: None)
    assert not pins.exists()


def test_a_recording_of_nothing_is_no_success(pins, monkeypatch, capsys):
    monkeypatch.setattr(runs, "live_engines", lambda: nullcontext({"lcmm": Saying("lcmm", ours)}))
    monkeypatch.setattr("sys.argv", ["harness", "record", CASE, "--reason", "to see"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == cli.ABSENT
    said = capsys.readouterr()
    (case,) = runs.read_cases([CASE])
    assert said.out.count("is not installed") == len(case.references)
    assert "Nothing was recorded" in said.err
    assert not list(pins.iterdir())


def test_a_skipped_reference_hides_no_difference_that_is_gone_elsewhere():
    def entry(case, engine):
        return KnownDifference(
            case=case,
            engine=engine,
            quantity="*",
            attribution=Attribution.HESSIAN,
            at_most=100.0,
            reason="none",
            owner="lmm",
            expires=datetime.now(UTC).date() + timedelta(days=1),
        )

    gone, elsewhere, not_asked_for = entry(CASE, "lme4"), entry(CASE, "nlme"), entry("sleepstudy__*", "lme4")
    references = References(live={"lme4": Saying("lme4", ours)})
    comparisons, skipped = cross_check(runs.read_cases([CASE]), references)
    assert "nlme" in {item.reference for item in skipped}
    assert [comparison.right.engine for comparison in comparisons] == ["lme4"]
    (note,) = runs._notes([gone, elsewhere, not_asked_for], comparisons, skipped)
    assert f"remove its entry of case {CASE!r}, engine 'lme4'" in note
