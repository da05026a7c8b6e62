"""A requirement is shown by verdicts and by nothing else, and nothing is left over unnoticed."""

from dataclasses import replace

import pytest

from harness.certification.families import family_of
from harness.certification.requirement import Requirement, RequirementSet
from harness.certification.traceability import Checked, Standing
from harness.certification.tracing import trace
from harness.comparison.run import Skipped
from harness.comparison.verdict import Attribution, Outcome
from harness.quantities import Failure


def requirement(identifier="OQ-ALL", **asked):
    lists = {key: (value,) if isinstance(value, str) else value for key, value in asked.items() if key != "check"}
    patterns = {} if "check" in asked else {"cases": ("*",), "engines": ("*",), "quantities": ("*",)}
    check = asked.get("check", "")
    return Requirement(identifier=identifier, statement="All numbers equal R's.", check=check, **{**patterns, **lists})


ALL = requirement()
LME4 = requirement("OQ-LME4", engines="lme4", quantities=("fixed[*].estimate", "sigma.estimate"))


def traced(run, *several, checked=None, known=()):
    return trace(RequirementSet(requirements=several), run, checked=checked or {}, inputs={}, known=known)


def only(found):
    (one,) = found.traced
    return one


# ---- what is shown ----


def test_a_requirement_whose_quantities_agree_is_shown(run):
    found = traced(run, LME4, ALL)
    assert [one.standing for one in found.traced] == [Standing.SHOWN, Standing.SHOWN]
    assert found.is_complete
    assert found.traced[0].counts.agree == 3  # the intercept, days and sigma
    assert {row.family for row in found.traced[0].rows} == {"fixed[*].estimate", "sigma.estimate"}


def test_every_verdict_is_counted_once_for_a_requirement_that_asks_for_all(run):
    found = only(traced(run, ALL))
    assert found.counts.compared + found.counts.not_compared == sum(len(one.verdicts) for one in run.comparisons)


def test_one_disagreement_makes_a_requirement_not_shown(run, with_outcome):
    found = traced(with_outcome(run, "lme4", "sigma.estimate", Outcome.DISAGREE), LME4, ALL)
    assert [one.standing for one in found.traced] == [Standing.NOT_SHOWN, Standing.NOT_SHOWN]
    assert not found.is_complete
    row = next(row for row in found.traced[0].rows if row.family == "sigma.estimate")
    assert row.counts.standing is Standing.NOT_SHOWN


def test_a_disagreement_elsewhere_leaves_a_requirement_shown(run, with_outcome):
    found = traced(with_outcome(run, "nlme", "sigma.estimate", Outcome.DISAGREE), LME4, ALL)
    assert [one.standing for one in found.traced] == [Standing.SHOWN, Standing.NOT_SHOWN]


def test_known_differences_never_read_as_shown(known_difference):
    run, entry = known_difference
    found = traced(run, LME4, ALL, known=[entry])
    assert found.traced[0].standing is Standing.KNOWN
    assert found.traced[0].counts.agree == 2
    assert found.traced[0].counts.known == 1
    assert found.count(Standing.SHOWN) == 0
    assert found.is_complete
    (accepted,) = found.accepted
    assert (accepted.entry, accepted.quantities) == (entry, 1)


def test_known_differences_alone_show_nothing(known_difference):
    run, _ = known_difference
    asked = requirement("OQ-SIGMA", engines="lme4", quantities="sigma.estimate")
    assert traced(run, asked, ALL).traced[0].standing is Standing.NOT_SHOWN


def test_a_requirement_that_is_partly_compared_says_so(run, with_outcome):
    quantity = next(v.quantity for v in run.comparisons[0].verdicts if v.quantity.startswith("mode["))
    found = traced(with_outcome(run, "lme4", quantity, Outcome.NOT_COMPARED, "It was not given."), ALL)
    assert found.traced[0].standing is Standing.SHOWN
    assert "Partly compared" in found.traced[0].sentence
    assert "It was not given." in {one.reason for one in found.unshown}


def test_what_nobody_compared_is_not_examined(run, with_outcome):
    found = traced(with_outcome(run, "lme4", "sigma.estimate", Outcome.NOT_COMPARED), LME4, ALL)
    assert found.traced[0].standing is Standing.NOT_EXAMINED
    assert found.traced[0].gaps == ("no quantity was compared for the quantity 'sigma.estimate'",)
    assert not found.orphans
    assert not found.is_complete


@pytest.mark.parametrize("kind", ["cases", "engines", "quantities"])
def test_a_pattern_that_matches_nothing_is_an_orphan_though_others_match(run, kind):
    asked = requirement("OQ-MORE", **{kind: ("*", "no_such_*")})
    found = traced(run, asked)
    assert only(found).standing is Standing.NOT_EXAMINED
    (orphan,) = found.orphans
    assert orphan.requirement == "OQ-MORE"
    assert "'no_such_*'" in orphan.sentence


def test_a_quantity_that_need_not_be_there_is_no_orphan(run):
    found = traced(run, requirement("OQ-ALSO", also=("optimum.covariance", "no_such")))
    assert found.is_complete


# ---- what is left over ----


def test_verdicts_that_no_requirement_asks_for_are_orphans(run):
    found = traced(run, requirement("OQ-NLME", engines=("nlme", "lmerTest", "rates")))
    assert only(found).standing is Standing.SHOWN
    assert {"lme4", "pbkrtest", "clubSandwich", "glmmTMB"} <= {orphan.engine for orphan in found.orphans}
    assert not {"nlme", "rates"} & {orphan.engine for orphan in found.orphans}
    assert not found.is_complete


def test_one_family_of_one_engine_without_a_requirement_is_an_orphan(run):
    quantities = {v.quantity for one in run.comparisons for v in one.verdicts if v.quantity != "sigma.estimate"}
    found = traced(run, requirement("OQ-REST", quantities=tuple(sorted(quantities))))
    assert {orphan.family for orphan in found.orphans} == {"sigma.estimate"}


def test_an_engine_without_an_answer_is_never_shown(run):
    failure = Failure(reason="stale", sentence="The pin is stale.")
    first = run.comparisons[0]
    failed = replace(
        first,
        right=replace(first.right, failure=failure),
        verdicts=(),
        outcome=Outcome.DISAGREE,
        attribution=Attribution.ENGINE,
    )
    broken = replace(run, comparisons=(failed, *run.comparisons[1:]))
    found = traced(broken, ALL)
    assert only(found).standing is Standing.NOT_SHOWN
    assert "The pin is stale" in only(found).sentence
    others = tuple({one.right.engine for one in run.comparisons} - {first.right.engine})
    without = traced(broken, requirement("OQ-OTHERS", engines=others))
    assert [orphan.engine for orphan in without.orphans] == [first.right.engine]


def test_a_skipped_comparison_is_not_examined(run):
    skipped = Skipped(case="sleepstudy__random_slope_reml", reference="lcmm", reason="lcmm is not installed")
    found = traced(replace(run, skipped=(skipped,)), ALL)
    assert only(found).standing is Standing.NOT_EXAMINED
    assert "lcmm is not installed" in only(found).sentence
    engines = tuple({one.right.engine for one in run.comparisons})
    without = traced(replace(run, skipped=(skipped,)), requirement("OQ-REST", engines=engines))
    assert [orphan.engine for orphan in without.orphans] == ["lcmm"]


def test_a_comparison_of_the_input_alone_is_not_examined(run):
    emptied = tuple(replace(one, outcome=Outcome.NOT_COMPARED) for one in run.comparisons)
    assert only(traced(replace(run, comparisons=emptied), ALL)).standing is Standing.NOT_EXAMINED


def test_a_known_difference_that_has_disappeared_keeps_a_bundle_from_being_complete(run):
    found = traced(replace(run, notes=("a known difference has disappeared",)), ALL)
    assert only(found).standing is Standing.SHOWN
    assert not found.is_complete


# ---- checks and families ----


def test_a_requirement_has_the_standing_of_its_check(run):
    asked = requirement("IQ-THIS", check="packages")
    right, wrong = (Checked(standing=standing, detail="Seen.") for standing in (Standing.SHOWN, Standing.NOT_SHOWN))
    assert traced(run, asked, ALL, checked={"packages": right}).traced[0].standing is Standing.SHOWN
    assert traced(run, asked, ALL, checked={"packages": wrong}).traced[0].standing is Standing.NOT_SHOWN
    assert traced(run, asked, ALL).traced[0].standing is Standing.NOT_EXAMINED


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ("sigma.estimate", "sigma.estimate"),
        ("fixed[C(visit, sum)[1]:protocol[six]].df", "fixed[*].df"),
        ("class[2].posterior[K001]", "class[*].posterior[*]"),
        ("a[b]c[d]", "a[*]c[*]"),
        ("a[b", "a[b"),
        ("a]b", "a]b"),
        ("", ""),
    ],
)
def test_a_family_leaves_open_what_stands_in_outer_brackets(path, family):
    assert family_of(path) == family
