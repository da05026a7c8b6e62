"""Newton's method without sign bounds, with pivoting and an escape from saddles.

The criterion depends on Gamma only, so a singular optimum is an ordinary minimum in Lambda and needs no boundary code;
a bound Lambda_ii >= 0 would create false minima instead.
"""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Vector
from harness.lmm.covariance import relative_factor, theta_of
from harness.lmm.curvature import Curvature, curvature
from harness.lmm.deviance import CANCELLATION, Evaluation, evaluate, pivoted
from harness.lmm.patterns import SufficientStatistics

ITERATION_LIMIT = 200
_DECREMENT = 1e-17
# Where rounding keeps the decrement from that, it is enough that it is small and has stopped to fall.
_NEAR = 1e-6
_STALLS = 4
_ROUNDING = 1e-12
_SUFFICIENT = 1e-4
_HALVINGS = 60
_ESCAPE_STEP = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Descent:
    """Where Newton ended: Lambda in scaled units, random effects in `order` (indices into the user's)."""

    statistics: SufficientStatistics
    order: tuple[int, ...]
    Lambda: Matrix
    evaluation: Evaluation
    iterations: int
    finished: bool


def descend(statistics: SufficientStatistics, Lambda: Matrix, limit: int = ITERATION_LIMIT) -> Descent:
    """Return the minimum of the criterion that is reached from Lambda (q, q), in scaled units."""
    order = tuple(range(len(Lambda)))
    here = evaluate(Lambda, statistics)
    best, stalled, finished, iterations = np.inf, 0, False, 0
    while not finished and iterations < limit and here.cancellation < CANCELLATION:
        iterations += 1
        turned, Lambda, permutation = pivoted(statistics, Lambda)
        if turned is not statistics:
            statistics, order = turned, tuple(order[k] for k in permutation)
            here = evaluate(Lambda, statistics)
        local = curvature(here, Lambda, correlated=statistics.correlated)
        rounding = _ROUNDING * max(1.0, abs(here.value), float(statistics.n_observations))
        stalled = stalled + 1 if local.decrement > best / 2 else 0
        best = min(best, local.decrement)
        stationary = local.decrement < _DECREMENT * max(1.0, abs(here.value)) or (
            stalled >= _STALLS and local.decrement < _NEAR
        )
        if stationary and local.descending:
            escaped = _escape(statistics, Lambda, here, local.descending_direction)
            finished = escaped is None
            Lambda, here = escaped or (Lambda, here)
            best, stalled = np.inf, 0
        else:
            Lambda, here = _line_search(statistics, Lambda, here, local, rounding)
            finished = stationary
    return Descent(
        statistics=statistics,
        order=order,
        Lambda=Lambda,
        evaluation=here,
        iterations=iterations,
        finished=finished,
    )


def _moved(statistics: SufficientStatistics, Lambda: Matrix, step: Vector) -> tuple[Matrix, Evaluation]:
    theta = theta_of(Lambda, correlated=statistics.correlated) + step
    moved = relative_factor(theta, statistics.n_random, correlated=statistics.correlated)
    return moved, evaluate(moved, statistics)


def _line_search(
    statistics: SufficientStatistics, Lambda: Matrix, here: Evaluation, local: Curvature, rounding: float
) -> tuple[Matrix, Evaluation]:
    step, decrement, length = local.step, local.decrement, 1.0
    while True:
        moved, there = _moved(statistics, Lambda, length * step)
        # Below the rounding of the criterion its value decides nothing; Newton's step is better than a comparison.
        if there.value <= here.value - _SUFFICIENT * length * decrement or length * decrement < rounding:
            return moved, there
        length /= 2


def _escape(
    statistics: SufficientStatistics, Lambda: Matrix, here: Evaluation, direction: Vector
) -> tuple[Matrix, Evaluation] | None:
    """Step off a saddle along its descending direction, both signs of which are equal; None if nothing is lower."""
    length = _ESCAPE_STEP
    for _ in range(_HALVINGS):
        moved, there = _moved(statistics, Lambda, length * direction)
        if there.value < here.value:
            return moved, there
        length /= 2
    return None
