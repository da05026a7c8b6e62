"""The random effects eliminated: first one factor level by level, then all others at once (block Cholesky)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from harness.arrays import Matrix, Tensor
from harness.lmm.covariance import upper_factor
from harness.lmm.crossed.sparse import Columns, dense, dense_product, matrix_of, times, transposed_times, weighted_sum
from harness.lmm.crossed.statistics import Part


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Eliminated:
    """Cross products in the metric of V/sigma^2 = I + Z Gamma Z', Omega its inverse, for one part.

    `log_det` is log|V/sigma^2|, `M` (c, c) = D'Omega D. With Omega_1 = (I + Z_1 Gamma_1 Z_1')^-1: `N` (L, q, q) are the
    blocks of Z_1'Omega_1 Z_1, `E_12` its q rows Z_1'Omega_1 Z_2, each (L, k); with E_22 = Z_2'Omega_1 Z_2, `G`
    (k, k) has G'G = Lambda_2 (I + Lambda_2'E_22 Lambda_2)^-1 Lambda_2', `B` (k, k) is I - G'G E_22 and `P_22` (k, k)
    is Z_2'Omega Z_2. `F_1` (q, L, c) and `F_2` (k, c) are Z'Omega D.
    """

    log_det: float
    M: Matrix
    N: Tensor
    E_12: tuple[Columns, ...]
    G: Matrix
    B: Matrix
    P_22: Matrix
    F_1: Tensor
    F_2: Matrix


def eliminate(Lambdas: Sequence[Matrix], part: Part) -> Eliminated:
    """Return one part's cross products in the metric of V, at each factor's Lambda (q, q) in working units."""
    root, log_det = _level_roots(Lambdas[0], part)
    effects = range(len(Lambdas[0]))
    HR = root @ (root.transpose(0, 2, 1) @ part.R)
    HU = root @ (root.transpose(0, 2, 1) @ part.U_D)
    E_12 = tuple(weighted_sum(HR[:, :, a], part.U_2) for a in effects)
    seen = [weighted_sum(root[:, :, a], part.U_2) for a in effects]
    Lambda_2 = _spread(Lambdas[1:], part)
    if part.root is None:
        rest = _by_squares(seen, HU, Lambda_2, part)
    else:
        rest = _by_roots(seen, root.transpose(0, 2, 1) @ part.U_D, Lambda_2, part.root)
    E_1D = (HR.transpose(0, 2, 1) @ part.U_D).transpose(1, 0, 2)
    return Eliminated(
        log_det=log_det + rest.log_det,
        M=rest.M,
        N=part.R.transpose(0, 2, 1) @ HR,
        E_12=E_12,
        G=rest.G,
        B=rest.B,
        P_22=rest.P_22,
        F_1=E_1D - np.stack([times(rows, rest.modes) for rows in E_12]),
        F_2=rest.F_2,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rest:
    """What the other factors add; `modes` (k, c) = Gamma_2 F_2."""

    log_det: float
    M: Matrix
    G: Matrix
    B: Matrix
    P_22: Matrix
    F_2: Matrix
    modes: Matrix


def _by_squares(seen: Sequence[Columns], HU: Tensor, Lambda_2: Columns, part: Part) -> _Rest:
    """Eliminate by the Cholesky factor of I + Lambda_2'E_22 Lambda_2."""
    E_22 = part.S_22 + sum(dense_product(rows, rows) for rows in seen)
    E_2D = part.S_2D + sum(transposed_times(U, HU[:, a]) for a, U in enumerate(part.U_2))
    E_DD = part.S_DD + np.tensordot(part.U_D, HU, ((0, 1), (0, 1)))
    L = np.linalg.cholesky(np.eye(len(E_22)) + transposed_times(Lambda_2, transposed_times(Lambda_2, E_22).T))
    G = solve_triangular(L, dense(Lambda_2).T, lower=True)
    X, GE = G @ E_2D, G @ E_22
    modes = G.T @ X
    return _Rest(
        log_det=2 * float(np.log(np.diag(L)).sum()),
        M=E_DD - X.T @ X,
        G=G,
        B=np.eye(len(G)) - G.T @ GE,
        P_22=E_22 - GE.T @ GE,
        F_2=E_2D - E_22 @ modes,
        modes=modes,
    )


def _by_roots(seen: Sequence[Columns], seen_D: Tensor, Lambda_2: Columns, root: Matrix) -> _Rest:
    """Eliminate by QR only: no square is formed and nothing is subtracted from a larger number.

    With C'C = [Z_2 D]'Omega_1 [Z_2 D] and A = C_22 Lambda_2 this is the form of one grouping factor that has one level:
    [Z_2 D]'Omega [Z_2 D] is the square of (I + AA')^-1/2 [C_22 C_2D], and for D also of C_DD.
    """
    k, spread = Lambda_2.shape[0], dense(Lambda_2)
    rows = [np.column_stack([dense(U), seen_D[:, a]]) for a, U in enumerate(seen)]
    C = upper_factor(np.vstack([*rows, root]))
    A = C[:k, :k] @ spread
    outer, inner = (upper_factor(np.vstack([one, np.eye(k)])) for one in (A.T, A))
    W = solve_triangular(outer, C[:k], trans="T")
    P_22, F_2 = W[:, :k].T @ W[:, :k], W[:, :k].T @ W[:, k:]
    through = spread.T @ F_2
    return _Rest(
        log_det=2 * float(np.log(np.abs(np.diag(outer))).sum()),
        M=C[k:, k:].T @ C[k:, k:] + W[:, k:].T @ W[:, k:],
        G=solve_triangular(inner, spread.T, trans="T"),
        B=np.eye(k) - spread @ (spread.T @ P_22),
        P_22=P_22,
        F_2=F_2,
        modes=spread @ through,
    )


def _level_roots(Lambda: Matrix, part: Part) -> tuple[Tensor, float]:
    """Return roots of H_l = (I + R_l Gamma R_l')^-1 = root root' (L, q, q), and the sum of -log|H_l|."""
    A = (part.R @ Lambda).transpose(0, 2, 1)
    # By QR: forming I + AA' would lose the I beside a large A.
    C = upper_factor(np.concatenate([A, np.broadcast_to(np.eye(len(Lambda)), A.shape)], axis=1))
    return np.asarray(np.linalg.inv(C), dtype=np.float64), 2 * float(
        np.log(np.abs(np.diagonal(C, axis1=1, axis2=2))).sum()
    )


def _spread(Lambdas: Sequence[Matrix], part: Part) -> Columns:
    """Return Lambda_2 (k, k) over all levels of all factors but the eliminated one."""
    k = len(part.S_22)
    entries = [
        (np.full(own.shape[1], Lambda[a, b]), own[a], own[b])
        for Lambda, own in zip(Lambdas, part.columns, strict=True)
        for a, b in np.argwhere(Lambda != 0).tolist()
    ]
    return matrix_of(entries, (k, k))
