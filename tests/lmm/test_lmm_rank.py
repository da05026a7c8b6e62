"""Columns that others determine: which ones R drops, what is estimable without them, and that units don't matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.coding.columns import Cells
from harness.lmm.conditioning import condition
from harness.lmm.orthonormal import gram_root, quick_qr
from harness.lmm.rank import ALIASED, aliases, column_rank

T = np.array([0.0, 1, 2, 3, 4, 6, 8, 11])
ONE = np.ones(8)
HALF = np.array([0.0, 1, 0, 1, 0, 1, 0, 1])


def rank_of(*columns):
    return column_rank(np.linalg.qr(np.column_stack(columns), mode="r"))


@pytest.mark.parametrize(
    ("columns", "kept"),
    [
        ((ONE, T, 2 * T, T**2), [0, 1, 3]),
        ((ONE, 3 * ONE, T), [0, 2]),
        ((T, ONE, 3 - 2 * T), [0, 1]),
        ((ONE, 0 * T, T), [0, 2]),
        ((0 * T, ONE, T), [1, 2]),
        ((HALF, 1 - HALF, ONE, T), [0, 1, 3]),
        ((ONE, HALF, 1 - HALF, HALF * T, (1 - HALF) * T, T), [0, 1, 3, 4]),
        ((ONE, 2000 + T, (2000 + T) ** 2), [0, 1, 2]),
        ((ONE, 1e9 + T), [0]),
        ((ONE, T, T + 1e-5 * HALF), [0, 1, 2]),
        ((ONE, T, T + 1e-6 * HALF), [0, 1]),
        ((ONE, T, 1e-9 * HALF), [0, 1, 2]),
        ((ONE, 1e12 * T, HALF), [0, 1, 2]),
    ],
)
def test_the_columns_that_r_keeps_are_kept(columns, kept):
    """R 4.2.2: sort(qr(X, tol = 1e-7)$pivot[seq_len(rank)])."""
    assert rank_of(*columns).kept.tolist() == kept


def test_more_columns_than_rows_leave_as_many_as_rows():
    rank = rank_of(ONE[:3], T[:3], T[:3] ** 2, T[:3] ** 3, HALF[:3])
    assert (rank.kept.tolist(), rank.dropped.tolist()) == ([0, 1, 2], [3, 4])


designs = st.builds(
    lambda seed, n_free, n_more, zero: _deficient(np.random.default_rng(seed), n_free, n_more, zero=zero),
    st.integers(0, 10**6), st.integers(1, 5), st.integers(0, 4), st.booleans(),
)  # fmt: skip


def _deficient(stream, n_free, n_more, *, zero):
    """Columns of any unit in any order, some of which are small whole combinations of those before."""
    columns = [stream.standard_normal(12) for _ in range(n_free)]
    for _ in range(n_more):
        weights = stream.integers(-2, 3, size=len(columns))
        columns.insert(int(stream.integers(1, len(columns) + 1)), np.column_stack(columns) @ weights)
    if zero:
        columns.insert(int(stream.integers(0, len(columns) + 1)), np.zeros(12))
    return np.column_stack(columns) * 10.0 ** stream.integers(-9, 10, size=len(columns))


@settings(max_examples=80, deadline=None)
@given(designs)
def test_the_null_space_is_what_the_columns_send_to_zero(X):
    rank = column_rank(np.linalg.qr(X, mode="r"))
    N, sizes = rank.null_space, np.linalg.norm(X, axis=0)
    assert len(rank.kept) == np.linalg.matrix_rank(X / np.where(sizes > 0, sizes, 1.0))
    assert N.shape == (X.shape[1], len(rank.dropped))
    np.testing.assert_allclose(N[rank.dropped], np.eye(len(rank.dropped)), atol=0)
    # Each product against the largest of the terms that cancel in it.
    scale = (np.abs(N) * sizes[:, None]).max(axis=0, initial=0.0)
    assert np.all(np.abs(X @ N) <= 1e-9 * scale)


@settings(max_examples=40, deadline=None)
@given(designs, st.integers(0, 10**6))
def test_units_of_columns_change_nothing(X, seed):
    units = 10.0 ** np.random.default_rng(seed).integers(-9, 10, size=X.shape[1])
    here, there = (column_rank(np.linalg.qr(matrix, mode="r")) for matrix in (X, X * units))
    assert here.kept.tolist() == there.kept.tolist()
    moved = here.shares * units[here.dropped] / units[here.kept, None]
    weights = np.linalg.norm(X, axis=0)[here.kept, None] * units[here.kept, None]
    scale = (np.abs(moved) * weights).max(initial=0.0)
    np.testing.assert_allclose(there.shares * weights, moved * weights, rtol=1e-6, atol=ALIASED * scale)


def test_a_column_is_said_to_be_what_determines_it():
    X = np.column_stack([ONE, T, 5 * ONE, 2 - T, 0 * T, HALF, T * HALF, 3 * T * HALF - HALF])
    names = ["intercept", "t", "five", "back", "none", "half", "t:half", "mixed"]
    assert aliases(X, column_rank(np.linalg.qr(X, mode="r")), names) == {
        "five": "constant (5)",
        "back": "determined by intercept and t",
        "none": "zero in every row",
        "mixed": "determined by half and t:half",
    }


@pytest.mark.parametrize("units", [np.ones(4), np.array([1e-30, 1e30, 1.0, 1e-6])])
def test_the_quick_decomposition_is_as_good_as_householders(units):
    stream = np.random.default_rng(11)
    X = np.column_stack([np.ones(6000), stream.random(6000) < 0.3, 30 + stream.random((6000, 2))]) * units
    Q, R = quick_qr(X)
    np.testing.assert_allclose(Q.T @ Q, np.eye(4), atol=1e-14)
    # Row by row, as far as a row can be told from its rounding.
    assert np.all(np.abs(Q @ R - X) <= 1e-15 * 30 * units)
    assert np.all(np.diag(R) > 0)
    signs = np.sign(np.diag(np.linalg.qr(X, mode="r")))
    np.testing.assert_allclose(R / units, signs[:, None] * np.linalg.qr(X, mode="r") / units, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("column", [np.zeros(6000), np.full(6000, 2.0), 1e7 + np.arange(6000.0) % 5])
def test_the_quick_decomposition_declines_what_it_would_spoil(column):
    X = np.column_stack([np.ones(6000), column])
    assert gram_root(X) is None
    assert quick_qr(X) is None


@pytest.mark.parametrize("n", [60, 6000])
@pytest.mark.parametrize("weighted", [False, True])
def test_what_remains_of_a_deficient_design_is_conditioned_alike_by_either_decomposition(n, weighted):
    stream = np.random.default_rng(14)
    t = np.tile(np.arange(6.0), n // 6)
    X = np.column_stack([np.ones(n), t, 5 - t, t > 2, t * (t > 2), np.zeros(n), stream.normal(size=n)])
    y, roots = 1e6 + stream.normal(size=n), np.sqrt(stream.uniform(0.1, 9, size=n)) if weighted else None
    found, rank = condition(X, y, roots, intercept=True)
    assert rank.kept.tolist() == [0, 1, 3, 4, 6]
    each = np.ones(n) if roots is None else roots
    Q, residual = found.D[:, :-1], found.D[:, -1]
    np.testing.assert_allclose(Q @ found.triangle, each[:, None] * X[:, rank.kept], atol=1e-12)
    np.testing.assert_allclose(Q.T @ found.D, np.eye(5, 6), atol=1e-12)
    np.testing.assert_allclose(Q @ found.coefficients + residual, each * y, rtol=1e-14)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_design_of_few_distinct_rows_is_conditioned_by_its_cells_as_by_its_rows(weighted):
    """Two factors of three and four levels, one cell of them empty, and a column that repeats another."""
    stream = np.random.default_rng(15)
    a, b = np.divmod(np.arange(12), 4)
    table = np.column_stack(
        [
            np.ones(12),
            a == 1,
            a == 2,
            b == 1,
            b == 2,
            b == 3,
            a < 1,
            *((a == i) & (b == j) for i in (1, 2) for j in (1, 2, 3)),
        ]
    ).astype(float)
    cells = Cells(table=table, of=stream.integers(11, size=500))
    y, roots = 1e6 + stream.normal(size=500), np.sqrt(stream.uniform(0.1, 9, size=500)) if weighted else None
    found, rank = condition(cells, y, roots, intercept=True)
    plain, same = condition(cells.rows, y, roots, intercept=True)
    assert rank.kept.tolist() == same.kept.tolist() == [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11]
    np.testing.assert_allclose(rank.null_space, same.null_space, atol=1e-13)
    signs = np.sign(np.diag(found.triangle) * np.diag(plain.triangle))
    np.testing.assert_allclose(found.D[:, :-1], signs * plain.D[:, :-1], atol=1e-13)
    np.testing.assert_allclose(found.D[:, -1], plain.D[:, -1], atol=1e-11)
    np.testing.assert_allclose(found.triangle, signs[:, None] * plain.triangle, atol=1e-12)
    np.testing.assert_allclose(found.coefficients, signs * plain.coefficients, rtol=1e-12)
