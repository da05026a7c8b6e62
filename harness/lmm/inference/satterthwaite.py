"""Satterthwaite's degrees of freedom, as lmerTest defines them (Kuznetsova et al. 2017), with exact derivatives."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Tensor, Vector, read_only
from harness.lmm.inference.degrees import FTest, spectrum, wald_ratio
from harness.lmm.inference.parts import SatterthwaiteParts

# Of the Hessian scaled to a unit diagonal; what is below can't be told from a flat direction.
_FLAT = 1e-8
_EQUAL = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Satterthwaite:
    """`covariance` (p, p), its `slopes` (r, p, p) in parameters whose covariance is `spread` (r, r).

    `ignored` counts the directions in which the likelihood does not curve downwards: they carry no uncertainty here.
    """

    covariance: Matrix
    slopes: Tensor
    spread: Matrix
    ignored: int

    def of_rows(self, rows: Matrix) -> Vector:
        """Return 2 v^2 / (g' A g) of each row: v its variance, g the gradient of v. ``contest1D(m, l)$df``."""
        variances = np.einsum("kp,kp->k", rows @ self.covariance, rows)
        gradients = np.einsum("rkp,kp->kr", rows @ self.slopes, rows)
        return _quotient(2 * variances**2, np.einsum("kr,kr->k", gradients @ self.spread, gradients))

    def of_all(self, rows: Matrix, estimates: Vector) -> FTest:
        """Return F on (rank, df2), df2 such that the mean is that of a sum of squared t; ``contestMD(m, L)``.

        The squared t belong to the eigenvectors of the contrasts' covariance, which change when a row of `rows` is
        multiplied: so do, a little, the degrees of freedom, but not F.
        """
        F, rank = wald_ratio(rows, estimates, self.covariance)
        if rank == 0:
            return FTest(F=F, df1=0, df2=float("nan"), scaling=1.0)
        _, axes = np.linalg.eigh(rows @ self.covariance @ rows.T)
        return FTest(F=F, df1=rank, df2=pooled_df(self.of_rows(axes[:, ::-1].T[:rank] @ rows)), scaling=1.0)


def satterthwaite(parts: SatterthwaiteParts) -> Satterthwaite:
    """Return the method from an engine's derivatives.

    The covariance of the parameters is twice the generalised inverse of their Hessian; near-zero and negative
    eigenvalues are left out, judged after scaling to a unit diagonal so that units do not matter.
    """
    spread, ignored = spread_of(parts.hessian)
    return Satterthwaite(covariance=parts.phi, slopes=parts.phi_1, spread=spread, ignored=ignored)


def spread_of(hessian: Matrix) -> tuple[Matrix, int]:
    """Return 2 hessian^+ from its positive eigenvalues, and how many others there are."""
    values, axes = spectrum(hessian)
    kept = values > _FLAT * max(values[-1], 0.0)
    axes = axes[:, kept]
    return read_only(np.asarray(2 * (axes / values[kept]) @ axes.T)), len(values) - int(kept.sum())


def pooled_df(df: Vector) -> float:
    """Return the denominator degrees of freedom of the mean of squared t variables with `df` (k,) each."""
    if len(df) == 1:
        return float(df[0])
    if np.all(np.isfinite(df)) and np.all(np.abs(np.diff(df)) < _EQUAL):
        return float(df.mean())
    if np.any(df <= 2):
        return 2.0
    # E - k in lmerTest's 2E/(E - k), E = sum df/(df - 2), without the difference.
    excess = float(np.sum(2 / (df - 2)))
    return 2 * (len(df) + excess) / excess if excess > 0 else float("inf")


def _quotient(above: Vector, below: Vector) -> Vector:
    """Return above / below; infinity where a variance does not depend on the parameters."""
    return np.divide(above, below, out=np.full_like(above, np.inf), where=below > 0)
