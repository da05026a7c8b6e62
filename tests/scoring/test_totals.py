"""From items to totals."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ScoringError
from harness.scoring import GAD7, MADRS, Disagreement, Instrument, Item, TotalRule, read_totals, score_items

TRIES = settings(max_examples=40, deadline=None)
STRICT = TotalRule()
PRORATE = TotalRule(missing="prorate")
SCALES = st.sampled_from([MADRS, GAD7])


def answers_of(scale, *, missing=False):
    answer = st.integers(scale.items[0].lowest, scale.items[0].highest)
    return st.lists(st.none() | answer if missing else answer, min_size=len(scale.items), max_size=len(scale.items))


ROWS = SCALES.flatmap(lambda scale: st.tuples(st.just(scale), answers_of(scale, missing=True)))
FULL_ROWS = SCALES.flatmap(lambda scale: st.tuples(st.just(scale), answers_of(scale)))


def score(scale, row, rule=STRICT, **more):
    return score_items(scale, {name: [cell] for name, cell in zip(scale.item_names, row, strict=True)}, rule, **more)


def total(scale, row, rule=STRICT):
    return score(scale, row, rule).totals[0]


@TRIES
@given(FULL_ROWS)
def test_the_total_is_the_sum_of_the_items_however_missing_ones_would_be_treated(case):
    scale, row = case
    assert total(scale, row) == total(scale, row, PRORATE) == sum(row)
    assert scale.lowest <= sum(row) <= scale.highest
    assert score(scale, row, PRORATE).prorated == (False,)


@TRIES
@given(ROWS, st.randoms())
def test_the_order_of_items_changes_nothing(case, random):
    scale, row = case
    shuffled = random.sample(row, len(row))
    for rule in (STRICT, PRORATE):
        assert total(scale, row, rule) == total(scale, shuffled, rule)


@TRIES
@given(FULL_ROWS, st.data())
def test_a_higher_answer_never_lowers_the_total(case, data):
    scale, row = case
    place = data.draw(st.integers(0, len(row) - 1))
    higher = [*row]
    higher[place] = data.draw(st.integers(row[place], scale.items[place].highest))
    assert total(scale, higher) == total(scale, row) + higher[place] - row[place]


@TRIES
@given(ROWS)
def test_by_the_strict_rule_one_item_missing_leaves_no_total(case):
    scale, row = case
    assert (total(scale, row) is None) == (None in row)


@TRIES
@given(ROWS)
def test_a_prorated_total_is_the_mean_of_the_answered_items_times_their_number_within_the_scale(case):
    scale, row = case
    answered = [cell for cell in row if cell is not None]
    found = score(scale, row, PRORATE)
    assert found.answered == (len(answered),)
    if len(answered) < scale.least_answered:
        assert found.totals == (None,)
        assert found.prorated == (False,)
    else:
        assert found.totals[0] == Fraction(len(row) * sum(answered), len(answered))
        assert scale.lowest <= found.totals[0] <= scale.highest
        assert found.prorated == (None in row,)


def test_prorated_totals_are_not_rounded():
    # 7 of 7 items times 3/5 is 4.2, which is no remission; rounded it would be 4, which is.
    row = [1, 1, 1, 0, 0, None, None]
    assert total(GAD7, row, TotalRule(missing="prorate", least_answered=5)) == Fraction(21, 5)
    assert total(GAD7, row, PRORATE) is None
    # Sums of 3, 9 and 15 over six of the seven items give halves, and no sum over nine of the ten of MADRS does.
    halves = [s for s in range(19) if Fraction(7 * s, 6).denominator == 2]
    assert halves == [3, 9, 15]
    assert not [s for s in range(55) if Fraction(10 * s, 9).denominator == 2]


def test_how_many_items_must_be_answered_is_bounded_by_the_scale():
    for scale, least in ((GAD7, 4), (GAD7, 8), (MADRS, 8), (MADRS, 9.0), (GAD7, True)):
        with pytest.raises(ScoringError, match="least_answered"):
            total(scale, [0] * len(scale.items), TotalRule(missing="prorate", least_answered=least))
    with pytest.raises(ScoringError, match="none with 'strict'"):
        total(GAD7, [0] * 7, TotalRule(least_answered=6))
    unbounded = Instrument(name="own", items=(Item(name="a", lowest=0, highest=1),))
    with pytest.raises(ScoringError, match="states no `least_answered`"):
        total(unbounded, [0], PRORATE)


def test_reversed_items_count_from_the_other_end():
    items = (Item(name="calm", lowest=1, highest=4, reversed=True), Item(name="tense", lowest=1, highest=4))
    scale = Instrument(name="anxiety", items=items, least_answered=1)
    assert [total(scale, row) for row in ([1, 1], [4, 1], [2, 3])] == [5, 2, 6]
    assert total(scale, [1, None], PRORATE) == 8


def test_a_total_that_contradicts_its_items_is_reported_and_never_taken():
    items = {name: [1, 1, 1, 1, None] for name in GAD7.item_names}
    items["gad7_1"] = [1, None, 3, None, None]
    given_totals = [7, 6, 8, 20, None]
    found = score_items(GAD7, items, given=given_totals, lines=[2, 3, 4, 5, 6])
    assert found.totals == (7, None, 9, None, None)
    assert found.disagreements == (
        Disagreement(line=3, given=Fraction(6), recomputed=None, conflict="missing_as_zero"),
        Disagreement(line=4, given=Fraction(8), recomputed=Fraction(9), conflict="differs"),
        Disagreement(line=5, given=Fraction(20), recomputed=None, conflict="items_missing"),
    )
    # A prorated total is another number than the one that was given, whichever was meant.
    prorated = score_items(GAD7, items, PRORATE, given=given_totals)
    assert [(found.line, found.recomputed) for found in prorated.disagreements] == [(2, 7), (3, 9), (4, 7)]


@TRIES
@given(FULL_ROWS)
def test_a_total_that_agrees_with_its_items_is_no_disagreement(case):
    scale, row = case
    assert not score(scale, row, given=[float(sum(row))]).disagreements


def test_only_declared_codes_are_missing_and_none_of_them_may_be_a_score():
    row = [-9, 1, 1, 1, 1, 1, "ND"]
    coded = TotalRule(missing="prorate", least_answered=5, sentinels=(-9, 99, "ND"))
    assert total(GAD7, row, coded) == 7
    with pytest.raises(ScoringError) as caught:
        total(GAD7, row)
    assert [(problem.column, problem.line) for problem in caught.value.problems] == [("gad7_1", 1), ("gad7_7", 1)]
    with pytest.raises(ScoringError, match="3 as a code of a missing value"):
        total(GAD7, row, TotalRule(sentinels=(-9, 3)))
    with pytest.raises(ScoringError, match="9 as a code of a missing value"):
        read_totals(GAD7, [9, 99], TotalRule(sentinels=(9, 99)))
    assert read_totals(GAD7, [9, 99], TotalRule(sentinels=(99,))) == (9, None)


def test_a_blank_and_a_not_done_are_no_zero():
    for blank in ("", " ", "ND"):
        with pytest.raises(ScoringError, match="a text of"):
            total(GAD7, [blank, *[0] * 6])
    assert total(GAD7, [None, *[0] * 6]) is None


def test_fractions_are_accepted_only_where_the_rule_says_so():
    row = [1.5, *[1] * 6]
    with pytest.raises(ScoringError, match="expected a whole number from 0 to 3"):
        total(GAD7, row)
    assert total(GAD7, row, TotalRule(fractions=True)) == Fraction(15, 2)
    assert read_totals(GAD7, [7.5], TotalRule(fractions=True)) == (Fraction(15, 2),)


def test_items_that_lack_are_unknown_or_of_another_length_are_all_reported():
    items = {name: [0, 1] for name in GAD7.item_names}
    with pytest.raises(ScoringError) as caught:
        score_items(GAD7, {**{name: items[name] for name in GAD7.item_names[1:]}, "gad7_8_difficult": [0, 0]})
    assert [(problem.found, problem.column) for problem in caught.value.problems] == [
        ("no such item", "gad7_1"),
        ("an unknown item", "gad7_8_difficult"),
    ]
    with pytest.raises(ScoringError, match="1 rows; expected 2 rows"):
        score_items(GAD7, {**items, "gad7_3": [0]})
    with pytest.raises(ScoringError, match="column 'total': 3 rows"):
        score_items(GAD7, items, given=[0, 7, 7])
    with pytest.raises(ScoringError, match="a scale without items"):
        score_items(Instrument(name="bdi", total=(0, 63)), {})


def test_columns_of_numpy_score_like_lists():
    table = np.arange(70).reshape(7, 10) % 4
    items = dict(zip(GAD7.item_names, table, strict=True))
    assert list(score_items(GAD7, items).totals) == table.sum(axis=0).tolist()


def test_the_rule_says_what_it_does():
    assert PRORATE.describe(GAD7)["gad7 missing items"] == (
        "prorated if at least 6 of 7 items are answered: 7 times their mean, not rounded"
    )
    said = TotalRule(sentinels=(-9, "ND")).describe(MADRS)
    assert said["madrs missing items"] == "any item missing: total missing"
    assert said["madrs codes of missing values"] == "-9, 'ND'"
