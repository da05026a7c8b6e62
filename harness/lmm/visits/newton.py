"""Newton's method on the criterion: with the expected information where it does not curve upwards, and off saddles."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Mask, Matrix, Vector
from harness.lmm.curvature import FLAT, NEGATIVE
from harness.lmm.search import ITERATION_LIMIT, SUFFICIENT, Progress, rounding_of
from harness.lmm.visits.coordinates import Coordinates
from harness.lmm.visits.likelihood import Evaluation, VisitModel, evaluate

# Of what the slope promises, of which a parabola with its minimum there gives a half.
_GOOD = 0.2
_HALVINGS = 40
# Radii are in standard errors.
_FIRST_RADIUS = 3.0
_GROWTH = 3.0
_SHRINKAGE = 4.0
_LEAST_STEP = 1e-9
_BISECTIONS = 60
# After so many steps in a row that the edge of the positive definite covariances cuts short, the way leads there.
_BLOCKED = 6
_PROGRESS = 1e-3
_TINY = 1e-100
# A visit whose variance, given earlier visits, is this share of the largest has nothing left but rounding.
DEGENERATE = 1e-12
_VANISHING = 1e-9
# Of `Evaluation.cancellation`.
LOST = 1e6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Local:
    """The local quadratic of the criterion in x (r,), on the parameters that are `free` (r,): not held at a bound.

    `values` and `axes` are eigenvalues and eigenvectors of the Hessian of the free ones, each divided by its `scale`,
    the root of its information; `gradient` and `expected` are scaled likewise.
    """

    free: Mask
    scale: Vector
    gradient: Vector
    values: Vector
    axes: Matrix
    expected: Matrix
    jacobian: Matrix

    @property
    def sizes(self) -> Vector:
        """The absolute curvatures, none below rounding."""
        return np.asarray(np.maximum(np.abs(self.values), FLAT * np.abs(self.values).max(initial=0.0)))

    @property
    def decrement(self) -> float:
        """Twice by how much the criterion should fall: g' |H|^-1 g."""
        return float(np.sum((self.axes.T @ self.gradient) ** 2 / self.sizes)) if len(self.values) else 0.0

    @property
    def distance(self) -> float:
        """How far the minimum is, in standard errors: sqrt(g' I^-1 g) of the log-likelihood."""
        return float(np.sqrt(self.decrement / 2))

    @property
    def gradient_in_standard_errors(self) -> float:
        """The largest gradient of the log-likelihood times the standard error of its parameter."""
        standard_errors = np.sqrt(2 * np.sum(self.axes**2 / self.sizes, axis=1))
        return float(np.abs(self.gradient / 2 * standard_errors).max(initial=0.0))

    @property
    def descending(self) -> bool:
        """Whether some direction curves downwards."""
        return bool(len(self.values) and self.values[0] < -NEGATIVE * np.abs(self.values).max())

    @property
    def flat(self) -> bool:
        """Whether some direction does not curve upwards."""
        return bool(len(self.values) and self.values[0] <= FLAT * np.abs(self.values).max())

    def widened(self, step: Vector) -> Vector:
        """Return a step of the free parameters, scaled, as one of all (r,)."""
        whole = np.zeros(len(self.free))
        whole[self.free] = step / self.scale
        return whole

    @property
    def step(self) -> Vector:
        """Newton's step, scaled, or that with the expected information where the Hessian is not positive."""
        if not self.descending:
            return np.asarray(-self.axes @ ((self.axes.T @ self.gradient) / self.sizes))
        values, axes = np.linalg.eigh(self.expected)
        return np.asarray(-axes @ ((axes.T @ self.gradient) / np.maximum(values, NEGATIVE * values[-1])))

    def step_within(self, radius: float) -> Vector:
        """Return the lowest point of the quadratic within `radius` standard errors, scaled (More & Sorensen 1983)."""
        slopes = self.axes.T @ self.gradient
        floor = max(0.0, -float(self.values[0]))
        low, high = floor, floor + float(np.linalg.norm(slopes)) / radius + FLAT
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            if np.linalg.norm(slopes / np.maximum(self.values + middle, _TINY)) > radius:
                low = middle
            else:
                high = middle
        return np.asarray(-self.axes @ (slopes / np.maximum(self.values + high, _TINY)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Descent:
    """Where the search ended: x in `coordinates`; `finished` unless it ran out of steps or digits."""

    coordinates: Coordinates
    x: Vector
    evaluation: Evaluation
    local: Local
    iterations: int
    finished: bool

    @property
    def vanishing(self) -> bool:
        """Whether some visit of a subject is all but determined by earlier ones: the likelihood may have no bound."""
        return self.evaluation.least_pivot < _VANISHING


def descend(model: VisitModel, coordinates: Coordinates, x: Vector, limit: int = ITERATION_LIMIT) -> Descent:
    """Return the minimum of the criterion that is reached from x (r,), at which every V_k is positive definite."""
    here = _valid(model, coordinates, x)
    if here is None:
        raise ValueError("the search begins where a covariance is not positive definite")
    progress, blocked, finished, iterations, radius = Progress(), 0, False, 0, _FIRST_RADIUS
    local = quadratic(here, coordinates, x)
    while not finished and iterations < limit and blocked < _BLOCKED and not _lost(here):
        iterations += 1
        turned, x = coordinates.pivoted(x)
        if turned is not coordinates:
            coordinates, local = turned, quadratic(here, turned, x)
        progress = progress.after(local.decrement)
        finished = progress.at_the_end(local.decrement, here.value)
        if finished and local.descending:
            moved = _escaped(model, coordinates, x, here, local)
            progress, finished = Progress(), moved is None
        else:
            moved = _searched(model, coordinates, x, here, local, radius)
        if moved is None:
            break
        radius = moved.radius
        blocked = blocked + 1 if moved.blocked and here.value - moved.evaluation.value < _PROGRESS else 0
        x, here = moved.x, moved.evaluation
        local = quadratic(here, coordinates, x)
    return Descent(coordinates=coordinates, x=x, evaluation=here, local=local, iterations=iterations, finished=finished)


def _lost(here: Evaluation) -> bool:
    """Whether rounding is about to decide: a covariance is all but singular, or columns of X want another basis."""
    return here.least_pivot <= DEGENERATE or here.cancellation > LOST


def quadratic(here: Evaluation, coordinates: Coordinates, x: Vector) -> Local:
    """Return the local quadratic in x; parameters at their bound whose gradient pushes outwards are not free."""
    first, second = coordinates.derivatives(x, here.gradient)
    gradient = first.T @ here.gradient
    free = ~((x <= coordinates.floor) & (gradient > 0))
    J = first[:, free]
    hessian = J.T @ here.hessian @ J + second[np.ix_(free, free)]
    expected = J.T @ here.expected @ J
    scale = np.sqrt(np.maximum(np.abs(np.diag(hessian)), np.diag(expected)))
    scale = np.where(scale > 0, scale, 1.0)
    values, axes = np.linalg.eigh(hessian / np.outer(scale, scale))
    return Local(
        free=free,
        scale=scale,
        gradient=gradient[free] / scale,
        values=values,
        axes=axes,
        expected=expected / np.outer(scale, scale),
        jacobian=first,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Move:
    """A step that was taken; `blocked` if a longer one would have left the positive definite covariances."""

    x: Vector
    evaluation: Evaluation
    radius: float
    blocked: bool


def _searched(  # noqa: PLR0917
    model: VisitModel, coordinates: Coordinates, x: Vector, here: Evaluation, local: Local, radius: float
) -> _Move | None:
    """Return the first point that is low enough: a full step, or the best of the quadratic within shrinking radii."""
    rounding = rounding_of(here.value, model.n_observations)
    gradient = local.jacobian.T @ here.gradient
    step, invalid = local.step, False
    length = float(np.linalg.norm(step))
    share = _GOOD if local.descending else SUFFICIENT
    if local.descending and length > radius:
        length = radius
        step = local.step_within(length)
    for _ in range(_HALVINGS):
        moved = np.maximum(x + local.widened(step), coordinates.floor)
        there = _valid(model, coordinates, moved)
        if there is None:
            invalid = True
        else:
            fall = -float(gradient @ (moved - x))
            # Below the rounding of the criterion its value decides nothing; Newton's step is better than a comparison.
            if there.value <= here.value - share * fall or local.decrement < rounding:
                growth = _GROWTH if there.value <= here.value - _GOOD * fall else 1.0
                return _Move(x=moved, evaluation=there, radius=growth * max(length, _TINY), blocked=invalid)
        length, share = min(length / _SHRINKAGE, radius), SUFFICIENT
        if length < _LEAST_STEP:
            return None
        step = local.step_within(length)
    return None


def _escaped(model: VisitModel, coordinates: Coordinates, x: Vector, here: Evaluation, local: Local) -> _Move | None:
    """Step off a saddle along its descending direction, either way; None if nothing is lower."""
    direction, length = local.widened(local.axes[:, 0]), _FIRST_RADIUS
    for _ in range(_HALVINGS):
        for sign in (1.0, -1.0):
            moved = np.maximum(x + sign * length * direction, coordinates.floor)
            there = _valid(model, coordinates, moved)
            if there is not None and there.value < here.value:
                return _Move(x=moved, evaluation=there, radius=_FIRST_RADIUS, blocked=False)
        length /= _SHRINKAGE
    return None


def _valid(model: VisitModel, coordinates: Coordinates, x: Vector) -> Evaluation | None:
    gamma = coordinates.gamma(x)
    structure = model.structure
    if structure.search != "factor":
        levels = (gamma[model.level_slice(level)] for level in range(model.n_levels))
        if not all(structure.valid(own) for own in levels):
            return None
    return evaluate(gamma, model)
