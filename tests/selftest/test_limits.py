"""Twice the limit is twice the limit: what the selftest computes by definitions of its own, the judge observes."""

import pytest

from harness.comparison.verdict import Outcome
from harness.selftest.limits import at_share_of_limit
from harness.selftest.numbers import with_numbers
from harness.selftest.pinned import relabelled_path


@pytest.mark.parametrize("which", ["mixed_model", "tests_of_effects", "mixture"])
@pytest.mark.parametrize("share", [2.0, -2.0])
def test_the_judge_observes_twice_the_limit(request, which, share):
    pinned = request.getfixturevalue(which)
    values = at_share_of_limit(pinned, share)
    assert len(values) > len(pinned.numbers) / 2
    comparison = pinned.judged(with_numbers(pinned.reading, values))
    verdicts = {verdict.quantity: verdict for verdict in comparison.verdicts}
    for path in values:
        verdict = verdicts[relabelled_path(path, comparison.permutation)]
        assert verdict.observed == pytest.approx(2 * verdict.limit, rel=0.02), verdict.quantity
        assert verdict.outcome is Outcome.DISAGREE


@pytest.mark.parametrize("which", ["mixed_model", "tests_of_effects", "mixture"])
@pytest.mark.parametrize("share", [0.5, -0.5])
def test_half_of_the_limit_agrees(request, which, share):
    """From the other side: no limit is stricter than it says."""
    pinned = request.getfixturevalue(which)
    values = at_share_of_limit(pinned, share)
    comparison = pinned.judged(with_numbers(pinned.reading, values))
    verdicts = {verdict.quantity: verdict for verdict in comparison.verdicts}
    for path in values:
        assert verdicts[relabelled_path(path, comparison.permutation)].outcome is Outcome.AGREE, path


@pytest.mark.parametrize("which", ["mixed_model", "tests_of_effects", "mixture"])
def test_no_limit_is_as_large_as_what_misleads(request, which):
    """The two are set apart: limits by what engines do, what misleads by what a reader sees."""
    pinned = request.getfixturevalue(which)
    matters = {each.path: each for each in pinned.numbers}
    for path, value in at_share_of_limit(pinned, 1.0).items():
        each = matters[path]
        assert abs(value - each.ours) < each.matters, path
