"""The local quadratic of the criterion: Newton's step, its decrement, and whether there is a minimum at all."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Vector
from harness.lmm.covariance import theta_entries
from harness.lmm.design import LmmDesign, recentred
from harness.lmm.deviance import CANCELLATION, Evaluation, evaluate, pivoted, scaled_factor
from harness.lmm.patterns import sufficient_statistics

# Relative to the largest curvature: smaller ones are rounding.
FLAT = 1e-10
NEGATIVE = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curvature:
    """The eigenvalues (J,) and axes (J, J) of the Hessian in theta/scale, with the gradient there.

    `scale` (J,) is 1, or the standard deviation of a random effect relative to sigma where that is larger.
    """

    values: Vector
    axes: Matrix
    scale: Vector
    gradient: Vector

    @property
    def sizes(self) -> Vector:
        """The absolute curvatures, none below rounding."""
        return np.asarray(np.maximum(np.abs(self.values), FLAT * np.abs(self.values).max()))

    @property
    def step(self) -> Vector:
        """Newton's step in theta; downhill also where the Hessian is indefinite."""
        return np.asarray(-self.scale * (self.axes @ ((self.axes.T @ self.gradient) / self.sizes)))

    @property
    def decrement(self) -> float:
        """G' |H|^-1 g: twice by how much the criterion should fall."""
        return float(np.sum((self.axes.T @ self.gradient) ** 2 / self.sizes))

    @property
    def descending(self) -> bool:
        """Whether some direction curves downwards."""
        return bool(self.values[0] < -NEGATIVE * np.abs(self.values).max())

    @property
    def flat(self) -> bool:
        """Whether some direction does not curve upwards."""
        return bool(self.values[0] <= FLAT * np.abs(self.values).max())

    @property
    def descending_direction(self) -> Vector:
        """The direction of the lowest curvature, in theta; the most undetermined one where the criterion is flat."""
        return self.scale * self.axes[:, 0]

    @property
    def gradient_in_standard_errors(self) -> float:
        """The largest gradient of the log-likelihood times the standard error of its parameter."""
        standard_errors = np.sqrt(2 * np.sum(self.axes**2 / self.sizes, axis=1))
        return float(np.abs(self.gradient / 2 * standard_errors).max())

    @property
    def distance(self) -> float:
        """How far the minimum is, in standard errors: sqrt(g' I^-1 g) of the log-likelihood."""
        return float(np.sqrt(self.decrement / 2))


def curvature(here: Evaluation, Lambda: Matrix, *, correlated: bool) -> Curvature:
    """Return the local quadratic of the criterion at Lambda."""
    rows, _ = theta_entries(len(Lambda), correlated=correlated)
    scale = np.maximum(1.0, np.linalg.norm(Lambda, axis=1))[rows]
    values, axes = np.linalg.eigh(here.hessian * np.outer(scale, scale))
    return Curvature(values=values, axes=axes, scale=scale, gradient=here.gradient * scale)


def distance_to_optimum(theta: Vector, design: LmmDesign) -> float:
    """Return sqrt(g' I^-1 g) at theta: how far, in standard errors, a Newton step from there would go.

    g and I are gradient and observed information of the log-likelihood in theta (lme4's order, the user's units), sigma
    and beta profiled out; the distance itself is free of units. It is infinite where the information is not positive:
    on a saddle, such as a false boundary, or beyond the basin of the optimum. Where theta is not determined by the
    covariance (a zero variance before a positive one), the random effects are reordered first.
    """
    theta = np.asarray(theta, dtype=float)
    statistics = sufficient_statistics(design)
    here = evaluate(scaled_factor(theta, statistics), statistics)
    if here.cancellation > CANCELLATION:
        statistics = sufficient_statistics(recentred(design, here.beta))
    statistics, Lambda, _ = pivoted(statistics, scaled_factor(theta, statistics))
    local = curvature(evaluate(Lambda, statistics), Lambda, correlated=statistics.correlated)
    return float("inf") if local.descending else local.distance
