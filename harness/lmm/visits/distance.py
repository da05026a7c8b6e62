"""How far any parameters are from the optimum, for engines whose search ended elsewhere."""

import numpy as np

from harness.arrays import Vector
from harness.lmm.design import LmmDesign
from harness.lmm.visits.likelihood import evaluate
from harness.lmm.visits.model import prepare
from harness.lmm.visits.newton import quadratic

_AT_BOUND = 1e-12


def distance_to_optimum(gamma: Vector, design: LmmDesign) -> float:
    """Return sqrt(g' I^-1 g) at gamma: how far, in standard errors, a Newton step from there would go.

    g and I are gradient and observed information of the log-likelihood in gamma (in the user's units), beta profiled
    out. It is infinite where the information is not positive; NaN where some V_i is not positive definite.
    """
    prepared = prepare(design)
    working = prepared.working_gamma(np.asarray(gamma, dtype=float))
    here = evaluate(working, prepared.model)
    if here is None:
        return float("nan")
    coordinates, x = prepared.coordinates.pivoted(prepared.coordinates.x(working))
    # A correlation of zero comes back from the user's unit of time as a power that is nearly zero.
    x = np.where(x <= coordinates.floor + _AT_BOUND, coordinates.floor, x)
    local = quadratic(here, coordinates, x)
    return float("inf") if local.descending else local.distance
