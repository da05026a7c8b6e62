"""Which rows of a matrix are equal."""

import numpy as np
import pytest

from harness.lmm.kinds import kinds_of_rows


@pytest.mark.parametrize("columns", [1, 3])
def test_rows_are_of_one_kind_exactly_if_all_their_numbers_are_equal(columns):
    rows = np.random.default_rng(1).integers(0, 3, (40, columns)) / 3
    first, kind = kinds_of_rows(rows)
    np.testing.assert_array_equal(rows[first][kind], rows)
    assert len(first) == len(set(map(tuple, rows.tolist())))
    assert [kind.tolist().index(k) for k in range(len(first))] == first.tolist()


def test_rows_that_only_a_sum_would_confuse_are_told_apart():
    first, kind = kinds_of_rows(np.array([[1e300, 1.0], [1e300, 2.0], [1e300, 1.0]]))
    assert sorted(first.tolist()) == [0, 1]
    assert kind[0] == kind[2] != kind[1]
