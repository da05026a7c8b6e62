"""Stacks of small matrices whose last index runs over the stack, so that every operation runs along memory.

A matrix (a, b, K) is K matrices a x b. For matrices this small LAPACK, called once a matrix, spends its time on calls.
"""

from typing import cast

import numpy as np

from harness.arrays import Tensor


def transposed(A: Tensor) -> Tensor:
    """Return A' (b, a, K)."""
    return A.swapaxes(0, 1)


def product(A: Tensor, B: Tensor) -> Tensor:
    """Return AB (a, c, K) of A (a, b, K) and B (b, c, K)."""
    total = A[:, 0, None] * B[0]
    for j in range(1, len(B)):
        total += A[:, j, None] * B[j]
    return cast("Tensor", total)


def root_beside_identity(A: Tensor) -> Tensor:
    """Return upper triangular C (b, b, K) with a diagonal of at least 1 and C'C = I + A'A.

    The rows of A are rotated into I one after the other: forming I + A'A would lose the I beside a large A.
    """
    size = A.shape[1]
    C = np.zeros((size, *A.shape[1:]))
    C[range(size), range(size)] = 1.0
    last = size - 1
    for row in A:
        left = row
        for j in range(last):
            corner = np.hypot(C[j, j], left[0])
            cosine, sine = C[j, j] / corner, left[0] / corner
            above, below = C[j, j + 1 :], left[1:]
            C[j, j], C[j, j + 1 :], left = corner, cosine * above + sine * below, cosine * below - sine * above
        C[last, last] = np.hypot(C[last, last], left[0])
    return C


def inverse_of_upper(C: Tensor) -> Tensor:
    """Return the inverse (b, b, K) of upper triangular matrices."""
    size = len(C)
    inverse = np.zeros_like(C)
    for j in range(size - 1, -1, -1):
        corner = 1 / C[j, j]
        inverse[j, j] = corner
        if j + 1 < size:
            inverse[j, j + 1 :] = -corner * (C[j, j + 1 :, None] * inverse[j + 1 :, j + 1 :]).sum(axis=0)
    return inverse
