"""Inverses of many small covariance matrices."""

import numpy as np

from harness.arrays import Tensor

_SWEPT = 5  # up to this size arithmetic on whole stacks beats a call of LAPACK for each matrix


def inverse_and_log_det(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Return the inverses (..., m, m, C) and the logarithms of determinants (..., C) of positive definite matrices.

    Where rounding leaves a pivot (of larger matrices, the determinant) not positive, the log determinant is inf, so
    that no search goes there; the inverse is then of no use.
    """
    if matrices.shape[-2] <= _SWEPT:
        return _sweep(matrices)
    stacked = np.moveaxis(matrices, -1, -3)
    signs, log_det = np.linalg.slogdet(stacked)
    positive = signs > 0
    inverses = np.linalg.inv(np.where(positive[..., None, None], stacked, np.eye(stacked.shape[-1])))
    return np.ascontiguousarray(np.moveaxis(inverses, -3, -1)), np.where(positive, log_det, np.inf)


def _sweep(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Gauss-Jordan elimination; its pivots are the conditional variances of each row given those before it."""
    A = matrices.copy()
    log_det = np.zeros(A.shape[:-3] + A.shape[-1:])
    for a in range(A.shape[-2]):
        pivot = A[..., a, a, :].copy()
        positive = pivot > 0
        pivot = np.where(positive, pivot, 1.0)
        log_det += np.where(positive, np.log(pivot), np.inf)
        row = A[..., a, :, :] / pivot[..., None, :]
        column = A[..., :, a, :].copy()
        A -= column[..., :, None, :] * row[..., None, :, :]
        A[..., a, :, :] = row
        A[..., :, a, :] = column / -pivot[..., None, :]
        A[..., a, a, :] = 1 / pivot
    return A, log_det
