"""Sparse matrices of indicator columns: the few operations that the cross products need."""

from collections.abc import Sequence
from typing import TypeAlias, cast

import numpy as np
from scipy.sparse import csr_array

from harness.arrays import Codes, Matrix, Vector

Sparse: TypeAlias = "csr_array[np.float64, tuple[int, int]]"


def sparse(entries: Sequence[tuple[Vector, Codes, Codes]], shape: tuple[int, int]) -> Sparse:
    """Return the matrix with these values in these rows and columns, several lists of them."""
    values = np.concatenate([np.empty(0), *(entry[0] for entry in entries)])
    rows = np.concatenate([np.empty(0, dtype=np.int64), *(entry[1] for entry in entries)])
    columns = np.concatenate([np.empty(0, dtype=np.int64), *(entry[2] for entry in entries)])
    return cast("Sparse", csr_array((values, (rows, columns)), shape=shape))


def weighted_sum(weights: Matrix, matrices: Sequence[Sparse]) -> Sparse:
    """Return the sum of the matrices (L, k), the rows of each multiplied by its column of weights (L, q)."""
    total = csr_array(matrices[0].multiply(weights[:, :1]))
    for b in range(1, len(matrices)):
        total = csr_array(total + matrices[b].multiply(weights[:, b, None]))
    return cast("Sparse", total)


def dense_product(left: Sparse, right: Sparse) -> Matrix:
    """Return left'right as a dense matrix."""
    return np.asarray((left.T @ right).toarray(), dtype=np.float64)


def times(left: Sparse, right: Matrix) -> Matrix:
    """Return left right as a dense matrix."""
    return np.asarray(left @ right, dtype=np.float64)


def transposed_times(left: Sparse, right: Matrix) -> Matrix:
    """Return left'right as a dense matrix."""
    return np.asarray(left.T @ right, dtype=np.float64)
