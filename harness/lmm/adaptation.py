"""When the coordinates of a fit cost digits, and better ones."""

import numpy as np

from harness.arrays import Matrix, Vector
from harness.lmm.coordinates import adapted_coordinates
from harness.lmm.covariance import relative_factor
from harness.lmm.design import LmmDesign
from harness.lmm.evaluation import Evaluation, evaluate
from harness.lmm.patterns import SufficientStatistics, sufficient_statistics

# Rounding times this is still below a billionth of the criterion's unit, whatever the panel.
MAGNIFIED = 1e4
# Rounding times this decides where a search goes.
LOST = 1e8
# Rounding of residuals has both signs: the criterion sees little of it.
_OF_RESIDUALS = 0.03
_ROUNDS = 5


def magnification(here: Evaluation, Lambda: Matrix, statistics: SufficientStatistics) -> float:
    """Return by what factor rounding grows on its way into the criterion at Lambda."""
    condition = float(np.sqrt(np.vdot(here.cross, here.cross) * np.vdot(here.inverse, here.inverse)))
    if statistics.coordinates.adapted:
        # Along these axes a large variance meets nothing that it could cancel.
        return max(here.cancellation, condition, float(np.square(np.tril(Lambda, -1)).max()))
    explained = _OF_RESIDUALS * statistics.coordinates.explained / here.sigma
    return max(here.cancellation, condition, float(np.square(Lambda).max()), statistics.skew**2, explained)


def adapted(
    here: Evaluation, Lambda: Matrix, statistics: SufficientStatistics, design: LmmDesign
) -> tuple[SufficientStatistics, Matrix]:
    """Return the statistics in coordinates that this evaluation makes orthonormal, and its Lambda there."""
    coordinates, turned = adapted_coordinates(
        statistics.coordinates,
        beta=here.beta,
        cross=here.cross,
        spread=statistics.spread,
        Lambda=Lambda,
    )
    return sufficient_statistics(design, coordinates), turned


def statistics_at(theta: Vector, design: LmmDesign) -> tuple[SufficientStatistics, Matrix]:
    """Return statistics that keep their digits at theta (in the user's units), and Lambda in their coordinates."""
    statistics = sufficient_statistics(design)
    factor = relative_factor(np.asarray(theta, dtype=float), design.blocks)
    Lambda = statistics.coordinates.working_factor(factor)
    for _ in range(_ROUNDS):
        here = evaluate(Lambda, statistics)
        if magnification(here, Lambda, statistics) < MAGNIFIED:
            break
        statistics, Lambda = adapted(here, Lambda, statistics, design)
    return statistics, Lambda
