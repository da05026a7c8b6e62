"""Newton's method without sign bounds, with pivoting and an escape from saddles.

The criterion depends on Gamma only, so a singular optimum is an ordinary minimum in Lambda and needs no boundary code;
a bound Lambda_ii >= 0 would create false minima instead.
"""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Vector
from harness.lmm.adaptation import LOST, MAGNIFIED, magnification
from harness.lmm.curvature import curvature
from harness.lmm.evaluation import Evaluation, evaluate, pivoted
from harness.lmm.patterns import SufficientStatistics

ITERATION_LIMIT = 200
_DECREMENT = 1e-17
# Where rounding keeps the decrement from that, it is enough that it is small and has stopped to fall; where the
# coordinates magnify rounding, that is the time to leave them.
_NEAR = 1e-10
_NEAR_IF_MAGNIFIED = 1e-3
_STALLS = 4
_ROUNDING = 1e-12
_SUFFICIENT = 1e-4
_HALVINGS = 60
_ESCAPE_STEP = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Descent:
    """Where Newton ended: Lambda in the statistics' coordinates; `finished` unless it ran out of steps or digits."""

    statistics: SufficientStatistics
    Lambda: Matrix
    evaluation: Evaluation
    iterations: int
    finished: bool


def descend(statistics: SufficientStatistics, Lambda: Matrix, limit: int = ITERATION_LIMIT) -> Descent:
    """Return the minimum of the criterion that is reached from Lambda (q, q), in the statistics' coordinates."""
    here = evaluate(Lambda, statistics)
    best, stalled, finished, iterations = np.inf, 0, False, 0
    while not finished and iterations < limit:
        magnified = magnification(here, Lambda, statistics)
        if magnified >= LOST:
            break
        iterations += 1
        turned, Lambda = pivoted(statistics, Lambda)
        if turned is not statistics:
            statistics, here = turned, evaluate(Lambda, turned)
        local = curvature(here, Lambda, statistics.layout)
        decrement = local.decrement
        rounding = _ROUNDING * max(1.0, abs(here.value), float(statistics.n_observations))
        stalled = stalled + 1 if decrement > best / 2 else 0
        best = min(best, decrement)
        stationary = decrement < _DECREMENT * max(1.0, abs(here.value)) or (
            stalled >= _STALLS and decrement < (_NEAR if magnified < MAGNIFIED else _NEAR_IF_MAGNIFIED)
        )
        if stationary and local.descending:
            escaped = _escape(statistics, Lambda, here, local.descending_direction)
            finished = escaped is None
            Lambda, here = escaped or (Lambda, here)
            best, stalled = np.inf, 0
        else:
            Lambda, here = _line_search(statistics, Lambda, here, (local.step, decrement), rounding)
            finished = stationary
    return Descent(
        statistics=statistics,
        Lambda=Lambda,
        evaluation=here,
        iterations=iterations,
        finished=finished,
    )


def _moved(statistics: SufficientStatistics, Lambda: Matrix, step: Vector) -> tuple[Matrix, Evaluation]:
    moved = Lambda + statistics.layout.factor(step)
    return moved, evaluate(moved, statistics)


def _line_search(
    statistics: SufficientStatistics, Lambda: Matrix, here: Evaluation, newton: tuple[Vector, float], rounding: float
) -> tuple[Matrix, Evaluation]:
    (step, decrement), length = newton, 1.0
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
