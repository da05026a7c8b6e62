"""What the benchmarks print and how they end, on numbers made up; no R, no timing."""

import os

import pytest

from benchmarks import accuracy, machine, races
from benchmarks.tables import BROKEN, KEPT, NOTHING_MEASURED, USAGE, Judged, Table, closing, exit_status, render
from harness.comparison.judge import judge
from harness.comparison.verdict import CrossEvidence
from harness.errors import EngineError
from harness.quantities import Failure, Reading

GOOD, BAD = Judged(value=1e-13, limit=1e-12), Judged(value=2e-12, limit=1e-12)


def table(*cells, not_run=()):
    return Table(title="t", header=("case", "number"), rows=tuple(("c", cell) for cell in cells), not_run=not_run)


@pytest.mark.parametrize("at_least", [False, True])
def test_a_number_that_is_none_keeps_no_limit(at_least):
    assert not Judged(value=float("nan"), limit=1.0, at_least=at_least).kept


def test_a_number_at_its_limit_keeps_it_and_beyond_does_not():
    assert Judged(value=1e-12, limit=1e-12).kept
    assert not BAD.kept
    assert Judged(value=50.0, limit=50.0, at_least=True).kept
    assert not Judged(value=49.9, limit=50.0, at_least=True).kept


def test_a_broken_limit_is_printed_beside_the_number():
    assert str(GOOD) == "1e-13"
    assert str(BAD) == "2e-12 not <= 1e-12 BROKEN"
    assert str(Judged(value=49.9, limit=50.0, at_least=True)) == "49.9 not >= 50 BROKEN"


def test_columns_are_aligned_and_what_is_missing_is_said():
    shown = render(
        Table(title="t", header=("case", "number"), rows=(("a", "1"), ("longer", GOOD)), not_run=("lcmm: absent",))
    )
    assert shown.splitlines() == [
        "t",
        "case    number",
        "------  ------",
        "a            1",
        "longer   1e-13",
        "not run: lcmm: absent",
    ]


def test_a_table_without_rows_shows_no_header_but_its_reasons():
    assert render(table(not_run=("R: absent",))).splitlines() == ["t", "not run: R: absent"]


def test_one_broken_limit_among_many_tables_fails_the_run():
    assert exit_status([table(GOOD), table(GOOD, "text")]) == KEPT
    assert exit_status([table(GOOD), table(GOOD, BAD)]) == BROKEN
    assert closing([table(GOOD), table(GOOD, BAD)]) == "limits: 2 kept, 1 broken"


def test_a_run_that_measured_nothing_is_not_green():
    assert exit_status([table("text"), table(not_run=("R: absent",))]) == NOTHING_MEASURED
    assert closing([table(not_run=("R: absent",))]) == "limits: 0 kept, 0 broken; 1 not run, see above"


def test_a_check_value_is_trusted_to_half_its_last_digit():
    for case in accuracy.check_cases():
        assert case.limit == pytest.approx(1.5e-8, rel=1e-12)


def test_only_models_that_lme4_has_are_compared_with_it():
    compared = [own for case in accuracy.read_cases() for _, own in accuracy._by_each_criterion(case)]
    assert len(compared) > 50
    assert all(own.spec.formula.random and own.spec.formula.residual is None for own in compared)


def test_an_engine_that_failed_breaks_the_limits_of_its_row():
    left = Reading(engine="harness", source="computed", versions={})
    right = Reading(
        engine="lme4", source="live", versions={}, failure=Failure(reason="crashed", sentence="lme4 took R down")
    )
    found = judge("c", left, right, CrossEvidence())
    cells = accuracy._lmm_cells(found)
    assert [cell.kept for cell in cells if isinstance(cell, Judged)] == [False, False, False]
    assert "lme4 took R down" in cells[-1]


def test_a_file_that_is_no_csv_ends_in_a_message_before_r_is_started(tmp_path, capsys):
    empty = tmp_path / "paquid.csv"
    empty.write_bytes(b"\xff\xfe\x00")
    assert accuracy.main(["--paquid", str(empty)]) == USAGE
    assert "paquid.csv" in capsys.readouterr().err


def test_digits_count_what_two_numbers_share():
    assert races.digits(-100.0, -100.0) == "all"
    assert races.digits(-100.0, -100.001) == "5.0"


def test_engines_run_in_turn_and_one_that_is_absent_is_out_with_its_reason():
    order = []

    def runner(name):
        def run(number):
            order.append((number, name))
            if name == "lcmm":
                raise EngineError("lcmm", "absent", "install it")
            return races.Timing(seconds=1.0, log_likelihood=-1.0)

        return run

    race = races.run_in_turn({name: runner(name) for name in ("harness", "lcmm", "flexmix")}, 2)
    assert order == [(1, "harness"), (1, "lcmm"), (1, "flexmix"), (2, "harness"), (2, "flexmix")]
    assert list(race.timings) == ["harness", "flexmix"]
    assert "install it" in races.standings("t", race, {"lcmm": 50.0}).not_run[0]


@pytest.mark.parametrize(("target", "status"), [(2.0, KEPT), (4.0, BROKEN)])
def test_the_target_is_for_the_median_of_ratios_within_rounds(target, status):
    def times(*seconds):
        return [races.Timing(seconds=value, log_likelihood=-100.0) for value in seconds]

    # Ratios 2, 3, 30 within rounds; the ratio of the medians would be 10.
    race = races.Race(timings={"harness": times(10.0, 1.0, 0.1), "lmer": times(20.0, 3.0, 3.0)})
    shown = races.standings("t", race, {"lmer": target})
    (ratio,) = shown.judged
    assert ratio.value == pytest.approx(3.0)
    assert exit_status([shown]) == status


def test_a_command_starts_anew_only_where_it_has_more_than_one_thread(monkeypatch):
    started = []
    monkeypatch.setattr(os, "execve", lambda *command: started.append(command))
    for name in machine.ONE_THREAD:
        monkeypatch.setenv(name, "1")
    machine.pin_threads()
    assert not started
    monkeypatch.delenv("OMP_NUM_THREADS")
    machine.pin_threads()
    ((_, _, environment),) = started
    assert environment["OMP_NUM_THREADS"] == "1"
