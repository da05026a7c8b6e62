"""The local quadratic of the criterion: Newton's step, its decrement, and whether there is a minimum at all."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Vector
from harness.lmm.adaptation import statistics_at
from harness.lmm.covariance import Layout
from harness.lmm.design import LmmDesign
from harness.lmm.evaluation import Evaluation, evaluate, pivoted

# Relative to the largest curvature: smaller ones are rounding.
FLAT = 1e-10
NEGATIVE = 1e-8
# Of a curvature along one parameter, relative to the largest of them, which no small difference comes into.
_ROUNDING = 1e-13
# Of the criterion itself, as by a random effect as large as sigma: it is a sum over rows, whose rounding is as much.
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curvature:
    """The eigenvalues (J,) and axes (J, J) of the Hessian in omega, theta = scale omega, with the gradient there.

    In omega (J,) a step of Lambda is measured by the root of Gamma + I: relative to the random effects where they are
    large, to sigma where they are small. Without it a perfect correlation would make a valley of any narrowness.
    `slopes` (J,) is the gradient along the `ways` (J, J), and `sizes` (J,) are the absolute curvatures there, none
    below rounding. Those ways are the axes; where rounding of a large curvature would hide a small one, the axes with
    each omega in a unit of its own.
    """

    values: Vector
    axes: Matrix
    scale: Matrix
    gradient: Vector
    ways: Matrix
    slopes: Vector
    sizes: Vector

    @property
    def step(self) -> Vector:
        """Newton's step in theta; downhill also where the Hessian is indefinite."""
        return np.asarray(-self.scale @ (self.ways @ (self.slopes / self.sizes)))

    @property
    def decrement(self) -> float:
        """Twice by how much the criterion should fall: g' |H|^-1 g."""
        return float(self.slopes**2 @ (1 / self.sizes))

    @property
    def descending(self) -> bool:
        """Whether some direction curves downwards."""
        return bool(self.values[0] < -max(NEGATIVE * np.abs(self.values).max(), _NOTHING))

    @property
    def flat(self) -> bool:
        """Whether some direction does not curve upwards."""
        return bool(self.values[0] <= max(FLAT * np.abs(self.values).max(), _NOTHING))

    @property
    def descending_direction(self) -> Vector:
        """The direction of the lowest curvature, in theta; the most undetermined one where the criterion is flat."""
        return np.asarray(self.scale @ self.axes[:, 0])

    @property
    def gradient_in_standard_errors(self) -> float:
        """The largest gradient of the log-likelihood times the standard error of its parameter."""
        standard_errors = np.sqrt(2 * np.sum(self.ways**2 / self.sizes, axis=1))
        return float(np.abs(self.gradient / 2 * standard_errors).max())

    @property
    def distance(self) -> float:
        """How far the minimum is, in standard errors: sqrt(g' I^-1 g) of the log-likelihood."""
        return float(np.sqrt(self.decrement / 2))


def curvature(here: Evaluation, Lambda: Matrix, layout: Layout) -> Curvature:
    """Return the local quadratic of the criterion at Lambda."""
    rows, columns = layout.rows, layout.columns
    root = np.linalg.cholesky(Lambda @ Lambda.T + np.eye(len(Lambda)))
    scale = root[rows[:, None], rows] * (columns[:, None] == columns)
    hessian, gradient = scale.T @ here.hessian @ scale, scale.T @ here.gradient
    values, axes = np.linalg.eigh(hessian)
    ways, absolute = axes, np.abs(values)
    if absolute.min() < FLAT * absolute.max() and absolute.max() > _NOTHING:
        own = np.abs(np.diag(hessian))
        units = 1 / np.sqrt(np.maximum(own, _ROUNDING * own.max()))
        curvatures, turned = np.linalg.eigh(units[:, None] * hessian * units)
        ways, absolute = units[:, None] * turned, np.abs(curvatures)
    return Curvature(
        values=values,
        axes=axes,
        scale=scale,
        gradient=gradient,
        ways=ways,
        slopes=ways.T @ gradient,
        sizes=np.maximum(absolute, max(FLAT * absolute.max(), _NOTHING)),
    )


def distance_to_optimum(theta: Vector, design: LmmDesign) -> float:
    """Return sqrt(g' I^-1 g) at theta: how far, in standard errors, a Newton step from there would go.

    g and I are gradient and observed information of the log-likelihood in theta (lme4's order, the user's units), sigma
    and beta profiled out; the distance itself is free of units. It is infinite where the information is not positive:
    on a saddle, such as a false boundary, or beyond the basin of the optimum. Where theta is not determined by the
    covariance (a zero variance before a positive one), the random effects are reordered first.
    """
    statistics, Lambda = pivoted(*statistics_at(theta, design))
    local = curvature(evaluate(Lambda, statistics), Lambda, statistics.layout)
    return float("inf") if local.descending else local.distance
