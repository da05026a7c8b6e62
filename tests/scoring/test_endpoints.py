"""The end of treatment and its denominators."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ScoringError
from harness.scoring import (
    Count,
    EndOfTreatment,
    ImprovementRule,
    RemissionRule,
    carried_forward,
    common_end,
    count,
    count_by,
    courses,
    cross_tabulate,
    end_remission,
    end_response,
    end_score,
    remission_counts,
)

REMISSION = RemissionRule(cut=10)
LAST = EndOfTreatment()
ENDS = [LAST, EndOfTreatment(rule="post_last", window=(4, 10)), EndOfTreatment(rule="window", window=(5, 30))]
TRIES = settings(max_examples=30, deadline=None)
TRUTHS = st.sampled_from([True, False, None])


def course(scores, treatments=(1, 2, 3, 4, None, None), days=(0, 3, 7, 10, 17, 40), planned=4):
    return courses(["a"] * len(scores), days, treatments, scores, planned)["a"]


def test_the_last_planned_treatment_is_looked_for_and_not_the_last_rating():
    assert end_score(course([30, 25, 20, 15, 10, 5])) == 15
    assert end_score(course([30, 25, 20, None, 10, 5])) is None
    assert end_score(course([30, 25, 20], (1, 2, 3), (0, 3, 7))) is None
    assert end_score(course([30, 25, 20, 15], (1, 2, 3, 4), (0, 3, 7, 10), planned=6)) is None


def test_after_the_last_treatment_the_first_observed_rating_in_the_window_counts():
    after = EndOfTreatment(rule="post_last", window=(4, 31))
    assert end_score(course([30, 25, 20, 15, 10, 5]), after) == 10
    assert end_score(course([30, 25, 20, 15, None, 5]), after) == 5
    assert end_score(course([30, 25, 20, None, 10, 5]), after) == 10
    narrow = EndOfTreatment(rule="post_last", window=(4, 10))
    assert end_score(course([30, 25, 20, 15, None, 5]), narrow) is None
    # The rating before the last treatment is none after it, even in a window that begins at once.
    at_once = EndOfTreatment(rule="post_last", window=(0, 7))
    assert [end_score(course([30, 25, 20, 15, y, 5]), at_once) for y in (10, None)] == [10, None]
    # Without the rating before the last treatment nobody knows when that was.
    assert end_score(course([30, 25, 20, 10], (1, 2, 3, None), (0, 3, 7, 17)), narrow) is None


def test_in_a_window_the_rating_nearest_to_the_target_counts_and_the_earlier_of_two():
    scores = [30, 25, 20, 15, 10, 5]
    for window, target, expected in (
        ((7, 17), None, 15),
        ((7, 17), 17, 10),
        ((3, 7), None, 25),
        ((18, 39), None, None),
    ):
        assert end_score(course(scores), EndOfTreatment(rule="window", window=window, target=target)) == expected


def test_the_baseline_is_no_end_of_treatment():
    assert end_score(course([30, None, None, None, None, None]), ENDS[2]) is None
    assert end_score(course([30, None], (1, 2), (0, 3)), EndOfTreatment(rule="window", window=(0, 3))) is None
    assert end_score(course([30], (1,), (0,), planned=1)) is None


def test_carrying_forward_takes_the_last_observed_score_up_to_the_end():
    for scores, end, expected in (
        ([30, 25, 20, None, 10, 5], LAST, 20),
        ([30, 25, None, None, 10, 5], LAST, 25),
        ([30, None, None, None, 10, 5], LAST, None),
        ([30, 25, 20, None, None, 5], ENDS[1], 20),
        ([30, 25, None, None, None, 5], ENDS[2], 25),
    ):
        assert end_score(course(scores), end, "locf") == expected
    with_baseline = course([30, None, None, None, 10, 5])
    assert end_score(with_baseline, LAST, "locf", carry_baseline=True) == 30


@TRIES
@given(st.lists(st.none() | st.integers(0, 60)).map(tuple))
def test_carrying_forward_is_idempotent_and_never_looks_ahead(scores):
    filled = carried_forward(scores)
    assert carried_forward(filled) == filled
    assert [carried_forward(scores[: n + 1])[-1] for n in range(len(scores))] == list(filled)
    assert all(new == old for new, old in zip(filled, scores, strict=True) if old is not None)


@TRIES
@given(data=st.data(), end=st.sampled_from(ENDS))
def test_carrying_forward_takes_an_observed_score_and_the_baseline_only_if_allowed(any_course, end, data):
    one = data.draw(any_course)
    observed, carried = end_score(one, end), end_score(one, end, "locf")
    with_baseline = end_score(one, end, "locf", carry_baseline=True)
    later = [score for score, treatment in zip(one.scores, one.treatments, strict=True) if treatment != 1]
    if observed is not None:
        assert observed == carried == with_baseline
    elif carried is not None:
        assert carried == with_baseline
        assert carried in later
    else:
        assert with_baseline in {None, one.baseline}


@TRIES
@given(data=st.data(), end=st.sampled_from(ENDS))
def test_imputing_non_response_adds_subjects_and_no_responders(any_course, end, data):
    sample = data.draw(st.lists(any_course, max_size=6))
    for outcome in (
        lambda one, denominator: end_response(one, ImprovementRule(), end, denominator),
        lambda one, denominator: end_remission(one, REMISSION, end, denominator),
    ):
        observed, imputed = (count(outcome(one, denominator) for one in sample) for denominator in ("observed", "nri"))
        assert observed.events == imputed.events <= observed.n <= imputed.n
        assert observed.n + observed.undefined == imputed.n + imputed.undefined == len(sample)
        if observed.n:
            assert 0 <= imputed.rate <= observed.rate <= 1


def test_imputed_non_response_needs_a_baseline_that_allows_a_response():
    ends = {b: end_response(course([b, 5, 5, None, 5, 5]), denominator="nri") for b in (None, 0, 30)}
    assert ends == {None: None, 0: None, 30: False}
    assert end_remission(course([None, 5, 5, None, 5, 5]), REMISSION, denominator="nri") is False
    both = RemissionRule(cut=10, also=ImprovementRule())
    assert end_remission(course([0, 5, 5, None, 5, 5]), both, denominator="nri") is None


@TRIES
@given(st.lists(st.tuples(TRUTHS, st.sampled_from(["four", "six", "eight"]))))
def test_counts_by_protocol_add_up_to_those_of_all(pairs):
    truths, labels = [truth for truth, _ in pairs], [label for _, label in pairs]
    by, whole = count_by(truths, labels), count(truths)
    for part in ("events", "n", "undefined"):
        assert sum(getattr(found, part) for found in by.values()) == getattr(whole, part)
    assert whole.events <= whole.n
    assert (whole.rate is None) == (whole.n == 0)
    assert list(by) == sorted(set(labels))


@TRIES
@given(st.lists(st.tuples(TRUTHS, TRUTHS)))
def test_a_cross_tabulation_has_all_nine_cells_and_loses_nobody(pairs):
    table = cross_tabulate([one for one, _ in pairs], [other for _, other in pairs])
    assert len(table) == 9
    assert +Counter(table) == Counter(pairs)


def test_remission_is_counted_with_and_without_those_who_began_in_it():
    sample = [
        course([b, 20, 15, y, None, None]) for b, y in ((9, 5), (30, 8), (30, 20), (10, 12), (None, 9), (30, None))
    ]
    found = remission_counts(sample, REMISSION)
    assert found.everyone == Count(events=3, n=5, undefined=1)
    assert found.not_at_baseline == Count(events=2, n=3, undefined=1)
    assert found.at_baseline == 2


def test_lists_of_different_lengths_are_refused():
    for call in (count_by, cross_tabulate):
        with pytest.raises(ScoringError, match="2 and 1 entries"):
            call([True, None], ["four"])


def test_different_ends_for_different_protocols_are_refused_unless_forced():
    assert not common_end({"four": LAST, "six": EndOfTreatment()})
    mixed = {"four": ENDS[1], "six": LAST}
    with pytest.raises(ScoringError, match="expected one rule for all protocols"):
        common_end(mixed)
    assert common_end(mixed, force=True) == (
        "The end of treatment was forced to differ between protocols: four: the first rating 4 to 10 days after the "
        "one before the last planned treatment; six: the rating before the last planned treatment (one treatment "
        "fewer received)."
    )


@pytest.mark.parametrize(
    "chosen",
    [
        {"rule": "last"},
        {"window": (4, 10)},
        {"rule": "post_last"},
        {"rule": "window", "window": (10, 4)},
        {"rule": "window", "window": (4, 10), "target": 11},
        {"rule": "post_last", "window": (4, 10), "target": 7},
    ],
)
def test_ends_that_mean_nothing_are_refused(chosen):
    with pytest.raises(ScoringError, match="end of treatment"):
        EndOfTreatment(**chosen)
