"""Indicator columns, sparse where they are many: the few operations that the cross products need.

A small matrix is held dense, since a sparse one costs more to handle than to fill.
"""

from collections.abc import Sequence
from typing import TypeAlias, cast

import numpy as np
from scipy.sparse import csr_array

from harness.arrays import Codes, Matrix, Vector

Columns: TypeAlias = "Matrix | csr_array[np.float64, tuple[int, int]]"

# Entries up to which a matrix is dense.
_DENSE = 20_000


def matrix_of(entries: Sequence[tuple[Vector, Codes, Codes]], shape: tuple[int, int]) -> Columns:
    """Return the matrix with these values in these rows and columns, several lists of them."""
    if shape[0] * shape[1] <= _DENSE:
        dense = np.zeros(shape)
        for values, rows, places in entries:
            dense[rows, places] = values
        return dense
    values = np.concatenate([np.empty(0), *(entry[0] for entry in entries)])
    rows = np.concatenate([np.empty(0, dtype=np.int64), *(entry[1] for entry in entries)])
    places = np.concatenate([np.empty(0, dtype=np.int64), *(entry[2] for entry in entries)])
    return csr_array((values, (rows, places)), shape=shape)


def rows_product(left: Columns, right: Columns) -> Columns:
    """Return left right."""
    found = cast("Columns", left @ right)
    return dense(found) if found.shape[0] * found.shape[1] <= _DENSE else found


def weighted_sum(weights: Matrix, matrices: Sequence[Columns]) -> Columns:
    """Return the sum of the matrices (L, k), the rows of each multiplied by its column of weights (L, q)."""
    total = _weighted(weights[:, 0], matrices[0])
    for b in range(1, len(matrices)):
        total = cast("Columns", total + _weighted(weights[:, b], matrices[b]))
    return total


def dense(matrix: Columns) -> Matrix:
    """Return all entries."""
    return matrix if isinstance(matrix, np.ndarray) else np.asarray(matrix.toarray(), dtype=np.float64)


def dense_product(left: Columns, right: Columns) -> Matrix:
    """Return left'right as a dense matrix."""
    return dense(cast("Columns", left.T @ right))


def times(left: Columns, right: Matrix) -> Matrix:
    """Return left right as a dense matrix."""
    return np.asarray(left @ right, dtype=np.float64)


def transposed_times(left: Columns, right: Matrix) -> Matrix:
    """Return left'right as a dense matrix."""
    return np.asarray(left.T @ right, dtype=np.float64)


def _weighted(weights: Vector, matrix: Columns) -> Columns:
    if isinstance(matrix, np.ndarray):
        return weights[:, None] * matrix
    return csr_array(matrix.multiply(weights[:, None]))
