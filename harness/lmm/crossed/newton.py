"""Newton's method on the blocks of Lambda: no sign bounds, pivoting within blocks, an escape from saddles.

As with one grouping factor (`harness.lmm.newton`), a variance that is zero is an ordinary minimum of the criterion.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Matrix, Vector
from harness.lmm.covariance import diagonal_blocks, layout, lower_triangular, pivot_order, relative_factor, theta_of
from harness.lmm.crossed.evaluation import evaluate, working_modes
from harness.lmm.crossed.layout import Entries, entries, factors_at
from harness.lmm.crossed.statistics import CrossProducts, adapted
from harness.lmm.curvature import Curvature, curvature
from harness.lmm.evaluation import Evaluation
from harness.lmm.search import ITERATION_LIMIT, Progress, escaped, lowered, rounding_of

# Rounding times this is below 1e-10; by roots, times its square root.
_MAGNIFIED = 3e4
_MAGNIFIED_AGAIN = 1e4
# Multiplications that one pass by QR may take: some seconds.
_AFFORDABLE = 1e10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """A point of the search: theta (J,) in working units, where its entries stand, and the criterion there."""

    theta: Vector
    where: Entries
    cross: CrossProducts
    here: Evaluation

    @property
    def blocks(self) -> tuple[Matrix, ...]:
        """Each block of Lambda, its rows in the order of `where`, lower triangular."""
        sizes = self.cross.layout.sizes
        return diagonal_blocks(relative_factor(self.theta, sizes), sizes)

    @property
    def user_order_blocks(self) -> tuple[Matrix, ...]:
        """Each block of Lambda with its rows in the order of the random effects."""
        return tuple(Lambda[np.argsort(order)] for Lambda, order in zip(self.blocks, self.where.orders, strict=True))

    def moved(self, step: Vector) -> "Place":
        """Return the place one step (J,) away."""
        theta = self.theta + step
        return replace(self, theta=theta, here=evaluate(theta, self.where, self.cross))

    def pivoted(self) -> "Place":
        """Return the same covariances with each block's random effects in an order that makes no curved valley."""
        turns = [pivot_order(Lambda) for Lambda in self.blocks]
        if all(turn == tuple(range(len(turn))) for turn in turns):
            return self
        orders = [tuple(order[k] for k in turn) for order, turn in zip(self.where.orders, turns, strict=True)]
        factors = [lower_triangular(Lambda[list(turn)]) for Lambda, turn in zip(self.blocks, turns, strict=True)]
        theta = np.concatenate([theta_of(factor) for factor in factors])
        return place(theta, entries(self.cross.layout, orders), self.cross)

    def with_digits(self) -> "Place":
        """Return the same place with cross products that keep the digits, where rounding is magnified."""
        rooted = self.cross.parts[0].root is not None
        if self._magnification() < (_MAGNIFIED_AGAIN if rooted else _MAGNIFIED):
            return self
        if sum(len(part.rows) * len(part.S_22) ** 2 for part in self.cross.parts) > _AFFORDABLE:
            return self
        modes = working_modes(factors_at(self.theta, self.where, self.cross.layout), self.here.beta, self.cross)
        return place(self.theta, self.where, adapted(self.cross, self.here, modes))

    def _magnification(self) -> float:
        """Return by what factor rounding grows on its way into the criterion."""
        here, factors = self.here, self.cross.layout.factors
        condition = float(np.sqrt(np.vdot(here.cross, here.cross) * np.vdot(here.inverse, here.inverse)))
        if self.cross.parts[0].root is not None:
            return max(here.cancellation, condition)
        ratios = (
            len(factor.codes) / factor.n_levels * float(np.square(Lambda).max())
            for factor, Lambda in zip(factors, factors_at(self.theta, self.where, self.cross.layout), strict=True)
        )
        return max(*ratios, here.cancellation, condition)

    def curvature(self) -> Curvature:
        """Return the local quadratic of the criterion."""
        sizes = self.cross.layout.sizes
        return curvature(self.here, relative_factor(self.theta, sizes), layout(sizes))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Descent:
    """Where Newton ended; `finished` unless it ran out of steps, or nothing of y was left to be fitted."""

    place: Place
    iterations: int
    finished: bool


def place(theta: Vector, where: Entries, cross: CrossProducts) -> Place:
    """Return a place with its criterion."""
    return Place(theta=theta, where=where, cross=cross, here=evaluate(theta, where, cross))


def descend(start: Place, limit: int = ITERATION_LIMIT) -> Descent:
    """Return the minimum of the criterion that is reached from a place."""
    at, progress = start, Progress()
    for iterations in range(1, limit + 1):
        if at.cross.fits_exactly:
            return Descent(place=at, iterations=iterations - 1, finished=False)
        at = at.with_digits().pivoted()
        local = at.curvature()
        progress = progress.after(local.decrement)
        stationary = progress.at_the_end(local.decrement, at.here.value)
        if stationary and local.descending:
            off_saddle = escaped(_along(at, local.descending_direction), _value, at.here.value)
            if off_saddle is None:
                return Descent(place=at, iterations=iterations, finished=True)
            at, progress = off_saddle, Progress()
            continue
        rounding = rounding_of(at.here.value, at.cross.n_observations)
        at = lowered(_along(at, local.step), _value, at.here.value, local.decrement, rounding)
        if stationary:
            return Descent(place=at, iterations=iterations, finished=True)
    return Descent(place=at, iterations=limit, finished=False)


def _along(at: Place, direction: Vector) -> Callable[[float], Place]:
    """Return what leads from a place to a multiple of a direction (J,)."""
    return lambda length: at.moved(length * direction)


def _value(at: Place) -> float:
    return at.here.value
