"""Who stands alone among three engines and more, on readings built by hand."""

import math
from dataclasses import replace

import pytest

from harness.comparison.consensus import consensus
from harness.comparison.judge import judge
from harness.comparison.verdict import CrossEvidence
from harness.quantities import Quantity

ERROR = "fixed[days].standard_error"
SLOPE = "fixed[days].estimate"


@pytest.fixture
def council(ours_lmm, lme4, agreeing_evidence):
    """Return the consensus of ours and the named engines, each lme4's reading after a change of its own."""

    def meet(changes, *, ours=None):
        left = ours or ours_lmm
        readings = [change(replace(lme4, engine=name, versions={name: "1"})) for name, change in changes.items()]
        return consensus("c", [judge("c", left, right, agreeing_evidence) for right in readings])

    return meet


def unchanged(reading):
    return reading


@pytest.fixture
def with_value(change):
    """Return a change of one quantity."""
    return lambda path, value: lambda reading: change(reading, {path: value})


def test_two_engines_have_no_consensus(council):
    assert council({"lme4": unchanged}) is None


def test_engines_that_agree_are_unanimous_on_all_that_they_give(council, ours_lmm):
    found = council({"lme4": unchanged, "nlme": unchanged})
    assert found.engines == ("harness", "lme4", "nlme")
    assert not found.dissents
    assert found.unanimous == len(ours_lmm.quantities) + 4  # and four log-likelihoods at the same parameters
    assert "3 engines agree on all" in found.sentence


@pytest.mark.parametrize("others", [("lme4",), ("lme4", "statsmodels"), ("lme4", "statsmodels", "mmrm")])
def test_a_planted_dissenter_is_named(council, with_value, others):
    found = council(dict.fromkeys(others, unchanged) | {"nlme": with_value(ERROR, lambda value: 1.02 * value)})
    (dissent,) = found.dissents
    assert (dissent.quantity, dissent.dissenter) == (ERROR, "nlme")
    assert dissent.values.keys() == {"harness", *others, "nlme"}
    assert "nlme stands alone, 0.02 relative difference of standard errors apart (limit 0.0001)" in dissent.sentence
    assert dissent.sentence.endswith(f"{', '.join(['harness', *others][:-1])} and {others[-1]} agree.")
    assert "nlme stands alone on 1" in found.sentence


def test_our_own_engine_is_named_without_favour(council, ours_lmm, change):
    wrong = change(ours_lmm, {SLOPE: lambda value: value + 1.0})
    found = council({"lme4": unchanged, "nlme": unchanged}, ours=wrong)
    assert {dissent.quantity: dissent.dissenter for dissent in found.dissents} == {SLOPE: "harness"}
    assert "lme4 and nlme agree" in found.dissents[0].sentence


def test_two_against_two_have_no_dissenter(council, with_value):
    other = with_value(ERROR, lambda value: 1.02 * value)
    (dissent,) = council({"lme4": unchanged, "glmmTMB": other, "statsmodels": other}).dissents
    assert dissent.dissenter is None
    assert "harness and lme4 agree; glmmTMB and statsmodels agree" in dissent.sentence


def test_of_three_that_all_differ_none_stands_alone(council, with_value):
    twice, thrice = (with_value(ERROR, lambda value, by=by: by * value) for by in (2, 3))
    (dissent,) = council({"lme4": twice, "nlme": thrice}).dissents
    assert dissent.dissenter is None
    assert dissent.sentence.count("stands apart") == 3


def test_where_one_engine_agrees_with_two_that_do_not_agree_nobody_stands_alone(council, with_value):
    # lme4's limit is 1e-6 against ours, nlme's 1e-4 against both: nlme lies between.
    step = with_value(ERROR, lambda value: value * (1 + 5e-5))
    found = council({"lme4": step, "nlme": unchanged})
    assert [dissent.dissenter for dissent in found.dissents] == [None]


def test_an_engine_without_a_quantity_has_no_vote_on_it(council):
    def without(reading):
        kept = tuple(quantity for quantity in reading.quantities if quantity.path != ERROR)
        return replace(reading, quantities=kept, not_given={ERROR: "it has none"})

    found = council({"lme4": unchanged, "nlme": without})
    everywhere = council({"lme4": unchanged, "nlme": unchanged})
    assert found.unanimous == everywhere.unanimous - 1
    assert not found.dissents


def test_a_value_that_is_no_number_is_a_dissent(council, with_value):
    found = council({"lme4": unchanged, "nlme": with_value(SLOPE, math.nan)})
    (dissent,) = found.dissents
    assert dissent.dissenter == "nlme"
    assert "nan" in dissent.sentence


def test_engines_that_go_on_from_one_fit_have_one_vote(council, ours_lmm, change):
    # Without this rule three names for lme4's optimum would outvote ours.
    wrong = change(ours_lmm, {SLOPE: lambda value: value + 1.0})
    found = council({"lmerTest": unchanged, "lme4": unchanged, "pbkrtest": unchanged}, ours=wrong)
    assert found is None
    found = council({"lmerTest": unchanged, "pbkrtest": unchanged, "nlme": unchanged})
    assert found.engines == ("harness", "lmerTest", "nlme")
    found = council({"lmerTest": unchanged, "lme4": unchanged, "nlme": unchanged})
    assert found.engines == ("harness", "lme4", "nlme")


def test_lme4_in_another_way_has_a_vote_of_its_own(council):
    found = council({"lme4": unchanged, "lme4_default": unchanged})
    assert found.engines == ("harness", "lme4", "lme4_default")


def test_an_engine_that_failed_has_no_vote(council, crashed):
    def failed(reading):
        return replace(reading, quantities=(), failure=crashed)

    assert council({"lme4": unchanged, "nlme": failed}) is None
    assert council({"lme4": unchanged, "nlme": failed, "statsmodels": unchanged}).engines == (
        "harness",
        "lme4",
        "statsmodels",
    )


def test_a_quantity_under_another_definition_is_not_put_to_the_vote(lme4, ours_lmm, change, agreeing_evidence):
    def pair(name, left, right):
        return judge("c", left, replace(right, engine=name, versions={name: "1"}), agreeing_evidence)

    # Against flexmix our value is another one, and so is flexmix's: they agree, but say nothing of the other two.
    own = {ERROR: lambda value: 1.5 * value}
    pairs = [
        pair("lme4", ours_lmm, lme4),
        pair("nlme", ours_lmm, lme4),
        pair("flexmix", change(ours_lmm, own), change(lme4, own)),
    ]
    found = consensus("c", pairs)
    assert not found.dissents


def test_a_diagnostic_is_not_put_to_the_vote(council, ours_lmm):
    def slow(reading):
        added = Quantity(path="seconds", kind="diagnostic", value=7.0)
        return replace(reading, quantities=(*reading.quantities, added))

    assert council({"lme4": slow, "nlme": slow}).unanimous == len(ours_lmm.quantities) + 4


def test_classes_are_compared_under_our_numbers(ours_gbtm, lcmm, relabel):
    others = [replace(lcmm, engine=name, versions={name: "1"}) for name in ("lcmm", "trajeR")]
    others[1] = relabel(others[1], {1: 3, 2: 1, 3: 2})
    found = consensus("c", [judge("c", ours_gbtm, other, CrossEvidence()) for other in others])
    assert not found.dissents
    assert found.unanimous == len(ours_gbtm.quantities)
