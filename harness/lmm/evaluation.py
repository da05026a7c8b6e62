"""The profiled criterion, -2 log-likelihood with beta and sigma profiled out, at any theta.

From the sufficient statistics, with exact gradient and Hessian; `harness.lmm.deviance` is the form to read.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dtrtri

from harness.arrays import Matrix, Tensor, Vector
from harness.lmm.covariance import Layout, lower_triangular, pivot_order
from harness.lmm.patterns import SufficientStatistics, symmetric_index, upper_triangle
from harness.lmm.spec import Criterion
from harness.lmm.stacks import inverse_of_upper, product, root_beside_identity, transposed

_ROUNDING = 1e-16
_CHUNK = 1000  # patterns at a time, whose stacks stay in the cache


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """The likelihood at one Lambda, with first (J,) and second (J, J) derivatives in theta of its two parts.

    `log_det` is log|V/sigma^2|, plus log|X'(V/sigma^2)^-1 X| under REML; `residual` is the penalised residual sum of
    squares. `beta` are coefficients of the columns F = X fixed of D, `cross` is F'(V/sigma^2)^-1 F and `inverse` its
    inverse. `cancellation` is how many times larger than `residual` the terms are from which it was computed.
    """

    log_det: float
    log_det_1: Vector
    log_det_2: Matrix
    residual: float
    residual_1: Vector
    residual_2: Matrix
    beta: Vector
    cross: Matrix
    inverse: Matrix
    df: int
    cancellation: float

    @property
    def value(self) -> float:
        """The criterion."""
        return self.log_det + self.df * float(1 + np.log(2 * np.pi * self.residual / self.df))

    @property
    def gradient(self) -> Vector:
        """Its gradient (J,)."""
        return self.log_det_1 + self.df * self.residual_1 / self.residual

    @property
    def hessian(self) -> Matrix:
        """Its Hessian (J, J)."""
        slope = self.residual_1 / self.residual
        return self.log_det_2 + self.df * (self.residual_2 / self.residual - np.outer(slope, slope))

    @property
    def sigma(self) -> float:
        """The residual standard deviation."""
        return float(np.sqrt(self.residual / self.df))

    @property
    def joint_hessian(self) -> Matrix:
        """The Hessian (J + 1, J + 1) of -2 log-likelihood in theta and sigma, the latter in units of its estimate.

        Beta is profiled out; sigma is at its estimate.
        """
        J, variance = len(self.residual_1), self.sigma**2
        joint = np.empty((J + 1, J + 1))
        joint[:J, :J] = self.log_det_2 + self.residual_2 / variance
        joint[:J, J] = joint[J, :J] = -2 * self.residual_1 / variance
        joint[J, J] = 4 * self.df
        return joint


def evaluate(Lambda: Matrix, statistics: SufficientStatistics) -> Evaluation:
    """Return the criterion's parts and their exact derivatives at Lambda (q, q), in the statistics' coordinates."""
    J, K, c = statistics.layout.n_theta, len(statistics.counts), len(statistics.S)
    rows_of_T = len(statistics.T) // K
    folded = np.zeros((1 + J + J * (J + 1) // 2, statistics.T.shape[1]))
    folded[0] = statistics.S[upper_triangle(c)]
    log_det, log_det_1, log_det_2 = -statistics.log_weights, np.zeros(J), np.zeros((J, J))
    for start in range(0, K, _CHUNK):
        some = slice(start, start + _CHUNK)
        value, gradient, hessian, weights = _pattern_terms(
            Lambda, statistics.layout, statistics.R[some], statistics.counts[some]
        )
        log_det, log_det_1, log_det_2 = log_det + value, log_det_1 + gradient, log_det_2 + hessian
        folded += weights.reshape(len(weights), -1) @ statistics.T[start * rows_of_T : some.stop * rows_of_T]
    M = folded[:, symmetric_index(c)]
    return profiled(
        (M[0], M[1 : J + 1], M[J + 1 :][symmetric_index(J)]),
        (log_det, log_det_1, log_det_2),
        criterion=statistics.criterion,
        log_det_fixed=statistics.coordinates.log_det_fixed,
        df=statistics.residual_df,
    )


def profiled(
    M: tuple[Matrix, Tensor, Tensor],
    log_det: tuple[float, Vector, Matrix],
    *,
    criterion: Criterion,
    log_det_fixed: float,
    df: int,
) -> Evaluation:
    """Return the criterion with beta and sigma profiled out.

    Parameters
    ----------
    M : (c, c), (J, c, c), (J, J, c, c)
        D'(V/sigma^2)^-1 D of D = [X fixed, y - X origin], and its derivatives in theta.
    log_det : float, (J,), (J, J)
        log|V/sigma^2| and its derivatives.
    log_det_fixed
        log|det fixed|, which REML does not see.
    df
        The divisor of sigma^2.
    """
    M_0, M_1, M_2 = M
    value, gradient, hessian = log_det
    J, c = len(gradient), len(M_0)
    A = M_0[:-1, :-1]
    inverse, log_det_cross = _inverse(A)
    v = np.ones(c)
    v[:-1] = -inverse @ M_0[:-1, -1]
    padded = np.zeros((2, c, c))
    padded[0], padded[1, :-1, :-1] = np.outer(v, v), inverse
    quadratic, traces = padded.reshape(2, -1) @ M_2.reshape(J * J, -1).T
    if criterion == "REML":
        CA = inverse @ M_1[:, :-1, :-1]
        value += log_det_cross - 2 * log_det_fixed
        gradient = gradient + np.einsum("jii->j", CA)
        hessian = hessian + traces.reshape(J, J) - CA.reshape(J, -1) @ CA.swapaxes(-1, -2).reshape(J, -1).T
    Mv = M_1 @ v
    F = Mv[:, :-1]
    largest = float(M_0[-1, -1])
    residual = max(float(v @ M_0 @ v), _ROUNDING * largest)
    return Evaluation(
        log_det=value,
        log_det_1=gradient,
        log_det_2=hessian,
        residual=residual,
        residual_1=Mv @ v,
        residual_2=quadratic.reshape(J, J) - 2 * F @ inverse @ F.T,
        beta=-v[:-1],
        cross=A,
        inverse=inverse,
        df=df,
        cancellation=largest / residual,
    )


def _inverse(A: Matrix) -> tuple[Matrix, float]:
    """Return the inverse and log|A|; that of a slightly larger matrix where rounding has left A indefinite."""
    if len(A) == 0:  # every fixed effect is given, as where the only one is profiled
        return A, 0.0
    root, failed = dpotrf(A)
    if failed:
        root, _ = dpotrf(A + _ROUNDING * np.trace(A) * np.eye(len(A)))
    half, _ = dtrtri(root)
    return half @ half.T, 2 * float(np.log(np.abs(np.diag(root))).sum())


def _pattern_terms(
    Lambda: Matrix, layout: Layout, triangles: Tensor, counts: Vector
) -> tuple[float, Vector, Matrix, Tensor]:
    """Return log|V/sigma^2|, its two derivatives, and the weights of T in M, its J first and J(J+1)/2 second ones.

    With A = R Lambda, H = (I + AA')^-1 and theta_j in row r and column s of Lambda, all derivatives are products of
    p_j = (HR)_r and y_j = (HA)_s. A large Lambda stands in no product with a small H, so no digits are lost there.
    """
    rows, columns = layout.rows, layout.columns
    K, J, q = len(counts), layout.n_theta, layout.n_random
    one, two = upper_triangle(J)
    R = np.ascontiguousarray(triangles.transpose(1, 2, 0))  # (q, q, K), as all stacks below
    A = Lambda.T @ R
    C = root_beside_identity(np.concatenate([transposed(A), A], axis=2))  # of I + AA', then of I + A'A
    root = inverse_of_upper(C)
    inverses = product(root, transposed(root))
    H, G = inverses[..., :K], inverses[..., K:]  # G = (I + A'A)^-1 = I - A'HA, without the difference
    root = root[..., :K]
    halves = product(transposed(root), np.concatenate([R, A], axis=1))
    PY, NQ = product(root, halves), product(transposed(halves), halves[:, :q])
    P, Y, N, Q = PY[:, :q], PY[:, q:], NQ[:q], NQ[q:]  # HR, HA, R'HR, A'HR

    N_jl = N[rows[one], rows[two]]  # (J(J+1)/2, K), as the three below
    G_jl = G[columns[one], columns[two]]
    Q_jl = Q[columns[one], rows[two]]
    Q_lj = Q[columns[two], rows[one]]
    p, y = P[:, rows], Y[:, columns]  # (q, J, K)
    p_j, y_j = p[:, one], y[:, one]
    left = np.concatenate([-p, Q_jl * p_j + N_jl * y_j, Q_lj * y_j - G_jl * p_j], axis=1)
    right = np.concatenate([y, y[:, two], p[:, two]], axis=1)

    a, b = upper_triangle(q)
    products = left[a] * right[b] + left[b] * right[a]  # (q(q+1)/2, J + J(J+1), K)
    weights = np.concatenate(
        [H[a, b, None], products[:, :J], products[:, J : J + len(one)] + products[:, J + len(one) :]], axis=1
    )
    log_det = 2 * float(counts @ np.log(np.diagonal(C)[:K]).sum(axis=1))
    log_det_1 = 2 * Q[columns, rows] @ counts
    log_det_2 = 2 * ((G_jl * N_jl - Q_jl * Q_lj) @ counts)[symmetric_index(J)]
    return log_det, log_det_1, log_det_2, weights.transpose(1, 2, 0)


def pivoted(statistics: SufficientStatistics, Lambda: Matrix) -> tuple[SufficientStatistics, Matrix]:
    """Return statistics and Lambda with the random effects in an order in which the minimum is no curved valley.

    Where a leading variance is zero and a later one is not, only Gamma is determined and Newton creeps along; in
    another order it does not. `T` and `S` stay, since H_k needs no triangular R_k.
    """
    order = pivot_order(Lambda, statistics.layout.blocks)
    if order == tuple(range(len(Lambda))):
        return statistics, Lambda
    turned, factor = Lambda[list(order)], np.zeros_like(Lambda)
    for block in statistics.layout.blocks:
        factor[np.ix_(block, block)] = lower_triangular(turned[np.ix_(block, block)])
    return statistics.reordered(order), factor
