"""The way to an optimum on the edge: where the covariance over all visits is singular, though no subject's is.

-2 log-likelihood - mu log|Sigma| has its minimum inside, from which mu is lowered until it does not matter. The barrier
is the log-determinant of a subject who was seen at all visits, counted -mu times, without data.
"""

from dataclasses import replace

import numpy as np

from harness.arrays import Vector, read_only
from harness.lmm.visits.coordinates import Coordinates
from harness.lmm.visits.likelihood import VisitModel
from harness.lmm.visits.newton import Descent, descend
from harness.lmm.visits.statistics import BlockStatistics, CrossProducts

WEIGHTS = (1.0, 1e-1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12)


def barred(model: VisitModel, weight: float) -> VisitModel:
    """Return the model with a barrier on the covariance of each level."""
    N = model.structure.n_visits
    if N is None:
        return model
    c = model.n_fixed + 1
    nothing = CrossProducts(folded=read_only(np.zeros((N * (N + 1) // 2, c * (c + 1) // 2))), n=N, c=c)
    barriers = tuple(
        BlockStatistics(
            level=level,
            entry=read_only(np.arange(N * N).reshape(1, N, N)),
            U=N * N,
            Z=read_only(np.zeros((1, N, model.n_random))),
            rotation=None,
            counts=read_only(np.array([-weight])),
            data=nothing,
        )
        for level in range(model.n_levels)
    )
    return replace(model, blocks=model.blocks + barriers)


def descend_inside(model: VisitModel, coordinates: Coordinates, x: Vector, limit: int) -> Descent:
    """Return the optimum that is reached from x (r,) by way of the barrier, itself on the edge or not."""
    iterations = 0
    for weight in WEIGHTS:
        inside = descend(barred(model, weight), coordinates, x, limit)
        coordinates, x = inside.coordinates, inside.x
        iterations += inside.iterations
    last = descend(model, coordinates, x, limit)
    return replace(last if last.finished else inside, iterations=iterations + last.iterations)
