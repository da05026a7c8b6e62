"""The profiled criterion, -2 log-likelihood with beta and sigma profiled out, at any theta.

`profiled_deviance` is the method to read; `evaluate` gives the same number with exact gradient and Hessian from the
sufficient statistics. Both work on D = [Q_x, r] of the conditioned design, X = Q_x R_x and r = y - Q_x Q_x'y, so that
neither the scale of X nor an offset of y costs digits.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from harness.arrays import Matrix, Tensor, Vector
from harness.lmm.covariance import (
    lower_triangular,
    n_theta,
    pivot_order,
    relative_factor,
    theta_entries,
    upper_factor,
)
from harness.lmm.design import LmmDesign, recentred
from harness.lmm.patterns import SufficientStatistics, symmetric_index, upper_triangle

# Beyond this the residual must be taken about better coefficients: it is lost in a difference.
CANCELLATION = 1e4


def profiled_deviance(theta: Vector, design: LmmDesign) -> float:
    """Return -2 log-likelihood (restricted, under REML) at theta, with beta and sigma profiled out.

    All constants are included: n log 2 pi under ML; (n - p) log 2 pi and log|X'V^-1 X|, without -log|X'X|, under REML.
    Equals ``lmer(f, d, REML = r, devFunOnly = TRUE)(theta)``; Bates et al. (2015), section 3.

    Parameters
    ----------
    theta : Vector
        Lower triangle of Lambda by columns (its diagonal for `||`), in the units of the design's Z.
    design : LmmDesign
        n rows, p fixed effects, q random effects a subject.
    """
    Lambda = relative_factor(np.asarray(theta, dtype=float), design.n_random, correlated=design.correlated)
    p, df = design.n_fixed, design.n_observations
    cross, log_det = _whitened(Lambda, design)
    # About the generalised least squares fit the last entry is the residual sum of squares, not a difference.
    beta = np.asarray(np.linalg.solve(cross[:p, :p], cross[:p, p]), dtype=float)
    cross, _ = _whitened(Lambda, recentred(design, beta))
    L = np.linalg.cholesky(cross)  # its last diagonal entry is the root of the penalised residual sum of squares
    if design.criterion == "REML":
        triangle = np.diag(design.conditioned.triangle)
        log_det += 2 * np.log(np.diag(L)[:-1]).sum() + 2 * np.log(np.abs(triangle)).sum()
        df -= p
    return float(log_det + df * (1 + np.log(2 * np.pi * L[-1, -1] ** 2 / df)))


def _whitened(Lambda: Matrix, design: LmmDesign) -> tuple[Matrix, float]:
    """Return D'(V/sigma^2)^-1 D, for D = [Q_x, r], and log|V/sigma^2|."""
    D = design.conditioned.D
    cross, log_det = np.zeros((D.shape[1], D.shape[1])), 0.0
    for rows in design.subject_rows():
        Q, R = np.linalg.qr(design.Z[rows], mode="complete")
        rank = min(R.shape)
        rotated = Q.T @ D[rows]
        # Rotated, V_i/sigma^2 is C'C = I + (R Lambda)(R Lambda)' for the first rows and I for the others.
        C = upper_factor(np.vstack([(R[:rank] @ Lambda).T, np.eye(rank)]))
        seen = solve_triangular(C, rotated[:rank], trans="T")
        cross += seen.T @ seen + rotated[rank:].T @ rotated[rank:]
        log_det += 2 * float(np.log(np.abs(np.diag(C))).sum())
    return cross, log_det


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """The likelihood at one Lambda, with first (J,) and second (J, J) derivatives in theta of its two parts.

    `log_det` is log|V/sigma^2|, plus log|X'(V/sigma^2)^-1 X| under REML; `residual` is the penalised residual sum of
    squares. `beta` and `inverse` are coefficients of Q_x and (Q_x'(V/sigma^2)^-1 Q_x)^-1.
    `cancellation` is how many times larger than `residual` the terms are from which it was computed.
    """

    log_det: float
    log_det_1: Vector
    log_det_2: Matrix
    residual: float
    residual_1: Vector
    residual_2: Matrix
    beta: Vector
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


def evaluate(Lambda: Matrix, statistics: SufficientStatistics) -> Evaluation:
    """Return the criterion's parts and their exact derivatives at Lambda (q, q), in units of `statistics.scale`."""
    J = n_theta(len(Lambda), correlated=statistics.correlated)
    log_det, log_det_1, log_det_2, weights = _pattern_terms(Lambda, statistics)
    folded = weights.reshape(len(weights), -1) @ statistics.T
    folded[0] += statistics.S[upper_triangle(len(statistics.S))]
    M = folded[:, symmetric_index(len(statistics.S))]
    M_0, M_1, M_2 = M[0], M[1 : J + 1], M[J + 1 :][symmetric_index(J)]

    A, A_1, A_2 = M_0[:-1, :-1], M_1[:, :-1, :-1], M_2[:, :, :-1, :-1]
    inverse = np.linalg.inv(A)
    v = np.append(-inverse @ M_0[:-1, -1], 1.0)
    if statistics.criterion == "REML":
        CA = inverse @ A_1
        log_det += float(np.linalg.slogdet(A)[1]) + 2 * statistics.log_det_triangle
        log_det_1 = log_det_1 + np.trace(CA, axis1=1, axis2=2)
        log_det_2 = log_det_2 + np.tensordot(A_2, inverse, 2) - CA.reshape(J, -1) @ CA.swapaxes(-1, -2).reshape(J, -1).T
    Mv = M_1 @ v
    F = Mv[:, :-1]
    residual = float(v @ M_0 @ v)
    return Evaluation(
        log_det=log_det,
        log_det_1=log_det_1,
        log_det_2=log_det_2,
        residual=residual,
        residual_1=Mv @ v,
        residual_2=(M_2 @ v) @ v - 2 * F @ inverse @ F.T,
        beta=-v[:-1],
        inverse=inverse,
        df=statistics.residual_df,
        cancellation=float(M_0[-1, -1]) / residual,
    )


def _pattern_terms(Lambda: Matrix, statistics: SufficientStatistics) -> tuple[float, Vector, Matrix, Tensor]:
    """Return log|V/sigma^2|, its two derivatives, and the weights of T in M, its J first and J(J+1)/2 second ones.

    With A = R Lambda, H = (I + AA')^-1 and theta_j in row r and column s of Lambda, all derivatives are products of
    p_j = (HR)_r and y_j = (HA)_s. A large Lambda stands in no product with a small H, so no digits are lost there.
    """
    R, counts, q = statistics.R, statistics.counts, statistics.n_random
    rows, columns = theta_entries(q, correlated=statistics.correlated)
    one, two = upper_triangle(len(rows))
    A = R @ Lambda
    C = _root_beside_identity(A.transpose(0, 2, 1))  # C'C = I + AA'
    root = np.linalg.inv(C)
    H = root @ root.transpose(0, 2, 1)
    inner = np.linalg.inv(_root_beside_identity(A))
    G = inner @ inner.transpose(0, 2, 1)  # (I + A'A)^-1 = I - A'HA, without the difference
    P = root @ (root.transpose(0, 2, 1) @ R)
    Y = root @ (root.transpose(0, 2, 1) @ A)

    p, y, r = (B.transpose(2, 0, 1)[index] for B, index in ((P, rows), (Y, columns), (R, rows)))  # (J, K, q)
    G_jl = G[:, columns[one], columns[two]].T  # (J(J+1)/2, K), as the three below
    N_jl = np.einsum("jka,jka->jk", r[one], p[two])
    Q_jl = np.einsum("jka,jka->jk", y[one], r[two])
    Q_lj = np.einsum("jka,jka->jk", y[two], r[one])
    first = -p[:, :, :, None] * y[:, :, None, :]
    second = (Q_jl[:, :, None] * p[one] + N_jl[:, :, None] * y[one])[..., None] * y[two][:, :, None, :]
    second += (Q_lj[:, :, None] * y[one] - G_jl[:, :, None] * p[one])[..., None] * p[two][:, :, None, :]
    derivatives = np.concatenate([first, second])

    a, b = upper_triangle(q)
    weights = np.concatenate([H[None, :, a, b], derivatives[:, :, a, b] + derivatives[:, :, b, a]])
    log_det = 2 * float(counts @ np.log(np.abs(np.diagonal(C, axis1=1, axis2=2))).sum(axis=1))
    log_det_1 = 2 * np.einsum("jka,jka->jk", y, r) @ counts
    log_det_2 = 2 * ((G_jl * N_jl - Q_jl * Q_lj) @ counts)[symmetric_index(len(rows))]
    return log_det, log_det_1, log_det_2, weights


def _root_beside_identity(A: Tensor) -> Tensor:
    """Return upper triangular C (K, q, q) with C'C = I + A'A, by QR: forming it would lose the I beside a large A."""
    identity = np.broadcast_to(np.eye(A.shape[-1]), A.shape)
    return upper_factor(np.concatenate([A, identity], axis=1))


def pivoted(statistics: SufficientStatistics, Lambda: Matrix) -> tuple[SufficientStatistics, Matrix, tuple[int, ...]]:
    """Return statistics and Lambda with the random effects in an order in which the minimum is no curved valley.

    Where a leading variance is zero and a later one is not, only Gamma is determined and Newton creeps along; in
    another order it does not. `T` and `S` stay, since H_k needs no triangular R_k.
    """
    order = pivot_order(Lambda) if statistics.correlated else tuple(range(len(Lambda)))
    if order == tuple(range(len(Lambda))):
        return statistics, Lambda, order
    index = list(order)
    return statistics.reordered(index), lower_triangular(Lambda[index]), order


def scaled_factor(theta: Vector, statistics: SufficientStatistics) -> Matrix:
    """Return Lambda in units of the root mean squares of Z's columns, from theta in the user's units."""
    Lambda = relative_factor(theta, statistics.n_random, correlated=statistics.correlated)
    return statistics.scale[:, None] * Lambda
