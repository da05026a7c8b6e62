"""What fuzzing excuses and the judge does not: an engine that loses digits at every point, where ours is exact."""

from dataclasses import replace

import pytest

from harness.comparison.verdict import Adjudication, CrossEvidence, RecomputedError, Ruling
from harness.engines import solve
from harness.evidence.rounding import rounding_of_cross_products
from harness.fuzzing.rounding import errors_rounded_by_the_reference, rounded_by_the_reference
from harness.runs import read_cases


@pytest.fixture(scope="module")
def comparison(compare, twin):
    (case,) = read_cases(["sleepstudy__random_slope_reml"])
    return solve(case), compare(replace(case, references=("lme4",)), twin("lme4"))


@pytest.mark.parametrize(
    ("left", "right", "room", "excused"),
    [(1e-9, 1e-4, 1e-3, True), (1e-9, 1e-2, 1e-3, False), (1e-4, 1e-4, 1e-3, False), (1e-9, float("nan"), 1.0, False)],
)
def test_an_engine_may_lose_what_cross_products_lose_if_ours_does_not(comparison, left, right, room, excused):
    _, found = comparison
    rulings = tuple(
        Ruling(label=f"probe {k}", exact=-800.0 - k, left_error=left, right_error=right, room=room) for k in range(4)
    )
    evidence = CrossEvidence(adjudication=Adjudication(rulings=rulings, gap=0.0))
    assert bool(rounded_by_the_reference(replace(found, evidence=evidence))) is excused


@pytest.mark.parametrize(
    ("at_right", "said", "excused"),
    [(1.0, 1.0 + 1e-14, True), (1.0, 1.0 + 1e-5, False), (1.0 + 1e-5, 1.0 + 1e-5, False)],
)
def test_standard_errors_may_lose_as_much_as_cross_products_of_a_well_conditioned_design(
    comparison, at_right, said, excused
):
    """Days and an intercept have a condition of 3 or so: 1e-13 is lost, and 1e-5 is another method or another point."""
    ours, found = comparison
    one = RecomputedError(quantity="fixed[days].standard_error", at_left=1.0, at_right=at_right, said=said)
    assert bool(errors_rounded_by_the_reference(ours, replace(found, evidence=CrossEvidence(errors=(one,))))) is excused
    assert not errors_rounded_by_the_reference(ours, replace(found, evidence=CrossEvidence()))


def test_cross_products_lose_more_where_random_effects_dwarf_sigma(comparison):
    """The bound follows theta^2, and is far below the judge's limit at the optimum of a well scaled model."""
    ours, _ = comparison
    best = ours.probes()[-1].point
    here, there = (rounding_of_cross_products(ours, tuple(times * value for value in best)) for times in (1.0, 1e4))
    assert here < 1e-6
    assert there > 1e6 * here
