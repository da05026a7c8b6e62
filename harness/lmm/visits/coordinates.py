"""The coordinates in which the criterion is searched: factors of covariance matrices, roots of variances.

gamma is what users see; x is free, or bounded below by zero. A covariance matrix is searched as L L' with no bound on
the signs of L, so that a singular one is an ordinary minimum; a variance that stands in products with correlations is
searched as a standard deviation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from harness.arrays import Codes, Mask, Matrix, Vector, read_only
from harness.lmm.covariance import lower_triangular, pivot_order
from harness.lmm.visits.likelihood import VisitModel

# Standard deviations and correlations in time do not fall below this, in working units: the criterion can't tell it
# from zero.
FLOOR = 1e-12
# Of the typical gap between times, for a correlation of zero has infinite slopes at fractions of a gap.
LEAST_GAP = 0.1


@cache
def lower_triangle(size: int) -> tuple[Codes, Codes]:
    """Return rows and columns of the lower triangle, by rows."""
    rows, columns = np.tril_indices(size)
    return read_only(rows), read_only(columns)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Factor:
    """A covariance matrix of `size` in gamma[first:], lower triangle by rows, and its factor in x[first:] likewise.

    The factor is that of the matrix with rows in another `order`, in which no leading pivot is small.
    """

    first: int
    size: int
    order: tuple[int, ...]

    @property
    def places(self) -> slice:
        """Where it stands in gamma and x."""
        return slice(self.first, self.first + self.size * (self.size + 1) // 2)

    def triangle(self, x: Vector) -> Matrix:
        """Return the lower triangular factor (size, size), its rows in `order`."""
        L = np.zeros((self.size, self.size))
        L[lower_triangle(self.size)] = x[self.places]
        return L

    def rows(self, x: Vector) -> Matrix:
        """Return a factor (size, size) of the covariance, its rows in the order of gamma."""
        return np.asarray(self.triangle(x)[np.argsort(self.order)])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coordinates:
    """gamma(x) for r parameters: the factors, then `roots` (r,), of which gamma is the square; others are the same.

    `floor` (r,) is the lowest that x may be.
    """

    factors: tuple[Factor, ...]
    roots: Mask
    floor: Vector

    def gamma(self, x: Vector) -> Vector:
        """Return the parameters."""
        gamma = np.where(self.roots, x**2, x)
        for factor in self.factors:
            rows = factor.rows(x)
            gamma[factor.places] = (rows @ rows.T)[lower_triangle(factor.size)]
        return gamma

    def raised(self, gamma: Vector) -> Vector:
        """Return parameters of which zeros that have a floor are at it."""
        floor = np.where(self.roots, self.floor**2, self.floor)
        return np.where((gamma >= 0) & np.isfinite(floor), np.maximum(gamma, floor), gamma)

    def x(self, gamma: Vector) -> Vector:
        """Return the coordinates of parameters whose matrices are positive semidefinite."""
        x = np.where(self.roots, np.sqrt(np.abs(gamma)), gamma)
        for factor in self.factors:
            index = lower_triangle(factor.size)
            matrix = np.zeros((factor.size, factor.size))
            matrix[index] = gamma[factor.places]
            values, axes = np.linalg.eigh(matrix, UPLO="L")
            root = axes * np.sqrt(np.maximum(values, 0.0))
            x[factor.places] = lower_triangular(root[list(factor.order)])[index]
        return np.maximum(x, self.floor)

    def derivatives(self, x: Vector, gradient: Vector) -> tuple[Matrix, Matrix]:
        """Return d gamma/dx (r, r), and sum over gamma of gradient (r,) times d^2 gamma/dx^2 (r, r)."""
        first = np.diag(np.where(self.roots, 2 * x, 1.0))
        second = np.diag(np.where(self.roots, 2 * gradient, 0.0))
        for factor in self.factors:
            i, j = lower_triangle(factor.size)
            row = np.array(factor.order)[i]  # of gamma, that entry (i, j) of the triangle belongs to
            rows = factor.rows(x)
            # d gamma_ab / dL_ik = [a = row i] L_bk + [b = row i] L_ak
            own = (i[:, None] == row) * rows[j][:, j] + (j[:, None] == row) * rows[i][:, j]
            first[factor.places, factor.places] = own
            g = np.zeros((factor.size, factor.size))
            g[i, j] = gradient[factor.places]
            g = g + g.T
            second[factor.places, factor.places] = (j[:, None] == j) * g[row[:, None], row]
        return first, second

    def pivoted(self, x: Vector) -> "tuple[Coordinates, Vector]":
        """Return coordinates in which no factor has a small leading pivot, and x in them.

        Where a leading variance vanishes and a later one does not, the minimum would be a curved valley.
        """
        factors, moved = [], x
        for factor in self.factors:
            L = factor.triangle(x)
            order = pivot_order(L)
            if list(order) != list(range(factor.size)):
                moved = moved.copy() if moved is x else moved
                moved[factor.places] = lower_triangular(L[list(order)])[lower_triangle(factor.size)]
                factor = replace(factor, order=tuple(factor.order[k] for k in order))  # noqa: PLW2901
            factors.append(factor)
        return (self, x) if moved is x else (replace(self, factors=tuple(factors)), moved)


def coordinates(model: VisitModel, blocks: Sequence[int], least_gap: float) -> Coordinates:
    """Return the coordinates of a model whose G has diagonal blocks of these sizes.

    `least_gap` is the shortest distance in time, for a correlation that falls with it.
    """
    structure, r = model.structure, model.n_parameters
    factors, first = [], 0
    for size in blocks:
        factors.append(Factor(first=first, size=size, order=tuple(range(size))))
        first += size * (size + 1) // 2
    roots = np.zeros(r, dtype=bool)
    floor = np.full(r, -np.inf)
    for level in range(model.n_levels):
        own = model.level_slice(level)
        if structure.search == "factor":
            size = structure.n_visits or 0
            factors.append(Factor(first=own.start, size=size, order=tuple(range(size))))
        elif structure.search == "roots":
            roots[own] = structure.variances
            floor[own] = np.where(structure.variances, FLOOR, -np.inf)
        if structure.n_visits is None:
            floor[own.stop - 1] = FLOOR ** (1 / min(1.0, max(least_gap, LEAST_GAP)))
    return Coordinates(factors=tuple(factors), roots=read_only(roots), floor=read_only(floor))


def g_places(blocks: Sequence[int]) -> tuple[Codes, Codes]:
    """Return rows and columns of G's parameters: the lower triangle of each block, by rows."""
    offsets = np.concatenate([[0], np.cumsum(blocks)]).astype(np.int64)
    triangles = [lower_triangle(size) for size in blocks]
    pieces = [(i + offset, j + offset) for (i, j), offset in zip(triangles, offsets, strict=False)]
    rows, columns = (np.concatenate([piece[k] for piece in pieces] or [np.empty(0, dtype=np.int64)]) for k in (0, 1))
    return read_only(rows), read_only(columns)
