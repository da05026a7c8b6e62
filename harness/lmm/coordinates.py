"""The coordinates in which the likelihood is computed: plain ones of the design, and ones adapted to a fit.

Rounding is magnified where the data's metric V differs much from the identity: a random effect that is a million times
sigma, a column of X that only the random effects see, time around the year 2000. In coordinates that the fit itself
makes orthonormal nothing is left to cancel, provided that the data are carried there exactly (`harness.lmm.rotation`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dtrtri, dtrtrs

from harness.arrays import Matrix, Vector, read_only
from harness.lmm.covariance import Layout, layout, lower_triangular, upper_factor
from harness.lmm.design import LmmDesign

_ROUNDING = 1e-15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coordinates:
    """Three changes of basis, any of which leaves the model as it is.

    D = [X fixed, y - X origin], so beta = origin + fixed b, with `fixed` (p, p) upper triangular and `origin` (p,);
    Z `random` (q, q) in place of Z, so Lambda = random Lambda_working; `layout` says where theta stands in the latter.
    `adapted` says whether they follow a fit; then the statistics are computed without rounding. Else D keeps the
    rounding of what was taken off y, the size of which is `explained`.
    """

    fixed: Matrix
    origin: Vector
    random: Matrix
    layout: Layout
    adapted: bool
    explained: float = 0.0

    @property
    def log_det_fixed(self) -> float:
        """log|det fixed|, exact since the matrix is triangular."""
        return float(np.log(np.abs(np.diag(self.fixed))).sum())

    def reordered(self, order: Sequence[int]) -> "Coordinates":
        """Return the coordinates with the random effects of each block in another order."""
        return replace(self, random=read_only(self.random[:, list(order)]))

    def user_factor(self, Lambda: Matrix) -> Matrix:
        """Return Lambda in the user's units, lower triangular with a diagonal >= 0."""
        turned, factor = np.asarray(self.random @ Lambda), np.zeros_like(Lambda)
        if len(self.layout.blocks) == 1:
            return lower_triangular(turned)
        for own, here in self.layout.sides():
            factor[np.ix_(own, own)] = lower_triangular(turned[np.ix_(own, here)])
        return factor

    def working_factor(self, Lambda: Matrix) -> Matrix:
        """Return the user's Lambda in these coordinates, where each block is lower triangular."""
        turned, factor = np.asarray(np.linalg.solve(self.random, Lambda), dtype=np.float64), np.zeros_like(Lambda)
        for own, here in self.layout.sides():
            block = turned[np.ix_(here, own)]
            triangular = np.array_equal(block, np.tril(block))
            factor[np.ix_(here, here)] = block if triangular else lower_triangular(block)
        return factor


def plain_coordinates(design: LmmDesign) -> Coordinates:
    """Return those of the design: X made orthonormal, the residual of least squares, Z in root mean squares."""
    conditioned = design.conditioned
    origin = dtrtrs(conditioned.triangle, conditioned.coefficients)[0]
    # Of a mean that was taken off exactly nothing is left to be rounded.
    slopes = origin * (np.array(design.fixed_names) != "intercept")
    sizes = np.linalg.norm(conditioned.triangle, axis=0) / np.sqrt(design.n_observations)
    return Coordinates(
        fixed=read_only(np.triu(dtrtri(conditioned.triangle)[0])),
        origin=read_only(origin),
        random=read_only(np.diag(1 / np.sqrt(np.mean(design.scaled.Z**2, axis=0)))),
        layout=layout(design.blocks),
        adapted=False,
        explained=float(sizes @ np.abs(slopes)),
    )


def adapted_coordinates(
    old: Coordinates, *, beta: Vector, cross: Matrix, spread: Matrix, Lambda: Matrix
) -> tuple[Coordinates, Matrix]:
    """Return coordinates in which this fit is (almost) orthonormal, and its Lambda there.

    Parameters
    ----------
    beta, cross : (p,), (p, p)
        Coefficients of the fixed columns, and their cross product in the metric of V: the new one is the identity.
    spread : (q, q)
        Upper triangular root of the mean square of Z's rows: that of each block is the identity in the new coordinates.
    Lambda : (q, q)
        The relative factor; the new one is diagonal, with the largest entry first.
    """
    values, axes = np.linalg.eigh(cross)
    roots = np.sqrt(np.maximum(values, _ROUNDING * values[-1]))
    triangle = upper_factor(roots[:, None] * axes.T)
    fixed = np.triu(old.fixed @ solve_triangular(triangle, np.eye(len(beta))))
    sizes, turn = np.zeros(len(Lambda)), np.zeros_like(Lambda)
    for block in map(list, old.layout.blocks):
        own = upper_factor(spread[:, block])
        axes, sizes[block], _ = np.linalg.svd(own @ Lambda[np.ix_(block, block)])
        turn[np.ix_(block, block)] = solve_triangular(own, axes)
    # A later row of a QR decomposition that dwarfs an earlier one would cost digits.
    order = np.argsort(-sizes, kind="stable").tolist()
    new = Coordinates(
        fixed=read_only(fixed),
        origin=read_only(old.origin + old.fixed @ beta),
        random=read_only((old.random @ turn)[:, order]),
        layout=old.layout.reordered(order),
        adapted=True,
    )
    return new, np.diag(sizes[order])
