"""What all methods for degrees of freedom share: rows of contrasts in, an F test out."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from harness.arrays import Matrix, Vector

# lmerTest's: eigenvalues of L vcov L' below this share of the largest belong to redundant rows.
REDUNDANT = float(np.sqrt(np.finfo(float).eps))


@dataclass(frozen=True, slots=True, kw_only=True)
class FTest:
    """An F test: `F` is `scaling` times the Wald statistic divided by its rank `df1`, on (df1, df2)."""

    F: float
    df1: int
    df2: float
    scaling: float


class Degrees(Protocol):
    """A method: the covariance of the working coefficients that it gives, and its degrees of freedom."""

    @property
    def covariance(self) -> Matrix:
        """The covariance (p, p) of the working coefficients."""
        ...

    def of_rows(self, rows: Matrix) -> Vector:
        """Return the degrees of freedom (k,) of each of k contrasts of the working coefficients (k, p)."""
        ...

    def of_all(self, rows: Matrix, estimates: Vector) -> FTest:
        """Return the test that k contrasts (k, p) with estimates (k,) are all zero; redundant ones do not count."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FixedDegrees:
    """The same degrees of freedom for all contrasts: n - p, or infinity for Wald's test."""

    covariance: Matrix
    df: float

    def of_rows(self, rows: Matrix) -> Vector:
        """Return the degrees of freedom (k,)."""
        return np.full(len(rows), self.df)

    def of_all(self, rows: Matrix, estimates: Vector) -> FTest:
        """Return the F test on (rank, df)."""
        F, rank = wald_ratio(rows, estimates, self.covariance)
        return FTest(F=F, df1=rank, df2=self.df, scaling=1.0)


def whitening(rows: Matrix, covariance: Matrix) -> Matrix:
    """Return T (rank, k) with T rows covariance rows' T' = I, free of the units of the rows; zero rows don't count."""
    V = rows @ covariance @ rows.T
    errors = np.sqrt(np.maximum(np.diag(V), 0.0))
    inverse = np.divide(1.0, errors, out=np.zeros_like(errors), where=errors > 0)
    values, axes = np.linalg.eigh(inverse[:, None] * V * inverse)
    kept = values > REDUNDANT * max(values, default=0.0)
    return np.asarray((axes[:, kept] / np.sqrt(values[kept])).T * inverse)


def spectrum(matrix: Matrix) -> tuple[Vector, Matrix]:
    """Return values (r,) and axes (r, r) with matrix^-1 = axes diag(1/values) axes'.

    The values, in ascending order, are the eigenvalues after scaling to a unit diagonal, so that what is negligible
    beside the largest does not depend on units.
    """
    diagonal = np.abs(np.diag(matrix))
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    values, axes = np.linalg.eigh(scale[:, None] * matrix * scale)
    return np.asarray(values), np.asarray(scale[:, None] * axes)


def wald_ratio(rows: Matrix, estimates: Vector, covariance: Matrix) -> tuple[float, int]:
    """Return the Wald statistic of several contrasts divided by their rank, and the rank."""
    white = whitening(rows, covariance) @ estimates
    return (float(white @ white) / len(white), len(white)) if len(white) else (float("nan"), 0)
