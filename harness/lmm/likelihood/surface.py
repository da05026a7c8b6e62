"""The ML deviance as a function of standard deviations, angles and log sigma, the fixed effects profiled out.

All of it from the sufficient statistics, exact with gradient and Hessian: the data are never passed again, not when a
fixed effect is held at a value either, since that only multiplies the statistics by a matrix from the right.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Matrix, Tensor, Vector, read_only
from harness.lmm.covariance import layout, lower_triangular
from harness.lmm.evaluation import evaluate
from harness.lmm.likelihood.spherical import factor, n_angles, spherical
from harness.lmm.patterns import SufficientStatistics, symmetric_index, upper_triangle


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Local:
    """The deviance at a point (k,), with gradient (k,) and Hessian (k, k)."""

    point: Vector
    value: float
    gradient: Vector
    hessian: Matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """The deviance of `statistics`, whose Z is such that the factor of G is `triangle` times theirs.

    A point is (standard deviations / `units`, angles of the blocks, log sigma). The random effects are in the order
    `order` of the user's.
    """

    statistics: SufficientStatistics
    blocks: tuple[int, ...]
    order: tuple[int, ...]
    triangle: Matrix
    units: Vector

    @property
    def size(self) -> int:
        """How many coordinates a point has."""
        return len(self.units) + n_angles(self.blocks) + 1

    def point(self, Lambda: Matrix, sigma: float) -> Vector:
        """Return the coordinates of the relative factor Lambda in the user's units and order."""
        sds, angles = spherical(lower_triangular(sigma * Lambda[list(self.order)]), self.blocks)
        return np.concatenate([sds / self.units, angles, [np.log(sigma)]])

    def relative(self, point: Vector) -> tuple[Matrix, Tensor, Tensor]:
        """Return Lambda (q, q) in the statistics' coordinates, dLambda (k, q, q) and d2Lambda (k, k, q, q)."""
        q, k = len(self.units), self.size
        F, F_1, F_2 = factor(point[:q] * self.units, point[q:-1], self.blocks)
        scale = np.concatenate([self.units, np.ones(k - q - 1)])
        shrink = float(np.exp(-point[-1]))
        turn = shrink * np.linalg.inv(self.triangle)
        Lambda, first, second = turn @ F, np.empty((k, q, q)), np.empty((k, k, q, q))
        first[:-1] = turn @ (scale[:, None, None] * F_1)
        first[-1] = -Lambda
        second[:-1, :-1] = turn @ ((scale[:, None] * scale)[..., None, None] * F_2)
        second[:, -1] = second[-1] = -first
        return Lambda, first, second

    def at(self, point: Vector) -> Local:
        """Return the deviance at a point: log|V/sigma^2| + n log(2 pi sigma^2) + residual/sigma^2."""
        Lambda, first, second = self.relative(point)
        here = evaluate(Lambda, self.statistics)
        rows, columns = self.statistics.layout.rows, self.statistics.layout.columns
        theta_1, theta_2 = first[:, rows, columns], second[..., rows, columns]
        n, share = self.statistics.n_observations, float(np.exp(-2 * point[-1]))
        gradient_theta = here.log_det_1 + share * here.residual_1
        gradient = theta_1 @ gradient_theta
        hessian = theta_1 @ (here.log_det_2 + share * here.residual_2) @ theta_1.T + theta_2 @ gradient_theta
        cross = -2 * share * (theta_1 @ here.residual_1)
        hessian[-1] += cross
        hessian[:, -1] += cross
        gradient[-1] += 2 * n - 2 * share * here.residual
        hessian[-1, -1] += 4 * share * here.residual
        value = here.log_det + share * here.residual + n * float(np.log(2 * np.pi) + 2 * point[-1])
        return Local(point=point, value=value, gradient=gradient, hessian=hessian)


def surface_of(statistics: SufficientStatistics, sigma: float, leading: Sequence[int] = ()) -> Surface:
    """Return the ML surface of statistics; the random effects `leading`, of one block, come first in that block.

    A `sigma` of the right size makes its coordinates free of units. Z is turned by an orthogonal matrix, in which no
    digit is lost, until each block's part of the user's units is lower triangular in the statistics' own.
    """
    q, coordinates = statistics.n_random, statistics.coordinates
    order: list[int] = []
    turn, triangle = np.zeros((q, q)), np.zeros((q, q))
    for own, here in coordinates.layout.sides():
        first = [effect for effect in leading if effect in own]
        rows = first + [effect for effect in own if effect not in first]
        orthogonal, upper = np.linalg.qr(coordinates.random[np.ix_(rows, here)].T)
        turn[np.ix_(here, own)], triangle[np.ix_(own, own)] = orthogonal, upper.T
        order += rows
    blocks = tuple(len(own) for own, _ in coordinates.layout.sides())
    turned = replace(coordinates, random=read_only(coordinates.random @ turn), layout=layout(blocks))
    return Surface(
        statistics=replace(statistics, criterion="ML", R=read_only(statistics.R @ turn), coordinates=turned),
        blocks=blocks,
        order=tuple(order),
        triangle=read_only(triangle),
        units=read_only(sigma * np.abs(np.diag(triangle))),
    )


def apart(statistics: SufficientStatistics, index: int) -> SufficientStatistics:
    """Return the statistics of D = [X fixed N, X fixed h, y - X origin], so that one fixed effect has its own column.

    beta = origin + fixed b, so the effect is its origin + row b, row that of `fixed`: N is orthogonal to the row, and h
    is the shortest b that adds 1 to the effect.
    """
    row = statistics.coordinates.fixed[index]
    p = len(row)
    B = np.eye(p + 1)
    B[:p, : p - 1] = np.linalg.qr(row[:, None], mode="complete")[0][:, 1:]
    B[:p, p - 1] = row / (row @ row)
    T = B.T @ statistics.T[:, symmetric_index(p + 1)] @ B
    rows, columns = upper_triangle(p + 1)
    return replace(statistics, S=read_only(B.T @ statistics.S @ B), T=read_only(T[:, rows, columns]))


def held(apart: SufficientStatistics, shift: float) -> SufficientStatistics:
    """Return the statistics of the model in which the effect set apart is its origin + `shift`: one column fewer.

    Its column, times the shift, is taken off the outcome.
    """
    p = len(apart.S) - 1
    index, (rows, columns) = symmetric_index(p + 1), upper_triangle(p)
    kept = np.array([*range(p - 1), p])
    T = apart.T[:, index[kept[rows], kept[columns]]]
    last = columns == p - 1
    T[:, last] -= shift * apart.T[:, index[kept[rows[last]], p - 1]]
    # The corner lost shift (outcome, column) so far; of the outcome less its shifted column, squared, there is more.
    T[:, -1] += shift * (shift * apart.T[:, index[p - 1, p - 1]] - apart.T[:, index[p - 1, p]])
    B = np.eye(p + 1)[:, kept]
    B[p - 1, -1] = -shift
    return replace(apart, S=read_only(B.T @ apart.S @ B), T=read_only(T))
