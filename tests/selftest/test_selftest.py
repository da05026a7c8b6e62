"""The selftest as a whole: its tables, its rates, its exit status."""

import json

import pytest

from harness.cli import DISAGREE, main
from harness.comparison import judge as judging
from harness.selftest.harmless import HARMLESS_CHANGES
from harness.selftest.harmless_tables import TABLE_CHANGES
from harness.selftest.mutations import MUTATIONS
from harness.selftest.report import headline, render
from harness.selftest.result import SelfTest, Tally, Trial, Wrong, tallied
from harness.selftest.trials import selftest

SMALL = ["two_rates__alike", "sleepstudy__random_intercept_ml"]


def status_of(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["harness", "selftest", *arguments])
    try:
        main()
    except SystemExit as end:
        return end.code
    return 0


@pytest.fixture(scope="module")
def found():
    return selftest(SMALL)


def test_there_are_many_mutations_with_names_of_their_own():
    names = [change.name for change in (*MUTATIONS, *HARMLESS_CHANGES, *TABLE_CHANGES)]
    assert len(MUTATIONS) >= 25
    assert len(set(names)) == len(names)


def test_all_is_caught_and_nothing_flagged(found):
    assert found.has_passed, render(found)
    assert (found.kill_rate, found.false_alarm_rate) == (1.0, 0.0)


def test_what_does_not_apply_is_not_counted(found):
    tallies = {tally.name: tally for tally in found.mutations}
    assert tallies["classes swapped in estimates"].tried == 0
    assert 0 < tallies["a lower optimum"].pins < len(found.pins)
    assert tallies["NaN"].pins == len(found.pins)


def test_the_result_does_not_depend_on_the_number_of_processes():
    one, two = (selftest(["two_rates__alike", "two_rates__rare"], workers=workers) for workers in (1, 2))
    assert (one.pins, one.mutations, one.harmless) == (two.pins, two.mutations, two.harmless)


def test_a_weak_judge_ends_with_status_1_and_its_survivors_are_named(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(judging, "judge_input", lambda *_: ())
    status = status_of(monkeypatch, "two_rates__alike", "--workers", "1", "--report", str(tmp_path))
    said = capsys.readouterr().out
    assert status == DISAGREE
    assert "survived: cell changed, two_rates__alike.rates: input.outcome_sum" in said
    document = json.loads((tmp_path / "selftest.json").read_text(encoding="utf-8"))
    assert not document["passed"]
    assert 0 < document["kill_rate"] < 1


def test_a_sound_judge_ends_with_status_0(monkeypatch, capsys, tmp_path):
    assert status_of(monkeypatch, "two_rates__alike", "--workers", "1", "--report", str(tmp_path)) == 0
    assert "PASSED" in capsys.readouterr().out
    assert json.loads((tmp_path / "selftest.json").read_text(encoding="utf-8"))["passed"]


def tally(name, *, tried, wrong=0, pins=1):
    return Tally(
        name=name, sentence="Done.", pins=pins, tried=tried, wrong=(Wrong(pin="a.lme4", what="sigma"),) * wrong
    )


def whole(mutations, harmless, idle=()):
    return SelfTest(
        pins=("a.lme4",),
        mutations=tuple(mutations),
        harmless=tuple(harmless),
        idle_entries=idle,
        is_whole=True,
        seconds=1.0,
    )


@pytest.mark.parametrize(
    ("mutations", "harmless"),
    [
        ([tally("a", tried=10**6, wrong=1)], [tally("b", tried=9)]),
        ([tally("a", tried=9)], [tally("b", tried=10**6, wrong=1)]),
        ([tally("a", tried=9), tally("never", tried=0, pins=0)], [tally("b", tried=9)]),
        ([tally("a", tried=9)], [tally("b", tried=9), tally("never", tried=0, pins=0)]),
        ([], [tally("b", tried=9)]),
        ([tally("a", tried=9)], []),
    ],
    ids=["a survivor", "a false alarm", "applies nowhere", "changes nothing", "no mutations", "no changes"],
)
def test_the_gate_fails(mutations, harmless):
    result = whole(mutations, harmless)
    assert not result.has_passed
    assert "FAILED" in render(result)


def test_a_known_difference_that_is_gone_fails_the_gate():
    result = whole([tally("a", tried=9)], [tally("b", tried=9)], idle=("a, lme4, *",))
    assert not result.has_passed
    assert "remove its entry: a, lme4, *" in render(result)


def test_the_gate_passes():
    assert whole([tally("a", tried=9)], [tally("b", tried=9)]).has_passed


def test_one_survivor_in_a_million_is_not_printed_as_all():
    assert "Kill rate 99.999 %" in headline(whole([tally("a", tried=10**9, wrong=1)], [tally("b", tried=9)]))
    assert "False-alarm rate 0.001 %" in headline(whole([tally("a", tried=9)], [tally("b", tried=10**9, wrong=1)]))


def test_trials_are_counted_together():
    trials = [
        Trial(name="a", pin="one", tried=3, wrong=()),
        Trial(name="a", pin="two", tried=0, wrong=()),
        Trial(name="a", pin="three", tried=2, wrong=("sigma",)),
    ]
    found = tallied("a", "Done.", trials)
    assert (found.pins, found.tried, found.right) == (2, 5, 4)
    assert found.wrong == (Wrong(pin="three", what="sigma"),)
