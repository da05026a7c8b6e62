"""Who moved since a pin was recorded: ours, the reference, both or the input, each planted in a pin of lme4 or lcmm.

The pins hold what lme4 1.1-31 and lcmm 2.2.2 said under R 4.2.2; ours is fitted here.
"""

import random
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from harness import cli, runs
from harness.comparison.alignment import relabelled
from harness.comparison.judge import judge
from harness.comparison.known import KnownDifference
from harness.comparison.triangle import Mover
from harness.comparison.verdict import Attribution, Outcome
from harness.crosscheck import References, compare_with
from harness.drift import drift_of
from harness.engines import solve
from harness.evidence import evidence_between
from harness.quantities import Failure, Kind

CASE = "sleepstudy__random_slope_reml"
ERROR = "fixed[days].standard_error"
LIMIT = 1e-6
"""lme4's own limit for standard errors, relatively."""


@dataclass
class Saying:
    """A reference that says what it is told to, and counts how often it was asked."""

    said: object
    asked: list = field(default_factory=list)

    def read(self, case, probes=(), start=None):
        self.asked.append((case.name, tuple(probes), start))
        return self.said


class Altered:
    """Our side of a case with something changed in what it says."""

    def __init__(self, ours, change):
        self.ours, self.change = ours, change

    def reading(self, against):
        return self.change(self.ours.reading(against))

    def __getattr__(self, name):
        return getattr(self.ours, name)


def solved(name):
    (case,) = runs.read_cases([name])
    return solve(case)


def recorded(ours, engine):
    return runs._pinned()[engine].read(ours.case)


def live(reading):
    return replace(reading, source="live", versions={k: v for k, v in reading.versions.items() if k != "recorded"})


def scaled(reading, path, factor):
    changed = (replace(q, value=q.value * factor) if q.path == path else q for q in reading.quantities)
    return replace(reading, quantities=tuple(changed))


@pytest.fixture(scope="module")
def ours():
    return solved(CASE)


@pytest.fixture(scope="module")
def mine(ours):
    """Our reading, which the corners are moved from: so a move is as large as the test says, to the last bit."""
    return ours.reading(against="lme4")


@pytest.fixture(scope="module")
def pin(ours):
    return recorded(ours, "lme4")


def who_moved(ours, now, pin):
    comparison = judge(ours.case.name, ours.reading(now.engine), now, evidence_between(ours, now))
    return drift_of(ours, comparison, Saying(pin))


def at(reading, mine, path, factor):
    """Return the reading with a value that is ours but for a factor."""
    value = next(q.value for q in mine.quantities if q.path == path)
    changed = (replace(q, value=value * factor) if q.path == path else q for q in reading.quantities)
    return replace(reading, quantities=tuple(changed))


def test_nobody_moved_where_the_engine_says_what_was_recorded(ours, pin):
    found = who_moved(ours, live(pin), pin)
    assert found.mover is Mover.NOBODY
    assert (found.drift, found.moved, found.next_step) == (0.0, (), "")
    assert "to the last bit" in found.sentence
    assert "no version has changed" in found.sentence


def test_a_reference_that_moves_within_its_limits_is_measured_and_nobody_moved(ours, mine, pin):
    now = at(live(pin), mine, ERROR, 1 + 0.6 * LIMIT)
    found = who_moved(ours, now, at(pin, mine, ERROR, 1))
    assert found.mover is Mover.NOBODY
    assert found.drift == pytest.approx(0.6, rel=1e-6)
    assert ERROR in found.sentence
    assert not found.blocks


def test_a_new_version_that_says_something_else_is_the_mover_and_both_versions_are_named(ours, pin):
    now = scaled(live(pin), ERROR, 1.01)
    now = replace(now, versions={**now.versions, "lme4": "1.1-35"})
    found = who_moved(ours, now, pin)
    assert found.mover is Mover.REFERENCE
    assert (found.ours_pinned, found.live_pinned, found.ours_live) == (
        Outcome.AGREE,
        Outcome.DISAGREE,
        Outcome.DISAGREE,
    )
    assert [item.quantity for item in found.moved] == [ERROR]
    assert "lme4 1.1-31 became 1.1-35" in found.sentence
    assert "ours stands with the recording" in found.sentence
    assert (found.recorded["lme4"], found.running["lme4"]) == ("1.1-31", "1.1-35")
    assert not found.blocks  # the comparison with the live engine does


def test_a_reference_that_passes_ours_moved_and_still_agrees_with_it(ours, mine, pin):
    now = at(live(pin), mine, ERROR, 1 + 0.8 * LIMIT)
    found = who_moved(ours, now, at(pin, mine, ERROR, 1 - 0.8 * LIMIT))
    assert found.mover is Mover.REFERENCE
    assert found.ours_live is found.ours_pinned is Outcome.AGREE
    assert "ours still agrees with it" in found.sentence
    assert "harness record" in found.next_step
    assert not found.blocks


def test_a_change_of_ours_is_ours(ours, pin):
    altered = Altered(ours, lambda reading: scaled(reading, ERROR, 1.01))
    found = who_moved(altered, live(pin), pin)
    assert found.mover is Mover.OURS
    assert found.live_pinned is Outcome.AGREE
    assert found.blocks
    assert "Ours runs on gbtm-harness" in found.sentence


def test_both_that_move_alike_agree_with_each_other_and_block_all_the_same(ours, pin):
    found = who_moved(ours, live(pin), scaled(pin, ERROR, 1.01))
    assert found.mover is Mover.BOTH
    assert found.ours_live is Outcome.AGREE
    assert "moved alike" in found.sentence
    assert found.blocks


def test_both_that_move_apart_are_both(ours, pin):
    altered = Altered(ours, lambda reading: scaled(reading, ERROR, 1.01))
    found = who_moved(altered, scaled(live(pin), ERROR, 0.99), pin)
    assert found.mover is Mover.BOTH
    assert found.ours_live is Outcome.DISAGREE
    assert "both moved" in found.sentence


def test_ours_and_the_reference_that_move_in_different_quantities_are_both(ours, pin):
    altered = Altered(ours, lambda reading: scaled(reading, ERROR, 1.01))
    found = who_moved(altered, scaled(live(pin), "sigma.estimate", 1.01), pin)
    by_quantity = {item.quantity: item.mover for item in found.moved}
    assert by_quantity[ERROR] is Mover.OURS
    assert by_quantity["sigma.estimate"] is Mover.REFERENCE
    assert found.mover is Mover.BOTH


def test_rows_that_neither_side_was_given_then_are_a_moved_input(ours, pin):
    evidence = replace(pin.evidence, n_observations=179, outcome_sum=pin.evidence.outcome_sum - 250)
    found = who_moved(ours, live(pin), scaled(replace(pin, evidence=evidence), ERROR, 1.05))
    assert found.mover is Mover.INPUT
    assert {item.mover for item in found.moved} == {Mover.INPUT}
    assert {item.quantity for item in found.moved} == {"input.n_observations", "input.outcome_sum", ERROR}


def test_a_stale_pin_is_a_moved_input_with_what_changed(ours, pin):
    sentence = "The pin is stale: the cohort has changed since it was recorded."
    stale = replace(pin, quantities=(), failure=Failure(reason="stale", sentence=sentence))
    found = who_moved(ours, live(pin), stale)
    assert found.mover is Mover.INPUT
    assert "the cohort has changed" in found.sentence
    assert "Ours and live agree" in found.sentence
    assert found.ours_pinned is found.live_pinned is Outcome.NOT_COMPARED
    assert "undo it" in found.next_step


def test_ours_at_the_edge_between_two_that_agree_is_nobody_to_blame(ours, mine, pin):
    now = at(live(pin), mine, ERROR, 1 - 0.75 * LIMIT)
    found = who_moved(ours, now, at(pin, mine, ERROR, 1 - 1.5 * LIMIT))
    assert found.mover is Mover.UNKNOWN
    assert "edge of a limit" in found.sentence


def test_an_engine_that_answered_when_it_was_recorded_and_crashes_today_has_moved(ours, pin):
    crashed = replace(live(pin), quantities=(), objective=(), failure=Failure(reason="crashed", sentence="R ended."))
    found = who_moved(ours, crashed, pin)
    assert found.mover is Mover.REFERENCE
    assert "gives none today: R ended" in found.sentence


def test_a_quantity_that_the_engine_no_longer_gives_was_moved_by_the_engine(ours, pin):
    now = live(pin)
    now = replace(now, quantities=tuple(q for q in now.quantities if q.path != ERROR))
    (item,) = who_moved(ours, now, pin).moved
    assert (item.quantity, item.mover, item.live) == (ERROR, Mover.REFERENCE, None)
    assert item.ours == pytest.approx(item.pinned, rel=LIMIT)


def test_a_log_likelihood_of_another_definition_is_found_at_the_same_parameters(ours, pin):
    shifted = tuple(replace(value, log_likelihood=value.log_likelihood + 1) for value in pin.objective)
    found = who_moved(ours, replace(live(pin), objective=shifted), pin)
    assert found.mover is Mover.REFERENCE
    assert "objective[probe 1]" in {item.quantity for item in found.moved}


def test_classes_that_are_numbered_otherwise_today_have_not_moved():
    ours = solved("orthodont__distance_2_classes")
    pin = recorded(ours, "lcmm")
    now = relabelled(live(pin), {1: 2, 2: 1})
    found = who_moved(ours, now, pin)
    assert (found.mover, found.drift) == (Mover.NOBODY, 0.0)
    moved = who_moved(ours, relabelled(scaled(live(pin), "class[1].share.estimate", 1.2), {1: 2, 2: 1}), pin)
    assert "class[1].share.estimate" in {item.quantity for item in moved.moved}
    assert moved.mover is Mover.REFERENCE


def test_the_mover_of_every_sort_of_quantity_is_found(ours, pin):
    judged = [q for q in pin.quantities if q.kind is not Kind.DIAGNOSTIC and isinstance(q.value, float) and q.value]
    for quantity in random.Random(6).sample(judged, 25):  # noqa: S311  # a sample, not a secret
        path = quantity.path
        altered = Altered(ours, lambda reading, path=path: scaled(reading, path, 2.0))
        assert who_moved(altered, live(pin), pin).mover is Mover.OURS, path
        assert who_moved(ours, scaled(live(pin), path, 2.0), pin).mover is Mover.REFERENCE, path
        assert who_moved(ours, live(pin), scaled(pin, path, 2.0)).mover is Mover.BOTH, path


def test_there_is_no_triangle_without_a_pin_or_without_a_live_answer(ours, pin):
    running = compare_with(ours, "lme4", References(live={"lme4": Saying(live(pin))}))
    absent = replace(pin, quantities=(), failure=Failure(reason="absent", sentence="no pin"))
    assert drift_of(ours, running, None) is None
    assert drift_of(ours, running, Saying(absent)) is None
    against_pin = compare_with(ours, "lme4", References(pinned={"lme4": Saying(pin)}))
    assert drift_of(ours, against_pin, Saying(pin)) is None


def test_the_engine_is_not_asked_again_for_the_third_side(ours, pin):
    engine = Saying(live(pin))
    comparison = compare_with(ours, "lme4", References(live={"lme4": engine}))
    assert drift_of(ours, comparison, Saying(pin)) is not None
    assert len(engine.asked) == 1


def noisy(attribution, at_most):
    return KnownDifference(
        case=CASE,
        engine="lme4",
        quantity="fixed*",
        attribution=attribution,
        at_most=at_most,
        reason="it stops in its noise",
        owner="tests",
        expires=datetime.now(UTC).date() + timedelta(days=1),
    )


@pytest.mark.parametrize(
    ("entry", "mover"),
    [
        (noisy(Attribution.FLOAT, 5.0), Mover.NOBODY),
        (noisy(Attribution.FLOAT, 1.2), Mover.REFERENCE),
        (noisy(Attribution.DEFINITION, 5.0), Mover.REFERENCE),  # a definition stays what it is
    ],
    ids=["noise", "more than the noise", "a definition"],
)
def test_an_engine_known_to_stop_in_its_noise_may_move_by_as_much(ours, mine, pin, entry, mover):
    now, before = at(live(pin), mine, ERROR, 1 + 0.8 * LIMIT), at(pin, mine, ERROR, 1 - 0.8 * LIMIT)
    comparison = judge(CASE, ours.reading("lme4"), now, evidence_between(ours, now))
    found = drift_of(ours, comparison, Saying(before), [entry])
    assert found.mover is mover
    assert found.live_pinned is (Outcome.KNOWN if mover is Mover.NOBODY else Outcome.DISAGREE)


# ---- in a run ----


@pytest.fixture
def status_of(monkeypatch, tmp_path, capfd):
    """Run `harness compare` with lme4 as it is said to run and as it is said to have been recorded."""

    def run(now, pin):
        (case,) = runs.read_cases([CASE])
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(runs, "read_cases", lambda _: (replace(case, references=("lme4",)),))
        monkeypatch.setattr(runs, "live_engines", lambda: nullcontext({"lme4": Saying(now)}))
        monkeypatch.setattr(runs, "_pinned", lambda: {"lme4": Saying(pin)})
        monkeypatch.setattr("sys.argv", ["harness", "compare", CASE])
        try:
            cli.main()
            status = cli.AGREE
        except SystemExit as end:
            status = end.code
        return status, capfd.readouterr().out

    return run


def test_a_run_tells_who_moved_and_ends_with_status_0_where_nobody_did(status_of, pin):
    status, output = status_of(live(pin), pin)
    assert status == cli.AGREE
    assert "nobody moved, in 1 comparison with a live engine beside its pin" in output


def test_a_run_in_which_both_moved_alike_does_not_pass(status_of, pin):
    status, output = status_of(live(pin), scaled(pin, ERROR, 1.01))
    assert status == cli.DISAGREE
    assert "Moved, both:" in output
    assert "AGREE  The one comparison" in output  # with what runs today


def test_a_reference_that_moved_and_still_agrees_is_a_note(status_of, mine, pin):
    now, before = at(live(pin), mine, ERROR, 1 + 0.8 * LIMIT), at(pin, mine, ERROR, 1 - 0.8 * LIMIT)
    status, output = status_of(now, before)
    assert status == cli.AGREE
    assert "Moved, reference:" in output
