"""Sustained response, relapse and time to response."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ScoringError
from harness.scoring import (
    Course,
    FollowUp,
    RelapseRule,
    RemissionRule,
    TimeToResponse,
    end_remission,
    end_response,
    relapse,
    response,
    sustained_response,
    time_to_response,
)

TRIES = settings(max_examples=60, deadline=None)
REMISSION = RemissionRule(cut=10)
LOST = RelapseRule(by="loss_of_response")
HIGH = RelapseRule(by="score", cut=22)
WINDOWS = FollowUp(windows=((4, 10), (20, 40)))
RULES = [
    LOST,
    HIGH,
    RelapseRule(by="score_and_loss", cut=22),
    RelapseRule(by="score", cut=22, visits=2),
    RelapseRule(by="score", cut=22, among="remitters"),
    RelapseRule(by="score", cut=22, among="either"),
]


def course(scores, days=(0, 3, 7, 10, 17, 40), treatments=(1, 2, 3, 4, None, None)):
    exact = tuple(None if score is None else Fraction(score) for score in scores)
    return Course(days=tuple(map(Fraction, days)), treatments=tuple(treatments), scores=exact, planned=4)


@pytest.mark.parametrize(
    ("end", "later", "sustained"),
    [
        (15, (15, 14), True),
        (15, (15, 16), False),
        (15, (None, 15), True),
        (15, (None, None), None),
        (16, (10, 10), False),
        (16, (None, None), False),
        (None, (10, 10), None),
    ],
)
def test_a_sustained_response_is_there_at_the_end_and_at_every_later_observed_rating(end, later, sustained):
    assert sustained_response(course([30, 25, 20, end, *later])) is sustained


@pytest.mark.parametrize(
    ("rule", "end", "later", "relapsed"),
    [
        (HIGH, 15, (21, 22), True),
        (HIGH, 15, (21, 21), False),
        (HIGH, 15, (None, None), None),
        (HIGH, 16, (30, 30), None),
        (LOST, 15, (16, 10), True),
        (LOST, 15, (15, None), False),
        (RULES[2], 15, (21, 16), False),
        (RULES[2], 15, (22, 16), True),
        (RULES[3], 15, (22, 22), True),
        (RULES[3], 15, (22, 21), False),
        (RULES[3], 15, (22, None), None),
        (RULES[4], 11, (22, 22), None),
        (RULES[4], 10, (22, 22), True),
        (RULES[5], 15, (22, 22), True),
    ],
)
def test_a_relapse_shows_at_later_observed_ratings_of_those_it_is_about(rule, end, later, relapsed):
    assert relapse(course([30, 25, 20, end, *later]), rule, remission=REMISSION) is relapsed


def test_a_remitter_without_response_may_relapse_by_score():
    # From 12 to 8 is remission at a third of the baseline.
    one = course([12, 12, 10, 8, 22, None])
    assert [relapse(one, rule, remission=REMISSION) for rule in (HIGH, RULES[4], RULES[5])] == [None, True, True]
    with pytest.raises(ScoringError, match="no rule of remission"):
        relapse(one, RULES[4])


def test_only_ratings_within_the_follow_up_windows_count():
    # Days 17 and 40 are 7 and 30 after the last treatment on day 10; day 30 is 20 after it.
    late = course([30, 25, 20, 15, 30, 10], days=(0, 3, 7, 10, 22, 40))
    assert sustained_response(late, follow_up=WINDOWS) is True
    assert sustained_response(late) is relapse(late, LOST, follow_up=WINDOWS) is False
    assert relapse(late, LOST) is True
    outside = course([30, 25, 20, 15, 30, 30], days=(0, 3, 7, 10, 22, 51))
    assert sustained_response(outside, follow_up=WINDOWS) is relapse(outside, LOST, follow_up=WINDOWS) is None


def test_the_first_and_last_day_of_a_window_belong_to_it():
    for day, counts in (
        (3, False),
        (4, True),
        (10, True),
        (11, False),
        (19, False),
        (20, True),
        (40, True),
        (41, False),
    ):
        one = course([30, 25, 20, 15, 30], days=(0, 3, 7, 10, 10 + day), treatments=(1, 2, 3, 4, None))
        assert (relapse(one, LOST, follow_up=WINDOWS) is True) == counts


@TRIES
@given(data=st.data(), follow_up=st.sampled_from([FollowUp(), WINDOWS]))
def test_sustained_and_relapse_need_a_response_at_the_end_and_exclude_each_other(any_course, follow_up, data):
    one = data.draw(any_course)
    sustained = sustained_response(one, follow_up=follow_up)
    if sustained:
        assert end_response(one)
    relapsed = relapse(one, LOST, follow_up=follow_up)
    if relapsed is not None:
        assert end_response(one)
        assert relapsed is not sustained
    elif end_response(one):
        assert sustained is None


@TRIES
@given(data=st.data(), rule=st.sampled_from(RULES))
def test_only_those_whom_the_rule_is_about_relapse(any_course, rule, data):
    one = data.draw(any_course)
    if relapse(one, rule, remission=REMISSION) is not None:
        responded, remitted = end_response(one), end_remission(one, REMISSION)
        assert {"responders": responded, "remitters": remitted, "either": responded or remitted}[rule.among]


def test_time_to_response_is_known_between_two_ratings():
    assert time_to_response(course([30, 25, None, 14, 10, 10])) == TimeToResponse(
        responded=True, day=Fraction(10), after=Fraction(3), until=Fraction(10), treatment=4
    )
    found = time_to_response(course([30, 15, 30, 30, 10, 10]))
    assert (found.day, found.after, found.until, found.treatments_received) == (3, 0, 3, 1)


def test_without_response_time_is_censored_at_the_last_observed_rating_during_treatment():
    assert time_to_response(course([30, 25, 20, None, 10, 10])) == TimeToResponse(
        responded=False, day=Fraction(7), after=Fraction(7), until=None, treatment=3
    )
    never_again = time_to_response(course([30, None, None, None, 10, 10]))
    assert (never_again.day, never_again.treatment, never_again.treatments_received) == (0, 1, 0)
    assert [time_to_response(course([b, 1, 1, 1, 1, 1])) for b in (None, 0)] == [None, None]


@TRIES
@given(data=st.data())
def test_time_to_response_is_the_first_hit_and_blind_to_what_follows(any_course, data):
    one = data.draw(any_course)
    found = time_to_response(one)
    during = [place for place, number in enumerate(one.treatments) if number is not None]
    hits = [place for place in during[1:] if response(one.baseline, one.scores[place])]
    if found is None:
        assert not one.baseline
        return
    assert found.responded == bool(hits)
    assert found.after <= found.day <= one.days[during[-1]]
    assert found.treatments_received <= one.planned
    if hits:
        first = hits[0]
        assert (found.day, found.treatment) == (one.days[first], one.treatments[first])
        assert found.after < found.until == found.day
        later = len(one.scores) - first - 1
        others = data.draw(st.lists(st.none() | st.integers(0, 60), min_size=later, max_size=later))
        changed = Course(
            days=one.days,
            treatments=one.treatments,
            scores=(*one.scores[: first + 1], *others),
            planned=one.planned,
        )
        assert time_to_response(changed) == found


@pytest.mark.parametrize(
    "build",
    [
        lambda: RelapseRule(by="score"),
        lambda: RelapseRule(by="score", cut=22.5),
        lambda: RelapseRule(by="loss_of_response", cut=22),
        lambda: RelapseRule(by="loss_of_response", among="remitters"),
        lambda: RelapseRule(by="score_and_loss", cut=22, among="either"),
        lambda: RelapseRule(by="score", cut=22, visits=3),
        lambda: RelapseRule(by="loss", cut=22),
        lambda: RelapseRule(by="score", cut=22, among="all"),
        lambda: FollowUp(windows=((10, 4),)),
    ],
)
def test_rules_that_mean_nothing_are_refused(build):
    with pytest.raises(ScoringError):
        build()


def test_rules_say_what_they_do():
    assert HIGH.describe()["relapse"] == (
        "a score of at least 22 at a single rating after the end of treatment, among responders at the end of treatment"
    )
    assert RULES[3].describe()["relapse"].startswith("a score of at least 22 at 2 consecutive observed ratings")
    assert FollowUp().describe() == {"follow-up": "every later rating"}
    days = "later ratings 4 to 10 or 20 to 40 days after the one before the last planned treatment"
    assert WINDOWS.describe() == {"follow-up": days}
