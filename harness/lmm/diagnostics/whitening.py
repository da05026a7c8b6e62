"""Rows in coordinates in which the outcomes are uncorrelated, so that the fit is one of ordinary least squares."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from harness.arrays import Codes, Matrix, Tensor, Vector
from harness.lmm.covariance import upper_factor
from harness.lmm.prediction.distribution import Distribution, Loadings, noise_root, outcome_root
from harness.lmm.prediction.occasions import Occasions, batches


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WhiteBlocks:
    """g independent blocks of s rows: `root` W (g, s, s) with W'W = V^-1.

    `X` is W X R^-1 and `residual` W (y - X beta); `rows` (g, s) are places among all rows, `noise` (g, s, s) is Var(e).
    """

    rows: Codes
    root: Tensor
    X: Tensor
    residual: Matrix
    noise: Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class White:
    """All blocks; `triangle` R (p, p) has R'R = X'V^-1 X, so that the X of all blocks together are orthonormal."""

    blocks: tuple[WhiteBlocks, ...]
    triangle: Matrix

    @property
    def inverse_triangle(self) -> Matrix:
        """R^-1 (p, p): coefficients of the orthonormal columns return by it."""
        return np.asarray(solve_triangular(self.triangle, np.eye(len(self.triangle))))


def whiten(distribution: Distribution, at: Occasions) -> White:
    """Return the rows, all of which have an outcome, in uncorrelated coordinates.

    With Zb = F u and Var(e) = N, the complete QR decomposition of [N^-1/2 F; I] has n columns P beyond those of its
    argument, and (I + N^-1/2 F F' N^-1/2)^-1 = P_1 P_1' for their first n rows: a sum where the usual form subtracts.
    """
    block = at.blocks()
    loadings = Loadings(distribution, at, block)
    residual = at.outcome - at.X @ distribution.beta
    found = []
    for (rows,) in batches(block, (at.measured,)):
        (F,) = loadings.of(rows)
        noise = distribution.residual.covariance(at, rows, rows)
        lower = noise_root(distribution, at, rows)
        n, f = F.shape[1:]
        stacked = np.concatenate([lower.solve(F), np.broadcast_to(np.eye(f), (len(F), f, f))], axis=1)
        P = np.linalg.qr(stacked, mode="complete").Q[:, :n, f:]
        root = lower.solve_transposed(P).transpose(0, 2, 1)
        white = (root @ residual[rows][:, :, None])[:, :, 0]
        found.append(WhiteBlocks(rows=rows, root=root, X=root @ at.X[rows], residual=white, noise=noise))
    p = at.X.shape[1]
    triangle = upper_factor(np.concatenate([one.X.reshape(-1, p) for one in found]))
    inverse = solve_triangular(triangle, np.eye(p))
    orthonormal = (
        WhiteBlocks(rows=one.rows, root=one.root, X=one.X @ inverse, residual=one.residual, noise=one.noise)
        for one in found
    )
    return White(blocks=tuple(orthonormal), triangle=triangle)


def cholesky_whitened(distribution: Distribution, at: Occasions) -> Vector:
    """Return L^-1 (y - X beta) (n,), L the lower Cholesky factor of each block's V, rows in their order.

    R: ``resid(m, type = "normalized")`` of nlme's gls and of mmrm; SAS PROC MIXED's VCIRY. Each is a visit's residual
    given those of earlier visits, over its standard deviation; if the model is right they are uncorrelated, variance 1.
    """
    block = at.blocks()
    loadings = Loadings(distribution, at, block)
    residual = at.outcome - at.X @ distribution.beta
    found = np.full(at.n_rows, np.nan)
    for (rows,) in batches(block, (at.measured,)):
        lower = outcome_root(distribution, at, loadings, rows)
        found[rows] = np.linalg.solve(lower, residual[rows][:, :, None])[:, :, 0]
    return found
