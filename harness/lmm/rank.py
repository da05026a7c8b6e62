"""Columns that depend on the columns before them, found as R finds them: LINPACK's QR, from left to right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from harness.arrays import Codes, Matrix, Vector

# R's rule: a column whose part orthogonal to the columns kept before it is below this share of its length.
ALIASED = 1e-7
_LISTED = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rank:
    """Which columns of a matrix are kept, and how the others follow from them: X_dropped = X_kept `shares`.

    `kept` (p,) and `dropped` (k,) are column numbers, `shares` is (p, k).
    """

    kept: Codes
    dropped: Codes
    shares: Matrix

    @property
    def null_space(self) -> Matrix:
        """A basis (p + k, k) of the vectors that X sends to zero: l is estimable if l' null_space = 0."""
        basis = np.zeros((len(self.kept) + len(self.dropped), len(self.dropped)))
        basis[self.kept] = -self.shares
        basis[self.dropped, np.arange(len(self.dropped))] = 1.0
        return basis


def full_rank(n_columns: int) -> Rank:
    """Return that all columns are kept."""
    return Rank(kept=np.arange(n_columns), dropped=np.empty(0, dtype=np.int64), shares=np.empty((n_columns, 0)))


def column_rank(triangle: Matrix) -> Rank:
    """Return the rank of X from R (min(n, P), P), the upper triangular factor of its QR without pivoting.

    R's columns have the lengths and angles of X's. R: ``qr(X, tol = 1e-7)$pivot``.
    """
    lengths = np.linalg.norm(triangle, axis=0)
    n_columns = triangle.shape[1]
    if triangle.shape[0] == n_columns and np.all(np.abs(np.diag(triangle)) >= ALIASED * lengths) and lengths.all():
        return full_rank(n_columns)
    kept: list[int] = []
    dropped: list[int] = []
    solved: list[Vector] = []
    basis = np.empty((len(triangle), 0))
    upper = np.zeros((n_columns, n_columns))  # the kept columns in that basis
    for j in range(n_columns):
        column, r = triangle[:, j], len(kept)
        along = basis.T @ column
        rest = column - basis @ along
        again = basis.T @ rest  # twice is enough (Parlett 1980, section 6.9)
        rest -= basis @ again
        length = float(np.linalg.norm(rest))
        if lengths[j] > 0 and length >= ALIASED * lengths[j]:
            upper[:r, r], upper[r, r] = along + again, length
            basis = np.column_stack([basis, rest / length])
            kept.append(j)
        else:
            # By substitution, which no unit of a column disturbs.
            solution = np.asarray(solve_triangular(upper[:r, :r], along + again))
            # What rounding leaves of zero would make every contrast of that column not estimable.
            solved.append(np.where(np.abs(solution) * lengths[kept] > ALIASED * lengths[j], solution, 0.0))
            dropped.append(j)
    shares = np.zeros((len(kept), len(dropped)))
    for k, solution in enumerate(solved):
        shares[: len(solution), k] = solution
    return Rank(kept=np.array(kept, dtype=np.int64), dropped=np.array(dropped, dtype=np.int64), shares=shares)


def aliases(X: Matrix, rank: Rank, names: Sequence[str]) -> dict[str, str]:
    """Return for each dropped column in words what it is: zero in every row, constant, or determined by others."""
    if not len(rank.dropped):
        return {}
    lengths = np.linalg.norm(X, axis=0)
    found: dict[str, str] = {}
    for k, j in enumerate(rank.dropped.tolist()):
        if lengths[j] == 0:
            found[names[j]] = "zero in every row"
            continue
        weights = np.abs(rank.shares[:, k]) * lengths[rank.kept]
        telling = rank.kept[weights > ALIASED * lengths[j]]
        sources = [names[i] for i in telling.tolist()]
        constant = sources == ["intercept"] and (X[:, j] == X[0, j]).all()
        found[names[j]] = f"constant ({X[0, j]:g})" if constant else f"determined by {_listed(sources)}"
    return found


def _listed(names: Sequence[str]) -> str:
    if len(names) <= _LISTED:
        return " and ".join(names)
    return f"{', '.join(names[:_LISTED])} and {len(names) - _LISTED} others"
