"""What inference needs of a fit with one grouping factor, from its sufficient statistics: n and m do not matter.

With H_k = (I + R_k Gamma R_k')^-1 and Omega_k = H_k/sigma^2 every quantity is a sum of products <weights, T_k> over
patterns, as the likelihood is; there is no finite difference anywhere.
"""

from typing import TYPE_CHECKING

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only
from harness.lmm.inference.linear import linear_parts
from harness.lmm.inference.parts import KenwardRogerParts, SatterthwaiteParts
from harness.lmm.patterns import SufficientStatistics, symmetric_index, upper_triangle
from harness.lmm.stacks import inverse_of_upper, product, root_beside_identity, transposed

if TYPE_CHECKING:  # a fit offers these parts as its own methods
    from harness.lmm.fit import LmmFit


def satterthwaite_parts(fit: "LmmFit") -> SatterthwaiteParts:
    """Return the covariance of the fixed effects and its derivatives in (theta, sigma in units of its estimate).

    R: ``m@vcov_beta``, ``m@Jac_list`` and ``m@vcov_varpar`` of lmerTest, there by finite differences in raw units.
    """
    statistics, here = fit.statistics, fit.evaluation
    C, variance, J = here.inverse, here.sigma**2, len(here.residual_1)
    phi_1 = np.empty((J + 1, *C.shape))
    phi_1[:J] = -variance * C @ _cross_derivatives(fit.Lambda, statistics) @ C
    phi_1[J] = 2 * variance * C
    return SatterthwaiteParts(
        fixed=statistics.coordinates.fixed,
        phi=read_only(variance * C),
        phi_1=read_only(phi_1),
        hessian=read_only(here.joint_hessian),
    )


def kenward_roger_parts(fit: "LmmFit") -> KenwardRogerParts:
    """Return the pieces of Kenward and Roger's adjustment in gamma = (lower triangles of G's blocks, sigma^2).

    G is that of the working random effects, which are a linear change of the user's: V is linear in gamma either way,
    and no result depends on it. Of `Q` only the part that is symmetric in the fixed effects is given, which is all that
    the adjustment sees. R: ``attr(pbkrtest::vcovAdj(m), "P")`` and ``"W"``, which is 2 `expected`^-1.
    """
    statistics = fit.statistics
    rows, columns = statistics.layout.rows, statistics.layout.columns
    r = len(rows) + 1
    one, two = upper_triangle(r)
    H = _inverse_covariances(_stacked(statistics), fit.Lambda)[:, :, None]
    B = product(H, _covariance_derivatives(statistics, rows, columns))  # (q, q, r, K): sigma^2 Omega Delta
    first = product(B, H)
    second = product(B[:, :, one], first[:, :, two])
    folded = _folded(np.concatenate([H, first, second], axis=2), statistics)
    folded[[0, r, -1]] += statistics.S[upper_triangle(len(statistics.S))]  # the rows that see sigma^2 only
    M = folded[:, symmetric_index(len(statistics.S))]
    M_0, M_1, M_2 = M[0], M[1 : r + 1], M[r + 1 :][symmetric_index(r)]

    C = np.linalg.inv(M_0[:-1, :-1])
    v = np.append(-C @ M_0[:-1, -1], 1.0)
    variance = float(v @ M_0 @ v) / statistics.residual_df
    traces = _traces(B[:, :, one], B[:, :, two], statistics)[symmetric_index(r)]
    return linear_parts(
        (M_1, M_2, traces),
        inverse=C,
        beta=-v[:-1],
        variance=variance,
        fixed=statistics.coordinates.fixed,
        parameters=(*(f"G[{a + 1},{b + 1}]" for a, b in zip(rows, columns, strict=True)), "sigma^2"),
    )


def _stacked(statistics: SufficientStatistics) -> Tensor:
    """Return R as a stack (q, q, K)."""
    return np.ascontiguousarray(statistics.R.transpose(1, 2, 0))


def _inverse_covariances(R: Tensor, Lambda: Matrix) -> Tensor:
    """Return H (q, q, K), by a root: forming I + AA' would lose the identity beside a large A."""
    root = inverse_of_upper(root_beside_identity(transposed(Lambda.T @ R)))
    return product(root, transposed(root))


def _cross_derivatives(Lambda: Matrix, statistics: SufficientStatistics) -> Tensor:
    """Return the derivatives (J, p, p) in theta of X'(V/sigma^2)^-1 X, X the working columns."""
    R = _stacked(statistics)
    H = _inverse_covariances(R, Lambda)
    rows, columns = statistics.layout.rows, statistics.layout.columns
    M_1 = _folded(-2 * _outer(product(H, R[:, rows]), product(H, (Lambda.T @ R)[:, columns])), statistics)
    return M_1[:, symmetric_index(len(statistics.S))][:, :-1, :-1]


def _covariance_derivatives(statistics: SufficientStatistics, rows: Codes, columns: Codes) -> Tensor:
    """Return Delta (q, q, r, K), the derivatives of sigma^2 I + R_k G R_k' on the rows of U.

    For sigma^2 it is the identity on the rows that are real: min(q, n_k) of them, also where a row of R_k is zero
    because all visits of a subject lie at time 0.
    """
    R, q = _stacked(statistics), statistics.n_random
    products = _outer(R[:, rows], R[:, columns])
    products = products + transposed(products) * (rows != columns)[:, None]
    real = np.eye(q)[:, :, None] * (np.arange(q)[:, None] < statistics.ranks)
    return np.concatenate([products, real[:, :, None]], axis=2)


def _outer(left: Tensor, right: Tensor) -> Tensor:
    """Return the products (q, q, J, K) of columns (q, J, K)."""
    return left[:, None] * right[None]


def _folded(weights: Tensor, statistics: SufficientStatistics) -> Matrix:
    """Return <weights, T> summed over patterns, upper triangles; of weights (q, q, J, K) the symmetric part counts."""
    a, b = upper_triangle(statistics.n_random)
    symmetric = (weights[a, b] + weights[b, a]) / 2
    return symmetric.transpose(1, 2, 0).reshape(weights.shape[2], -1) @ statistics.T


def _traces(left: Tensor, right: Tensor, statistics: SufficientStatistics) -> Vector:
    """Return sigma^4 tr(V^-1 V_r V^-1 V_s) over all rows of data, for each pair r <= s."""
    inside = (left * transposed(right)).sum(axis=(0, 1)) @ statistics.counts
    inside[-1] += statistics.n_observations - statistics.counts @ statistics.ranks
    return np.asarray(inside)
