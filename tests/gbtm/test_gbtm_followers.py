"""Which starts climb for others."""

import numpy as np
import pytest

from harness.gbtm.followers import Followers


@pytest.mark.parametrize(("shift", "follows"), [(1e-5, True), (1e-3, False)])
def test_a_start_follows_only_one_that_will_end_equally_high(shift, follows):
    """Of unequal orders two maxima may differ by 0.01 in all and by next to nothing for each subject."""
    by_subject = np.array([np.full(15, -5.0), np.full(15, -5.0 + shift)])
    near, weights = np.array([True, True]), np.ones(15)
    joined = Followers(2).join(np.arange(2), by_subject, np.zeros(2), near, weights)
    assert joined.tolist() == [False, follows]


def test_what_a_start_will_still_rise_counts():
    below = np.array([np.full(15, -5.0), np.full(15, -5.0 - 0.005 / 15)])
    near, weights = np.array([True, True]), np.ones(15)
    assert Followers(2).join(np.arange(2), below, np.array([0.0, 0.1]), near, weights).tolist() == [False, True]
    assert Followers(2).join(np.arange(2), below, np.array([0.0, 0.0]), near, weights).tolist() == [False, False]
