"""Newton's method without sign bounds, with pivoting and an escape from saddles.

The criterion depends on Gamma only, so a singular optimum is an ordinary minimum in Lambda and needs no boundary code;
a bound Lambda_ii >= 0 would create false minima instead.
"""

from collections.abc import Callable
from dataclasses import dataclass

from harness.arrays import Matrix, Vector
from harness.lmm.adaptation import LOST, MAGNIFIED, magnification
from harness.lmm.curvature import curvature
from harness.lmm.evaluation import Evaluation, evaluate, pivoted
from harness.lmm.patterns import SufficientStatistics
from harness.lmm.search import ITERATION_LIMIT, NEAR, Progress, escaped, lowered, rounding_of

# Where the coordinates magnify rounding, so near is the time to leave them.
_NEAR_IF_MAGNIFIED = 1e-3


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
    progress, finished, iterations = Progress(), False, 0
    while not finished and iterations < limit:
        magnified = magnification(here, Lambda, statistics)
        if magnified >= LOST:
            break
        iterations += 1
        turned, Lambda = pivoted(statistics, Lambda)
        if turned is not statistics:
            statistics, here = turned, evaluate(Lambda, turned)
        local = curvature(here, Lambda, statistics.layout)
        progress = progress.after(local.decrement)
        near = NEAR if magnified < MAGNIFIED else _NEAR_IF_MAGNIFIED
        stationary = progress.at_the_end(local.decrement, here.value, near)
        if stationary and local.descending:
            off_saddle = escaped(_along(statistics, Lambda, local.descending_direction), _value, here.value)
            finished = off_saddle is None
            Lambda, here = off_saddle or (Lambda, here)
            progress = Progress()
        else:
            rounding = rounding_of(here.value, statistics.n_observations)
            step = _along(statistics, Lambda, local.step)
            Lambda, here = lowered(step, _value, here.value, local.decrement, rounding)
            finished = stationary
    return Descent(
        statistics=statistics,
        Lambda=Lambda,
        evaluation=here,
        iterations=iterations,
        finished=finished,
    )


def _along(
    statistics: SufficientStatistics, Lambda: Matrix, direction: Vector
) -> Callable[[float], tuple[Matrix, Evaluation]]:
    """Return what leads from Lambda to a multiple of a direction (J,) in theta, with the criterion there."""

    def moved(length: float) -> tuple[Matrix, Evaluation]:
        there = Lambda + statistics.layout.factor(length * direction)
        return there, evaluate(there, statistics)

    return moved


def _value(place: tuple[Matrix, Evaluation]) -> float:
    return place[1].value
