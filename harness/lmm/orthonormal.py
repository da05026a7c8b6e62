"""QR of tall, thin matrices: by Cholesky twice where that is as good as Householder's, and several times faster."""

import numpy as np
from scipy.linalg import solve_triangular

from harness.arrays import Matrix

# With fewer rows there is nothing to be gained.
TALL = 5_000
# Cholesky twice gives an orthonormal Q to rounding while the square of this is far below 1e16.
_WELL_CONDITIONED = 1e5


def quick_qr(X: Matrix, out: Matrix | None = None) -> tuple[Matrix, Matrix] | None:
    """Return Q (n, p), R (p, p) with a positive diagonal, or None where X is ill-conditioned even with equal lengths.

    Q is written to `out` if that is given.

    X = Q R holds row by row to rounding, since rows are solved for, not multiplied by an inverse, where that would
    matter (Yamamoto et al. 2015).
    """
    first = gram_root(X)
    if first is None:
        return None
    Q = np.asarray(solve_triangular(first, X.T, trans="T", check_finite=False).T)
    second = np.asarray(np.linalg.cholesky(Q.T @ Q).T)  # nearly the identity
    return np.matmul(Q, np.linalg.inv(second), out=out), second @ first


def gram_root(X: Matrix) -> Matrix | None:
    """Return R with R'R = X'X, or None where X is ill-conditioned even after its columns are brought to one length."""
    products = X.T @ X
    lengths = np.sqrt(np.diag(products))
    if not lengths.all():
        return None
    try:
        root = np.linalg.cholesky(products / np.outer(lengths, lengths)).T
    except np.linalg.LinAlgError:
        return None
    condition = np.linalg.norm(root) * np.linalg.norm(np.linalg.inv(root))
    return root * lengths if condition < _WELL_CONDITIONED else None
