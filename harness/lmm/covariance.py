"""The relative factor Lambda of the random effects' covariance G = sigma^2 Lambda Lambda' (Bates et al. 2015, 2.2).

No entry is bounded below: the likelihood knows Gamma = Lambda Lambda' only, and the sign of a column is free.
"""

from functools import cache
from typing import cast

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only

# A leading variance below this share of the largest makes the minimum a curved valley in Lambda; then pivot.
PIVOT_SHARE = 0.1


def n_theta(n_random: int, *, correlated: bool) -> int:
    """Return how many entries theta has for q random effects."""
    return n_random * (n_random + 1) // 2 if correlated else n_random


@cache
def theta_entries(n_random: int, *, correlated: bool) -> tuple[Codes, Codes]:
    """Return rows and columns of theta's entries in Lambda: the lower triangle by columns, or the diagonal."""
    if correlated:
        columns, rows = np.triu_indices(n_random)
    else:
        rows = columns = np.arange(n_random)
    return read_only(rows), read_only(columns)


@cache
def directions(n_random: int, *, correlated: bool) -> Tensor:
    """Return E (J, q, q): E_j has a 1 where theta_j stands in Lambda, so that Lambda = sum_j theta_j E_j."""
    rows, columns = theta_entries(n_random, correlated=correlated)
    units = np.zeros((len(rows), n_random, n_random))
    units[np.arange(len(rows)), rows, columns] = 1.0
    return read_only(units)


def relative_factor(theta: Vector, n_random: int, *, correlated: bool = True) -> Matrix:
    """Return Lambda (q, q), lower triangular, from theta in lme4's order: ``getME(m, "Lambda")`` for one subject."""
    rows, columns = theta_entries(n_random, correlated=correlated)
    if np.shape(theta) != rows.shape:
        raise ValueError(f"theta has shape {np.shape(theta)}; expected ({len(rows)},)")
    Lambda = np.zeros((n_random, n_random))
    Lambda[rows, columns] = theta
    return Lambda


def theta_of(Lambda: Matrix, *, correlated: bool = True) -> Vector:
    """Return theta, in lme4's order, of a lower triangular Lambda."""
    return Lambda[theta_entries(len(Lambda), correlated=correlated)]


def gamma_derivatives(Lambda: Matrix, *, correlated: bool) -> Tensor:
    """Return dGamma (J, q, q): E_j Lambda' + Lambda E_j'."""
    half = directions(len(Lambda), correlated=correlated) @ Lambda.T
    return half + half.transpose(0, 2, 1)


def upper_factor(array: Matrix) -> Matrix:
    """Return C (..., q, q), upper triangular, with C'C = array'array, by QR; for a stack of matrices too."""
    return cast("Matrix", np.linalg.qr(array, mode="r"))


def lower_triangular(factor: Matrix) -> Matrix:
    """Return the lower triangular Lambda >= 0 on its diagonal with Lambda Lambda' = factor factor'.

    By QR of the transpose: squaring to Gamma would lose half of the digits of a small variance.
    """
    Lambda = upper_factor(factor.T).T
    signs = np.where(np.diag(Lambda) < 0, -1.0, 1.0)
    return np.tril(Lambda * signs)


def pivot_order(Lambda: Matrix) -> tuple[int, ...]:
    """Return the order of random effects in which no pivot of Gamma is far smaller than a later one.

    The given order is kept as long as each pivot of the Cholesky factorisation is at least a tenth of the largest left.
    """
    left = Lambda @ Lambda.T
    order = list(range(len(Lambda)))
    for j in range(len(order)):
        pivots = np.diag(left)[order[j:]]
        if pivots[0] < PIVOT_SHARE * pivots.max():
            best = j + int(np.argmax(pivots))
            order[j], order[best] = order[best], order[j]
        chosen = order[j]
        if left[chosen, chosen] > 0:
            left = left - np.outer(left[:, chosen], left[chosen]) / left[chosen, chosen]
    return tuple(order)
