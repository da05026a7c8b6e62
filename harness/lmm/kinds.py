"""Rows of a matrix that are equal, number by number, found by sorting one number of each row."""

from functools import cache

import numpy as np

from harness.arrays import Codes, Matrix, Vector, read_only

# Any fixed numbers do: equal hashes are compared exactly before two rows are of one kind.
_HASH_SEED = 20150


def kinds_of_rows(rows: Matrix) -> tuple[Codes, Codes]:
    """Return which rows (k,) of a matrix (n, c) are the first of their kind, and the kind (n,) of each row.

    R: ``which(!duplicated(rows))``, in another order.
    """
    hashes = (rows * _hash_weights(rows.shape[1])).sum(axis=1)  # not by BLAS, which may round equal rows differently
    order = np.argsort(hashes, kind="stable")
    new = np.diff(hashes[order], prepend=np.nan) != 0
    first, kind = order[new], np.empty(len(order), dtype=np.int64)
    kind[order] = np.cumsum(new) - 1
    if not np.array_equal(rows[first][kind], rows):  # a collision: two kinds with one hash
        _, first, kind = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return first, kind.reshape(-1)


@cache
def _hash_weights(width: int) -> Vector:
    return read_only(np.random.default_rng(_HASH_SEED).standard_normal(width))
