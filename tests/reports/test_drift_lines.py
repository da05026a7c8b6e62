"""Who moved is said in the terminal, what blocks first, in a bounded number of lines."""

from dataclasses import replace

import pytest

from harness.comparison.run import Run
from harness.comparison.traces import Trace
from harness.comparison.triangle import Mover, Triangle
from harness.comparison.verdict import Outcome
from harness.reports.drift_lines import MOST, drift_lines

STILL = Triangle(
    case="sleepstudy",
    engine="lme4",
    recorded={},
    running={},
    ours_pinned=Outcome.AGREE,
    live_pinned=Outcome.AGREE,
    ours_live=Outcome.AGREE,
    mover=Mover.NOBODY,
    sentence="Nobody moved.",
)
MOVED = replace(STILL, engine="nlme", mover=Mover.REFERENCE, sentence="nlme moved.", next_step="Record it again.")
OURS = replace(STILL, engine="lcmm", mover=Mover.OURS, sentence="Ours moved.")


def lines(*triangles, traces=()):
    run = Run(command="", started="", seconds=0.0, environment={}, comparisons=(), triangles=triangles, traces=traces)
    return [line.plain for line in drift_lines(run)]


def test_a_run_without_a_live_engine_beside_a_pin_says_nothing():
    assert lines() == []


def test_nobody_is_one_line():
    (line,) = lines(STILL, STILL)
    assert line == "Since the pins were recorded nobody moved, in 2 comparisons with a live engine beside its pin."


def test_what_blocks_comes_first_with_its_sentence_and_what_to_do():
    head, first, second = lines(STILL, MOVED, OURS)
    assert "nobody in 1, ours in 1, reference in 1" in head
    assert first.startswith("Moved, ours: sleepstudy lcmm: Ours moved.")
    assert second == "Moved, reference: sleepstudy nlme: nlme moved. Record it again."


@pytest.mark.parametrize("n", [MOST, MOST + 1, 300])
def test_many_moves_are_counted(n):
    found = lines(*[MOVED] * n)
    assert len(found) == 1 + MOST + (n > MOST)
    assert n == MOST or found[-1].startswith(f"{n - MOST} more moved")


def test_a_text_of_an_engine_can_do_nothing_to_the_terminal():
    (_, line) = lines(replace(MOVED, sentence="\x1b[2J\nmoved", case="=1+1"))
    assert "\x1b" not in line
    assert "\n" not in line
    assert "'=1+1" in line


def test_warnings_of_the_history_stand_beside_it():
    trace = Trace(
        case="sleepstudy", engine="lme4", started=("a",), ratios=(0.5,), digits=(1.0,), distances=(None,), warning="Up."
    )
    assert lines(traces=(trace, replace(trace, warning=""))) == ["Warning: sleepstudy lme4: Up."]
