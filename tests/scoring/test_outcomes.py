"""Response, categories, remission and change, over every pair of scores."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ScoringError
from harness.scoring import (
    ImprovementRule,
    PointChange,
    ReliableChange,
    RemissionRule,
    category,
    change_in_points,
    deterioration,
    no_meaningful_benefit,
    partial_response,
    percent_change,
    remission,
    response,
    share,
    why_undefined,
)

TRIES = settings(max_examples=40, deadline=None)
HIGHEST = {"madrs": 60, "gad7": 21}
SCALES = pytest.mark.parametrize("highest", HIGHEST.values(), ids=HIGHEST)
SCORES = st.integers(0, 600).map(lambda tenths: Fraction(tenths, 10))
RULES = st.tuples(st.integers(1, 99), st.integers(2, 100)).filter(lambda pair: pair[0] < pair[1])


def pairs(highest):
    """Every baseline above 0 with every later score."""
    return [(b, y) for b in range(1, highest + 1) for y in range(highest + 1)]


def rule(response_share, partial=None):
    return ImprovementRule(response=share(response_share), partial=partial and share(partial))


@SCALES
def test_response_is_half_of_the_baseline_over_all_pairs(highest):
    found = {(b, y): response(b, y) for b, y in pairs(highest)}
    assert len(found) == highest * (highest + 1)
    assert found == {(b, y): 2 * y <= b for b, y in pairs(highest)}
    assert not any(responded for (b, y), responded in found.items() if y > b)


@SCALES
def test_response_is_antitone_in_the_score_and_monotone_in_the_baseline(highest):
    for b, y in pairs(highest):
        if response(b, y):
            assert y == 0 or response(b, y - 1)
            assert b == highest or response(b + 1, y)


@SCALES
@pytest.mark.parametrize("percent", [20, 25, 30, 50])
def test_thresholds_agree_with_fractions_over_all_pairs(highest, percent):
    # The improvement as one Fraction against the threshold as another.
    least = Fraction(percent, 100)
    for b, y in pairs(highest):
        assert response(b, y, rule(least)) == (Fraction(b - y, b) >= least)
        assert response(float(b), float(y), rule(percent / 100)) == (Fraction(b - y, b) >= least)
        assert percent_change(b, y) == 100 * Fraction(b - y, b)


def test_the_share_in_doubles_would_miss_every_pair_that_sits_exactly_at_twenty_percent():
    # Why nothing is divided here: 1 - y/b in doubles is below 0.2 for all 12 and 4 such pairs.
    for highest, expected in ((60, 12), (21, 4)):
        exactly = [(b, y) for b, y in pairs(highest) if 5 * (b - y) == b]
        assert len(exactly) == expected
        assert not any(1 - y / b >= 0.2 for b, y in exactly)
        assert all(response(b, y, rule((1, 5))) for b, y in exactly)


def test_pairs_exactly_at_one_half_respond():
    for highest, expected in ((60, 30), (21, 10)):
        exactly = [(b, y) for b, y in pairs(highest) if percent_change(b, y) == 50]
        assert len(exactly) == expected
        assert all(response(b, y) for b, y in exactly)
    assert [response(21, y) for y in (10, 11)] == [True, False]


@SCALES
def test_exactly_one_category_holds_for_every_pair(highest):
    # By the definitions in whole numbers.
    for b, y in pairs(highest):
        holds = {
            "response": 2 * y <= b,
            "partial": 4 * (b - y) >= b and 2 * y > b,
            "minimal": 4 * (b - y) < b and y <= b,
            "worse": y > b,
        }
        assert [name for name, true in holds.items() if true] == [category(b, y)]
        assert partial_response(b, y) == holds["partial"]
        assert deterioration(b, y) == holds["worse"]


@TRIES
@given(SCORES, SCORES, RULES, RULES)
def test_categories_partition_for_any_thresholds_and_fractional_scores(b, y, one, other):
    lower, upper = sorted((Fraction(*one), Fraction(*other)))
    own = ImprovementRule(response=upper, partial=lower if lower < upper else None)
    found = category(b, y, own)
    if b == 0:
        assert found is response(b, y, own) is partial_response(b, y, own) is None
        return
    improvement = (b - y) / b
    assert (found == "response") == response(b, y, own) == (improvement >= upper)
    assert (
        (found == "partial")
        == partial_response(b, y, own)
        == (own.partial is not None and lower <= improvement < upper)
    )
    assert (found == "worse") == (improvement < 0)
    assert (found == "minimal") == (0 <= improvement < (own.partial or upper))


@SCALES
def test_a_baseline_of_zero_or_none_and_no_later_score_leave_it_undefined(highest):
    for y in (*range(highest + 1), None):
        for function in (response, partial_response, category, percent_change):
            assert function(0, y) is None
            assert function(None, y) is None
            assert y is not None or function(highest, y) is None
    for b, y in pairs(highest):
        assert response(b, y) is not None
        assert why_undefined(b, y) is None
    reasons = [why_undefined(b, y) for b, y in ((None, 3), (0, 3), (5, None), (0, None))]
    assert reasons == ["baseline missing", "baseline zero", "score missing", "baseline zero"]


def test_baselines_below_the_least_have_no_answer():
    own = ImprovementRule(min_baseline=20)
    assert [response(b, 5, own) for b in (19, 20)] == [None, True]
    assert why_undefined(19, 5, own) == "baseline below the least"
    assert no_meaningful_benefit(19, 5, ImprovementRule(min_baseline=20, no_benefit=share(0.3))) is None


@SCALES
def test_no_meaningful_benefit_includes_its_limit(highest):
    own = ImprovementRule(no_benefit=share((3, 10)))
    for b, y in pairs(highest):
        assert no_meaningful_benefit(b, y, own) == (10 * (b - y) <= 3 * b)
    with pytest.raises(ScoringError, match="no_benefit None"):
        no_meaningful_benefit(20, 5, ImprovementRule())


@pytest.mark.parametrize(("highest", "cut"), [(60, 10), (21, 4)], ids=["madrs", "gad7"])
def test_remission_is_antitone_in_the_score_and_blind_to_the_baseline(highest, cut):
    own = RemissionRule(cut=cut)
    for y in range(highest + 1):
        assert {remission(y, own, baseline=b) for b in (None, 0, *range(1, highest + 1))} == {y <= cut}
    assert [remission(y, own) for y in (cut, cut + 0.4, cut + 1, None)] == [True, False, False, None]


def test_remission_and_response_occur_without_each_other():
    assert (response(12, 8), remission(8, RemissionRule(cut=10))) == (False, True)
    assert (response(40, 20), remission(20, RemissionRule(cut=10))) == (True, False)


def test_remission_with_response_is_true_only_if_both_are():
    both = RemissionRule(cut=10, also=ImprovementRule())
    truths = [remission(y, both, baseline=b) for b, y in ((30, 10), (12, 8), (30, 11), (0, 8), (None, 11), (30, None))]
    assert truths == [True, False, False, None, False, None]


def test_reliable_change_limits_follow_from_sd_and_reliability():
    # 1.96 sqrt(2) SD sqrt(1 - r) by hand, for values of SD and r as they are published for MADRS and GAD-7.
    limits = [ReliableChange(sd=sd, reliability=r).points for sd, r in ((7.1, 0.93), (7.1, 0.84), (4.9, 0.83))]
    assert [round(limit, 1) for limit in limits] == [5.2, 7.9, 5.6]
    said = ReliableChange(sd=7.1, reliability=0.93).describe()
    assert said == {"reliable change": "at least 5.21 points (SD 7.1, r 0.93, z 1.96)"}


def test_a_reliable_limit_that_is_a_whole_number_is_reached_exactly():
    # sqrt(2) 3 sqrt(1 - 1/2) = 3; in doubles the product is above 3.
    own = ReliableChange(sd=3, reliability=0.5, z=1)
    assert own.squared == 9
    assert [change_in_points(20, y, own) for y in (16, 17, 18, 22, 23)] == [
        "improved",
        "improved",
        "unchanged",
        "unchanged",
        "worsened",
    ]


@TRIES
@given(SCORES, SCORES, st.integers(1, 30))
def test_changes_in_points_are_symmetric_and_agree_with_deterioration(b, y, amount):
    own = PointChange(amount=amount)
    there, back = change_in_points(b, y, own), change_in_points(y, b, own)
    assert {there, back} in ({"unchanged"}, {"improved", "worsened"})
    assert (there != "unchanged") == (abs(b - y) >= amount)
    assert deterioration(b, y, own) == (there == "worsened") == (y - b >= amount)
    assert deterioration(b, y) == (y > b)


def test_a_change_needs_both_scores_but_no_baseline_above_zero():
    for b, y in ((None, 3), (3, None)):
        assert change_in_points(b, y, PointChange(amount=4)) is None
        assert deterioration(b, y) is deterioration(b, y, PointChange(amount=4)) is None
    assert deterioration(0, 5) is True
    assert change_in_points(0, 5, PointChange(amount=4)) == "worsened"


@pytest.mark.parametrize(
    "build",
    [
        lambda: share(0),
        lambda: share(1.5),
        lambda: share((1, 0)),
        lambda: share((1, 2, 3)),
        lambda: share("50 %"),
        lambda: ImprovementRule(response=0.5),
        lambda: ImprovementRule(partial=Fraction(1, 2)),
        lambda: ImprovementRule(min_baseline=-1),
        lambda: RemissionRule(cut=10.5),
        lambda: ReliableChange(sd=0, reliability=0.9),
        lambda: ReliableChange(sd=7, reliability=1),
        lambda: PointChange(amount=0),
    ],
)
def test_rules_that_mean_nothing_are_refused(build):
    with pytest.raises(ScoringError):
        build()


def test_rules_say_what_they_do():
    said = ImprovementRule(
        response=share(0.5), partial=share((1, 3)), no_benefit=share(0.3), min_baseline=20
    ).describe()
    assert said["response"] == "the score fell by at least 50 % of the baseline"
    assert said["partial response"] == "the score fell by at least 100/3 % and less than 50 % of the baseline"
    assert said["no meaningful benefit"] == "the score fell by at most 30 % of the baseline"
    assert said["undefined"] == "a score is missing, or the baseline is 0 or below 20"
    both = RemissionRule(cut=10, also=ImprovementRule()).describe()["remission"]
    assert both == "a score of at most 10, and the score fell by at least 50 % of the baseline"
    mcid = PointChange(amount=4, meaning="between groups", source="Toussaint 2020").describe()
    assert mcid == {"change in points": "at least 4 points (between groups; Toussaint 2020)"}
