"""The distribution of outcomes that a fit describes: mean X beta, covariance from random effects and residuals.

Of any rows, those of the fit or new ones, and whichever engine made the fit: all of prediction, simulation and
diagnostics asks for nothing else.
"""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector
from harness.errors import Problem, SpecError
from harness.lmm.covariance import upper_factor
from harness.lmm.prediction.occasions import Occasions

# 400 MB.
LARGEST_LOADINGS = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IndependentResidual:
    """Residuals of variance sigma^2 / weight, independent between rows."""

    variance: float

    def covariance(self, at: Occasions, a: Codes, b: Codes) -> Tensor:
        """Return the covariance (g, s, t) of the residuals of rows a (g, s) and b (g, t)."""
        return np.where(a[:, :, None] == b[:, None, :], self.variance / at.weights[a][:, :, None], 0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VisitResidual:
    """Residuals of a subject that covary over v visits; `matrices` (k, v, v) has one matrix a level of a factor."""

    matrices: Tensor

    def covariance(self, at: Occasions, a: Codes, b: Codes) -> Tensor:
        """Return the covariance (g, s, t) of the residuals of rows a (g, s) and b (g, t)."""
        level, visit = at.residual_level[a][:, :, None], at.visit.astype(np.int64)
        return _within_subject(at, a, b) * self.matrices[level, visit[a][:, :, None], visit[b][:, None, :]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContinuousResidual:
    """Residuals of a subject with correlation phi^|s - t| at times s and t; variances and phi (k,), one a level."""

    variances: Vector
    phi: Vector

    def covariance(self, at: Occasions, a: Codes, b: Codes) -> Tensor:
        """Return the covariance (g, s, t) of the residuals of rows a (g, s) and b (g, t)."""
        level = at.residual_level[a][:, :, None]
        lag = np.abs(at.visit[a][:, :, None] - at.visit[b][:, None, :])
        return _within_subject(at, a, b) * self.variances[level] * self.phi[level] ** lag


Residual = IndependentResidual | VisitResidual | ContinuousResidual


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distribution:
    """The outcome of any rows, in the user's units: y = X beta + Zb + e.

    `beta` (p,) and its covariance `vcov` (p, p); `random_cov` has the covariance (q_t, q_t) of each random part, in the
    order of `Occasions.random`.
    """

    beta: Vector
    vcov: Matrix
    random_cov: tuple[Matrix, ...]
    residual: Residual

    @property
    def independent(self) -> bool:
        """Whether residuals are independent, so that two measurements have nothing in common but random effects."""
        return isinstance(self.residual, IndependentResidual)

    def signal_variance(self, at: Occasions) -> Vector:
        """Return Var(Zb) (n,) of each row."""
        total = np.zeros(at.n_rows)
        for part, G in zip(at.random, self.random_cov, strict=True):
            total += np.einsum("ij,jk,ik->i", part.Z, G, part.Z)
        return total

    def residual_variance(self, at: Occasions) -> Vector:
        """Return Var(e) (n,) of each row."""
        rows = np.arange(at.n_rows)[:, None]
        return self.residual.covariance(at, rows, rows)[:, 0, 0]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NoiseRoot:
    """L with LL' = Var(e) of rows (g, s): lower triangular (g, s, s), or None and its diagonal (g, s) is all of it."""

    lower: Tensor | None
    diagonal: Matrix

    def solve(self, right: Tensor) -> Tensor:
        """Return L^-1 times what is on its right (g, s, k)."""
        if self.lower is None:
            return np.asarray(right / self.diagonal[:, :, None])
        return np.asarray(np.linalg.solve(self.lower, right))

    def solve_transposed(self, right: Tensor) -> Tensor:
        """Return L^-T times what is on its right (g, s, k)."""
        if self.lower is None:
            return np.asarray(right / self.diagonal[:, :, None])
        return np.asarray(np.linalg.solve(self.lower.transpose(0, 2, 1), right))

    def times(self, right: Tensor) -> Tensor:
        """Return L times what is on its right (g, s, k)."""
        return np.asarray(right * self.diagonal[:, :, None] if self.lower is None else self.lower @ right)


def noise_root(distribution: Distribution, at: Occasions, rows: Codes) -> NoiseRoot:
    """Return the root of Var(e) of rows (g, s) of g blocks."""
    if isinstance(distribution.residual, IndependentResidual):
        return NoiseRoot(lower=None, diagonal=np.sqrt(distribution.residual.variance / at.weights[rows]))
    lower = np.asarray(np.linalg.cholesky(distribution.residual.covariance(at, rows, rows)), dtype=np.float64)
    return NoiseRoot(lower=lower, diagonal=np.diagonal(lower, axis1=1, axis2=2))


class Loadings:
    """F with Zb = F u in every block, u standard normal: the random effects of all levels that occur in a block.

    V = FF' + Var(e) then has a form in which nothing cancels, however large the random effects are.
    """

    def __init__(self, distribution: Distribution, at: Occasions, block: Codes) -> None:
        self._parts = [
            (part.Z @ _root(G), _place_within(block, part.codes))
            for part, G in zip(at.random, distribution.random_cov, strict=True)
            if len(G)
        ]

    def of(self, *rows: Codes) -> tuple[Tensor, ...]:
        """Return F (g, s, f) of the rows (g, s) of g blocks, one for each argument, in common columns.

        Raises
        ------
        SpecError
            If a block is too large to be held.
        """
        found: list[list[Tensor]] = [[np.zeros((*own.shape, 0))] for own in rows]
        for scaled, place in self._parts:
            n_levels = 1 + max(int(place[own].max(initial=0)) for own in rows)
            width = n_levels * scaled.shape[1]
            if (size := width * max(own.size for own in rows)) > LARGEST_LOADINGS:
                raise SpecError("prediction", [_too_large(size)])
            for collected, own in zip(found, rows, strict=True):
                here = place[own][:, :, None] == np.arange(n_levels)
                collected.append((here[..., None] * scaled[own][:, :, None, :]).reshape(*own.shape, width))
        return tuple(np.concatenate(collected, axis=2) for collected in found)


def outcome_root(distribution: Distribution, at: Occasions, loadings: Loadings, rows: Codes) -> Tensor:
    """Return the lower triangular L (g, s, s) with LL' = V, the covariance of outcomes of rows (g, s) of g blocks.

    By QR of [N^1/2 F]', N = Var(e): forming V would lose a small N beside a large FF'.
    """
    (F,) = loadings.of(rows)
    noise = np.linalg.cholesky(distribution.residual.covariance(at, rows, rows))
    R = upper_factor(np.concatenate([noise, F], axis=2).transpose(0, 2, 1))
    signs = np.where(np.diagonal(R, axis1=1, axis2=2) < 0, -1.0, 1.0)
    return np.asarray((R * signs[:, :, None]).transpose(0, 2, 1))


def _too_large(size: int) -> Problem:
    return Problem(
        found=f"{size} products of rows and random effects that all depend on each other",
        expected=f"at most {LARGEST_LOADINGS}, for they are held at once",
    )


def _root(G: Matrix) -> Matrix:
    """Return L (q, q) with LL' = G, which may be singular; by correlations, so that units cost no digits."""
    sds = np.sqrt(np.diag(G))
    scale = np.where(sds > 0, sds, 1.0)
    values, axes = np.linalg.eigh(G / np.outer(scale, scale))
    return np.asarray(scale[:, None] * axes * np.sqrt(np.maximum(values, 0.0)))


def _place_within(block: Codes, codes: Codes) -> Codes:
    """Return the number (n,) of each row's level among the levels that occur in its block."""
    n_codes = int(codes.max(initial=0)) + 1
    pairs, place = np.unique(block * n_codes + codes, return_inverse=True)
    owners = pairs // n_codes
    return np.asarray((np.arange(len(pairs)) - np.searchsorted(owners, owners))[place.reshape(-1)])


def _within_subject(at: Occasions, a: Codes, b: Codes) -> Tensor:
    """Return 1 / sqrt(w_a w_b) where two rows are of the same subject, else 0."""
    same = at.residual_subject[a][:, :, None] == at.residual_subject[b][:, None, :]
    return np.asarray(same / np.sqrt(at.weights[a][:, :, None] * at.weights[b][:, None, :]))
