"""The profiled criterion, -2 log-likelihood with beta and sigma profiled out, at any theta.

From the sufficient statistics, with exact gradient and Hessian; `harness.lmm.deviance` is the form to read.
"""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Tensor, Vector
from harness.lmm.covariance import (
    lower_triangular,
    n_theta,
    pivot_order,
    theta_entries,
    upper_factor,
)
from harness.lmm.patterns import SufficientStatistics, symmetric_index, upper_triangle
from harness.lmm.spec import Criterion

_ROUNDING = 1e-16


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


def evaluate(Lambda: Matrix, statistics: SufficientStatistics) -> Evaluation:
    """Return the criterion's parts and their exact derivatives at Lambda (q, q), in the statistics' coordinates."""
    J = n_theta(len(Lambda), correlated=statistics.correlated)
    log_det, log_det_1, log_det_2, weights = _pattern_terms(Lambda, statistics)
    folded = weights.reshape(len(weights), -1) @ statistics.T
    folded[0] += statistics.S[upper_triangle(len(statistics.S))]
    M = folded[:, symmetric_index(len(statistics.S))]
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
    J = len(gradient)
    A, A_1, A_2 = M_0[:-1, :-1], M_1[:, :-1, :-1], M_2[:, :, :-1, :-1]
    inverse = _inverse(A)
    v = np.append(-inverse @ M_0[:-1, -1], 1.0)
    if criterion == "REML":
        CA = inverse @ A_1
        value += float(np.linalg.slogdet(A)[1]) - 2 * log_det_fixed
        gradient = gradient + np.trace(CA, axis1=1, axis2=2)
        hessian = hessian + np.tensordot(A_2, inverse, 2) - CA.reshape(J, -1) @ CA.swapaxes(-1, -2).reshape(J, -1).T
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
        residual_2=(M_2 @ v) @ v - 2 * F @ inverse @ F.T,
        beta=-v[:-1],
        cross=A,
        inverse=inverse,
        df=df,
        cancellation=largest / residual,
    )


def _inverse(A: Matrix) -> Matrix:
    """Return the inverse, or a very large matrix where rounding has left A singular."""
    try:
        return np.asarray(np.linalg.inv(A))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.inv(A + _ROUNDING * np.trace(A) * np.eye(len(A))))


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


def pivoted(statistics: SufficientStatistics, Lambda: Matrix) -> tuple[SufficientStatistics, Matrix]:
    """Return statistics and Lambda with the random effects in an order in which the minimum is no curved valley.

    Where a leading variance is zero and a later one is not, only Gamma is determined and Newton creeps along; in
    another order it does not. `T` and `S` stay, since H_k needs no triangular R_k.
    """
    order = list(pivot_order(Lambda)) if statistics.correlated else list(range(len(Lambda)))
    if order == list(range(len(Lambda))):
        return statistics, Lambda
    return statistics.reordered(order), lower_triangular(Lambda[order])
