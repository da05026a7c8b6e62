"""The random effects eliminated: first one factor level by level, then all others at once (block Cholesky)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from harness.arrays import Matrix, Tensor
from harness.lmm.covariance import upper_factor
from harness.lmm.crossed.sparse import Sparse, dense_product, sparse, times, transposed_times, weighted_sum
from harness.lmm.crossed.statistics import Part


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Eliminated:
    """Cross products in the metric of V/sigma^2 = I + Z Gamma Z', Omega its inverse, for one part.

    `log_det` is log|V/sigma^2|, `M` (c, c) = D'Omega D. With Omega_1 = (I + Z_1 Gamma_1 Z_1')^-1: `N` (L, q, q) are the
    blocks of Z_1'Omega_1 Z_1, `E_12` its q rows Z_1'Omega_1 Z_2, each sparse (L, k), `E_22` (k, k) = Z_2'Omega_1 Z_2;
    `G` (k, k) has G'G = Lambda_2 (I + Lambda_2'E_22 Lambda_2)^-1 Lambda_2'. `F_1` (q, L, c) and `F_2` (k, c) are
    Z'Omega D.
    """

    log_det: float
    M: Matrix
    N: Tensor
    E_12: tuple[Sparse, ...]
    E_22: Matrix
    G: Matrix
    F_1: Tensor
    F_2: Matrix


def eliminate(Lambdas: Sequence[Matrix], part: Part) -> Eliminated:
    """Return one part's cross products in the metric of V, at each factor's Lambda (q, q) in working units."""
    root, log_det = _level_roots(Lambdas[0], part)
    q = len(Lambdas[0])
    H = root @ root.transpose(0, 2, 1)
    RH = part.R.transpose(0, 2, 1) @ H
    seen = [weighted_sum(root[:, :, a], part.U_2) for a in range(q)]
    E_12 = tuple(weighted_sum(RH[:, a, :], part.U_2) for a in range(q))
    E_22 = part.S_22 + sum(dense_product(rows, rows) for rows in seen)
    HU = H @ part.U_D
    E_2D = part.S_2D + sum(transposed_times(part.U_2[a], HU[:, a]) for a in range(q))
    E_DD = part.S_DD + np.tensordot(part.U_D, HU, ((0, 1), (0, 1)))

    Lambda_2 = _spread(Lambdas[1:], part)
    L = np.linalg.cholesky(np.eye(len(E_22)) + Lambda_2.T @ (Lambda_2.T @ E_22).T)
    log_det += 2 * float(np.log(np.diag(L)).sum())
    G = solve_triangular(L, Lambda_2.T.toarray(), lower=True)
    X = G @ E_2D
    modes = G.T @ X
    E_1D = (RH @ part.U_D).transpose(1, 0, 2)
    return Eliminated(
        log_det=log_det,
        M=E_DD - X.T @ X,
        N=RH @ part.R,
        E_12=E_12,
        E_22=E_22,
        G=G,
        F_1=E_1D - np.stack([times(rows, modes) for rows in E_12]),
        F_2=E_2D - E_22 @ modes,
    )


def _level_roots(Lambda: Matrix, part: Part) -> tuple[Tensor, float]:
    """Return roots of H_l = (I + R_l Gamma R_l')^-1 = root root' (L, q, q), and the sum of -log|H_l|."""
    A = (part.R @ Lambda).transpose(0, 2, 1)
    # By QR: forming I + AA' would lose the I beside a large A.
    C = upper_factor(np.concatenate([A, np.broadcast_to(np.eye(len(Lambda)), A.shape)], axis=1))
    return np.asarray(np.linalg.inv(C), dtype=np.float64), 2 * float(
        np.log(np.abs(np.diagonal(C, axis1=1, axis2=2))).sum()
    )


def _spread(Lambdas: Sequence[Matrix], part: Part) -> Sparse:
    """Return Lambda_2 (k, k) over all levels of all factors but the eliminated one."""
    k = len(part.S_22)
    entries = [
        (np.full(own.shape[1], Lambda[a, b]), own[a], own[b])
        for Lambda, own in zip(Lambdas, part.columns, strict=True)
        for a, b in np.argwhere(Lambda != 0).tolist()
    ]
    return sparse(entries, (k, k))
