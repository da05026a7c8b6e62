"""What inference needs of a fit with one grouping factor, from its sufficient statistics: n and m do not matter.

With H_k = (I + R_k Gamma R_k')^-1 and Omega_k = H_k/sigma^2 every quantity is a sum of products <weights, T_k> over
patterns, as the likelihood is; there is no finite difference anywhere.
"""

from typing import TYPE_CHECKING

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only
from harness.lmm.covariance import upper_factor
from harness.lmm.evaluation import evaluate
from harness.lmm.inference.parts import KenwardRogerParts, SatterthwaiteParts
from harness.lmm.patterns import SufficientStatistics, symmetric_index, upper_triangle

if TYPE_CHECKING:  # a fit offers these parts as its own methods
    from harness.lmm.fit import LmmFit


def satterthwaite_parts(fit: "LmmFit") -> SatterthwaiteParts:
    """Return the covariance of the fixed effects and its derivatives in (theta, sigma in units of its estimate).

    R: ``m@vcov_beta``, ``m@Jac_list`` and ``m@vcov_varpar`` of lmerTest, there by finite differences in raw units.
    """
    statistics = fit.statistics
    here = evaluate(fit.Lambda, statistics)
    C, variance, J = here.inverse, here.sigma**2, len(here.residual_1)
    A_1 = _cross_derivatives(fit.Lambda, statistics)
    phi_1 = np.empty((J + 1, *C.shape))
    phi_1[:J] = -variance * C @ A_1 @ C
    phi_1[J] = 2 * variance * C
    hessian = np.empty((J + 1, J + 1))
    hessian[:J, :J] = here.log_det_2 + here.residual_2 / variance
    hessian[:J, J] = hessian[J, :J] = -2 * here.residual_1 / variance
    hessian[J, J] = 4 * here.df
    return SatterthwaiteParts(
        fixed=statistics.coordinates.fixed,
        phi=read_only(variance * C),
        phi_1=read_only(phi_1),
        hessian=read_only(hessian),
    )


def kenward_roger_parts(fit: "LmmFit") -> KenwardRogerParts:
    """Return the pieces of Kenward and Roger's adjustment in gamma = (lower triangles of G's blocks, sigma^2).

    G is that of the working random effects, which are a linear change of the user's: V is linear in gamma either way,
    and no result depends on it. Of `Q` only the part that is symmetric in the fixed effects is given, which is all that
    the adjustment sees. R: ``attr(pbkrtest::vcovAdj(m), "P")`` and ``"W"``, which is 2 `expected`^-1.
    """
    statistics = fit.statistics
    rows, columns = gamma_entries(statistics)
    r = len(rows) + 1
    one, two = upper_triangle(r)
    H = _inverse_covariances(fit.Lambda, statistics)
    B = H @ _covariance_derivatives(statistics, rows, columns)  # (r, K, q, q): sigma^2 Omega Delta
    first = B @ H
    second = B[one] @ first[two]
    folded = _folded(np.concatenate([H[None], first, second]), statistics)
    S = statistics.S[upper_triangle(len(statistics.S))]
    folded[[0, r, len(folded) - 1]] += S
    M = folded[:, symmetric_index(len(statistics.S))]
    M_0, M_1, M_2 = M[0], M[1 : r + 1], M[r + 1 :][symmetric_index(r)]

    C = np.linalg.inv(M_0[:-1, :-1])
    v = np.append(-C @ M_0[:-1, -1], 1.0)
    variance = float(v @ M_0 @ v) / statistics.residual_df
    P, Q = M_1[:, :-1, :-1], M_2[:, :, :-1, :-1]
    traces = _traces(B, one, two, statistics)[symmetric_index(r)]
    CP = C @ P
    trace_Q = np.tensordot(Q, C, 2)
    trace_PP = CP.reshape(r, -1) @ CP.swapaxes(-1, -2).reshape(r, -1).T
    Mv = M_1 @ v
    residual_2 = 2 * ((M_2 @ v) @ v - Mv[:, :-1] @ C @ Mv[:, :-1].T) / variance
    return KenwardRogerParts(
        fixed=statistics.coordinates.fixed,
        phi=read_only(variance * C),
        P=read_only(-P / variance**2),
        Q=read_only(Q / variance**3),
        R=None,
        expected=read_only((traces - 2 * trace_Q + trace_PP) / variance**2),
        observed=read_only((residual_2 - traces + 2 * trace_Q - trace_PP) / variance**2),
        parameters=(*(f"G[{a + 1},{b + 1}]" for a, b in zip(rows, columns, strict=True)), "sigma^2"),
    )


def gamma_entries(statistics: SufficientStatistics) -> tuple[Codes, Codes]:
    """Return rows and columns of G's parameters: the lower triangle of each block."""
    return statistics.layout.rows, statistics.layout.columns


def _inverse_covariances(Lambda: Matrix, statistics: SufficientStatistics) -> Tensor:
    """Return H_k (K, q, q), by a root: forming I + AA' would lose the identity beside a large A."""
    A = (statistics.R @ Lambda).transpose(0, 2, 1)
    root = np.linalg.inv(upper_factor(np.concatenate([A, np.broadcast_to(np.eye(A.shape[-1]), A.shape)], axis=1)))
    return root @ root.transpose(0, 2, 1)


def _cross_derivatives(Lambda: Matrix, statistics: SufficientStatistics) -> Tensor:
    """Return the derivatives (J, p, p) in theta of X'(V/sigma^2)^-1 X, X the working columns."""
    rows, columns = statistics.layout.rows, statistics.layout.columns
    H = _inverse_covariances(Lambda, statistics)
    half = (H @ statistics.R)[:, :, rows], (H @ (statistics.R @ Lambda))[:, :, columns]
    products = np.einsum("kaj,kbj->jkab", *half)
    M_1 = _folded(-products - products.swapaxes(-1, -2), statistics)
    return M_1[:, symmetric_index(len(statistics.S))][:, :-1, :-1]


def _covariance_derivatives(statistics: SufficientStatistics, rows: Codes, columns: Codes) -> Tensor:
    """Return Delta (r, K, q, q), the derivatives of sigma^2 I + R_k G R_k' on the rows of U.

    For sigma^2 it is the identity on the rows that are real: min(q, n_k) of them, also where a row of R_k is zero
    because all visits of a subject lie at time 0.
    """
    R, q = statistics.R.transpose(2, 0, 1), statistics.n_random
    products = R[rows][..., :, None] * R[columns][..., None, :]
    products = products + np.where((rows == columns)[:, None, None, None], 0.0, products.swapaxes(-1, -2))
    real = np.arange(q) < statistics.ranks[:, None]
    return np.concatenate([products, (real[:, :, None] * np.eye(q))[None]])


def _folded(weights: Tensor, statistics: SufficientStatistics) -> Matrix:
    """Return upper triangles of <weights, T> summed over patterns; weights count by their symmetric part."""
    a, b = upper_triangle(statistics.n_random)
    symmetric = (weights[..., a, b] + weights[..., b, a]) / 2
    return symmetric.reshape(len(weights), -1) @ statistics.T


def _traces(B: Tensor, one: Codes, two: Codes, statistics: SufficientStatistics) -> Vector:
    """Return sigma^4 tr(V^-1 V_r V^-1 V_s) over all rows of data, for each pair r <= s."""
    inside = np.einsum("jkab,jkba->jk", B[one], B[two]) @ statistics.counts
    inside[-1] += statistics.n_observations - statistics.counts @ statistics.ranks
    return np.asarray(inside)
