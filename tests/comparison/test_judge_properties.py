"""Invariants of the judge, over all quantities of a mixed model and of a trajectory model.

What is a material corruption? One that a limit with a basis can see:

- 1 % of the value; a changed sign; or one unit, for a count;
- but at least twice the limit on the scale on which the quantity is judged: an estimate of 0.1 standard errors that is
  1 % off has moved by a thousandth of its uncertainty, and that is what D is there to tolerate. The scale is the
  standard error for estimates and conditional modes, one for probabilities and correlations.
"""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.comparison.judge import judge
from harness.comparison.tolerances import Measure, tolerance
from harness.comparison.verdict import CrossEvidence, Outcome
from harness.quantities import Kind

NOTHING = CrossEvidence()
PERMUTATIONS = [dict(zip((1, 2, 3), p, strict=True)) for p in permutations((1, 2, 3))]


@pytest.fixture(scope="session", params=["lmm", "gbtm", "lmm and its own pin", "gbtm and its own pin"])
def sides(request, ours_lmm, lme4, ours_gbtm, lcmm):
    """Two readings that agree; a pin keeps values only, no standard errors beside them and no covariance."""
    left, right = {"lmm": (ours_lmm, lme4), "gbtm": (ours_gbtm, lcmm)}[request.param.split()[0]]
    if request.param.endswith("pin"):
        bare = tuple(replace(q, standard_error=None) for q in left.quantities)
        right = replace(left, source="pinned", quantities=bare, covariance=None)
    return left, right


def least_step(quantity, left, right):
    """Twice the limit on the quantity's own scale."""
    error = next(q.standard_error for q in left.quantities if q.path == quantity.path)
    engines = (left.engine, right.engine)
    if quantity.path == "log_likelihood":
        far = tolerance(Measure.DISTANCE, *engines).limit
        return far**2 + 2 * tolerance(Measure.OBJECTIVE, *engines).limit * abs(quantity.value)
    if quantity.kind is Kind.OPTIMUM and error is None:
        # A variance parameter of which the reference gives no error; ours does, in its covariance.
        error = dict(zip(left.covariance.paths, np.sqrt(np.diag(left.covariance.matrix)), strict=True))[quantity.path]
    measure, scale = {
        Kind.OPTIMUM: (Measure.DISTANCE, error),
        Kind.POSTERIOR: (Measure.PREDICTION, error) if error else (Measure.PROBABILITY, 1.0),
    }.get(quantity.kind, (Measure.CORRELATION, 1.0 if "correlation" in quantity.path else 0.0))
    return 2 * tolerance(measure, *engines).limit * (scale or 0.0)


def corruptions(quantity, left, right):
    value, least = quantity.value, least_step(quantity, left, right)
    if quantity.kind is Kind.EXACT:
        return (value + 1, value - 1, -value)
    step = max(abs(value) * 0.01, least)
    flipped = (-value,) if 2 * abs(value) >= least else ()
    return (value + step, value - step, value + max(1.0, least), value - max(1.0, least), *flipped)


def test_any_material_corruption_of_any_single_value_disagrees(sides):
    left, right = sides
    tried = 0
    for k, target in enumerate(right.quantities):
        for value in corruptions(target, left, right):
            quantities = (*right.quantities[:k], replace(target, value=value), *right.quantities[k + 1 :])
            comparison = judge("case", left, replace(right, quantities=quantities), NOTHING)
            assert comparison.outcome is Outcome.DISAGREE, (target.path, target.value, value)
            assert any(v.quantity == target.path and v.outcome is Outcome.DISAGREE for v in comparison.verdicts)
            tried += 1
    assert tried > 4 * len(right.quantities)


def test_a_corruption_disagrees_on_whichever_side_it_is(sides):
    left, right = sides
    for k, target in enumerate(left.quantities[:40]):
        for value in corruptions(target, left, right)[:2]:
            quantities = (*left.quantities[:k], replace(target, value=value), *left.quantities[k + 1 :])
            assert judge("case", replace(left, quantities=quantities), right, NOTHING).outcome is Outcome.DISAGREE


@given(data=st.data(), size=st.floats(1e-9, 1e3))
def test_the_sign_of_a_difference_does_not_matter(sides, data, size):
    left, right = sides
    target = data.draw(st.sampled_from([q for q in right.quantities if q.kind in {Kind.OPTIMUM, Kind.POSTERIOR}]))
    observed, outcomes = [], []
    for sign in (1, -1):
        moved = tuple(replace(q, value=q.value + sign * size) if q.path == target.path else q for q in right.quantities)
        comparison = judge("case", left, replace(right, quantities=moved), NOTHING)
        found = next(v for v in comparison.verdicts if v.quantity == target.path)
        observed.append(found.observed)
        outcomes.append(found.outcome)
    assert outcomes[0] is outcomes[1]
    assert observed[0] == pytest.approx(observed[1], rel=1e-6, abs=1e-9)


@given(data=st.data(), sizes=st.tuples(st.floats(1e-12, 10), st.floats(1e-12, 10)))
def test_a_larger_corruption_is_never_judged_milder(sides, data, sizes):
    left, right = sides
    target = data.draw(st.sampled_from([q for q in right.quantities if q.kind is not Kind.EXACT]))
    seen = []
    for size in sorted(sizes):
        moved = tuple(replace(q, value=q.value + size) if q.path == target.path else q for q in right.quantities)
        comparison = judge("case", left, replace(right, quantities=moved), NOTHING)
        seen.append(next(v for v in comparison.verdicts if v.quantity == target.path))
    small, large = seen
    if np.sign(target.value) >= 0:  # otherwise adding moves relative measures through zero
        assert large.observed >= small.observed * (1 - 1e-12)
    assert not (small.outcome is Outcome.DISAGREE and large.outcome is Outcome.AGREE)


@given(seed=st.integers(0, 2**32 - 1), permutation=st.sampled_from(PERMUTATIONS))
def test_order_and_class_names_change_neither_verdicts_nor_distance(ours_gbtm, lcmm, relabel, seed, permutation):
    random = np.random.default_rng(seed)
    noisy = tuple(
        replace(q, value=q.value + random.normal(0, 0.01) * (q.standard_error or 0.0)) for q in lcmm.quantities
    )
    right = replace(lcmm, quantities=noisy)
    renamed = relabel(right, permutation)
    shuffled = replace(renamed, quantities=tuple(renamed.quantities[k] for k in random.permutation(len(noisy))))
    plain, other = (judge("case", ours_gbtm, r, NOTHING) for r in (right, shuffled))
    assert {v.quantity: v for v in plain.verdicts} == {v.quantity: v for v in other.verdicts}
    assert plain.outcome is other.outcome
    assert plain.distance == other.distance


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-5, 1e-1))
def test_exchanging_the_sides_changes_no_outcome(ours_gbtm, lcmm, seed, scale):
    random = np.random.default_rng(seed)
    noisy = tuple(
        replace(q, value=q.value + random.normal(0, scale) * (q.standard_error or 0.0)) for q in lcmm.quantities
    )
    right = replace(lcmm, quantities=noisy)
    there, back = judge("case", ours_gbtm, right, NOTHING), judge("case", right, ours_gbtm, NOTHING)
    assert there.distance == pytest.approx(back.distance, rel=1e-9)
    assert {v.quantity: v.outcome for v in there.verdicts} == {v.quantity: v.outcome for v in back.verdicts}
