"""The fixed part of a design free of units and offsets: an orthonormal basis of X, and what it leaves of y."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from harness.arrays import Matrix, Vector, read_only
from harness.coding.columns import Cells
from harness.lmm.orthonormal import TALL, quick_qr
from harness.lmm.rank import Rank, column_rank


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conditioned:
    """The scaled fixed design free of units: X = Q_x R_x, `D` (n, p + 1) = [Q_x, y - Q_x Q_x'y].

    `triangle` is R_x (p, p), `coefficients` (p,) is Q_x'y; coefficients of Q_x added to it return by R_x^-1.
    """

    D: Matrix
    triangle: Matrix
    coefficients: Vector


def condition(X: Matrix | Cells, y: Vector, roots: Vector | None, *, intercept: bool) -> tuple[Conditioned, Rank]:
    """Return the columns of X that those before them don't determine, made orthonormal, and which they are.

    `roots` (n,) are those of the weights, by which rows are multiplied; `intercept` tells that X begins with ones.
    """
    if isinstance(X, Cells):
        D, triangle, rank = _orthonormal_cells(X, roots)
    else:
        D, triangle, rank = _orthonormal_rows(scaled(X, roots))
    return _projected(D, read_only(triangle), y, roots, intercept=intercept), rank


def reconditioned(old: Conditioned, y: Vector, roots: Vector | None, *, intercept: bool) -> Conditioned:
    """Return the same basis with what it leaves of another y."""
    return _projected(old.D.copy(), old.triangle, y, roots, intercept=intercept)


def scaled(array: Matrix, roots: Vector | None) -> Matrix:
    """Return the array with each row multiplied by its root, the very same without roots."""
    if roots is None:
        return array
    return array * (roots if array.ndim == 1 else roots[:, None])


def _projected(D: Matrix, triangle: Matrix, y: Vector, roots: Vector | None, *, intercept: bool) -> Conditioned:
    # Taking the mean off is exact where y has an offset that dwarfs its spread; projecting it off would not be.
    centre = y.mean() if intercept else 0.0
    Q, residual = D[:, :-1], scaled(y - centre, roots)
    projected = Q.T @ residual
    np.subtract(residual, Q @ projected, out=D[:, -1])
    coefficients = projected + centre * triangle[:, 0] if intercept else projected
    return Conditioned(D=read_only(D), triangle=triangle, coefficients=read_only(coefficients))


def _orthonormal_cells(X: Cells, roots: Vector | None) -> tuple[Matrix, Matrix, Rank]:
    """Return [Q, room for one column], R and the rank; rows of a cell are alike in Q, and R needs only their number."""
    mass = np.bincount(X.of, None if roots is None else roots**2, minlength=len(X.table))
    table = np.sqrt(mass)[:, None] * X.table
    triangle = np.linalg.qr(table).R
    rank = column_rank(triangle)
    if len(rank.dropped):
        triangle = np.linalg.qr(table[:, rank.kept]).R
    solved = np.zeros((len(table), len(rank.kept) + 1))
    solved[:, :-1] = solve_triangular(triangle, X.table[:, rank.kept].T, trans="T", check_finite=False).T
    return scaled(np.take(solved, X.of, axis=0), roots), triangle, rank


def _orthonormal_rows(X: Matrix) -> tuple[Matrix, Matrix, Rank]:
    D, triangle = _decomposed(X)
    rank = column_rank(triangle)
    if len(rank.dropped):
        D, triangle = _decomposed(X[:, rank.kept])
    return D, triangle, rank


def _decomposed(X: Matrix) -> tuple[Matrix, Matrix]:
    """Return [Q, room for one column] and R."""
    n, p = X.shape
    D = np.empty((n, min(n, p) + 1))
    quick = quick_qr(X, out=D[:, :-1]) if n > TALL and p > 0 else None
    if quick is not None:
        return D, quick[1]
    D[:, :-1], triangle = np.linalg.qr(X)
    return D, triangle
