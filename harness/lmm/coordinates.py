"""The coordinates in which the likelihood is computed: plain ones of the design, and ones adapted to a fit.

Rounding is magnified where the data's metric V differs much from the identity: a random effect that is a million times
sigma, a column of X that only the random effects see, time around the year 2000. In coordinates that the fit itself
makes orthonormal nothing is left to cancel, provided that the data are carried there exactly (`harness.lmm.rotation`).
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from harness.arrays import Matrix, Vector, read_only
from harness.lmm.covariance import lower_triangular, upper_factor
from harness.lmm.design import LmmDesign

_ROUNDING = 1e-15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Coordinates:
    """Three changes of basis, any of which leaves the model as it is.

    D = [X fixed, y - X origin], so beta = origin + fixed b, with `fixed` (p, p) upper triangular and `origin` (p,);
    Z `random` (q, q) in place of Z, so Lambda = random Lambda_working. Without correlations `random` has one entry in
    each row and column. `adapted` says whether they follow a fit; then the statistics are computed without rounding.
    """

    fixed: Matrix
    origin: Vector
    random: Matrix
    adapted: bool

    @property
    def log_det_fixed(self) -> float:
        """log|det fixed|, exact since the matrix is triangular."""
        return float(np.log(np.abs(np.diag(self.fixed))).sum())

    def reordered(self, order: list[int]) -> "Coordinates":
        """Return the coordinates with the random effects in another order."""
        return Coordinates(
            fixed=self.fixed, origin=self.origin, random=read_only(self.random[:, order]), adapted=self.adapted
        )

    def user_factor(self, Lambda: Matrix, *, correlated: bool) -> Matrix:
        """Return Lambda in the user's units, lower triangular with a diagonal >= 0."""
        return lower_triangular(self.random @ Lambda) if correlated else self._diagonal(np.abs(self.random @ Lambda))

    def working_factor(self, Lambda: Matrix, *, correlated: bool) -> Matrix:
        """Return the user's Lambda in these coordinates, lower triangular."""
        turned = np.asarray(np.linalg.solve(self.random, Lambda), dtype=np.float64)
        if not correlated:
            return self._diagonal(turned)
        return turned if np.array_equal(turned, np.tril(turned)) else lower_triangular(turned)

    @staticmethod
    def _diagonal(permuted: Matrix) -> Matrix:
        """Return the diagonal Lambda with the rows of one that has one entry in each row."""
        return np.diag(permuted.sum(axis=1))


def plain_coordinates(design: LmmDesign) -> Coordinates:
    """Return those of the design: X made orthonormal, the residual of least squares, Z in root mean squares."""
    conditioned = design.conditioned
    return Coordinates(
        fixed=read_only(np.triu(solve_triangular(conditioned.triangle, np.eye(design.n_fixed)))),
        origin=read_only(np.asarray(solve_triangular(conditioned.triangle, conditioned.coefficients))),
        random=read_only(np.diag(1 / np.sqrt(np.mean(design.Z**2, axis=0)))),
        adapted=False,
    )


def adapted_coordinates(
    old: Coordinates, *, beta: Vector, cross: Matrix, spread: Matrix, Lambda: Matrix, correlated: bool
) -> tuple[Coordinates, Matrix]:
    """Return coordinates in which this fit is (almost) orthonormal, and its Lambda there.

    Parameters
    ----------
    beta, cross : (p,), (p, p)
        Coefficients of the fixed columns, and their cross product in the metric of V: the new one is the identity.
    spread : (q, q)
        Upper triangular root of the mean square of Z's rows: the new one is the identity, and the new Lambda diagonal
        with the largest entry first. Without correlations the random effects are put in that order only.
    Lambda : (q, q)
        The relative factor.
    """
    values, axes = np.linalg.eigh(cross)
    roots = np.sqrt(np.maximum(values, _ROUNDING * values[-1]))
    triangle = upper_factor(roots[:, None] * axes.T)
    fixed = np.triu(old.fixed @ solve_triangular(triangle, np.eye(len(beta))))
    if correlated:
        axes, sizes, _ = np.linalg.svd(spread @ Lambda)
        random, turned = old.random @ solve_triangular(spread, axes), np.diag(sizes)
    else:
        order = np.argsort(-np.abs(np.diag(Lambda)), kind="stable")
        random, turned = old.random[:, order], np.diag(np.diag(Lambda)[order])
    new = Coordinates(
        fixed=read_only(fixed),
        origin=read_only(old.origin + old.fixed @ beta),
        random=read_only(random),
        adapted=True,
    )
    return new, turned
