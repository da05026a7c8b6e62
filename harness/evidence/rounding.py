"""How many digits of a log-likelihood an engine must lose that computes it from cross products of X and y.

lme4 does. They cost what an outcome far from zero, in units of sigma, random effects that dwarf sigma, and nearly
dependent columns of X take; beyond, a log-likelihood is another number, and not another model.
"""

import numpy as np

from harness.engines import OurLmm
from harness.errors import SpecError
from harness.lmm.elsewhere import estimates_at
from harness.quantities import Point

EPS = float(np.finfo(np.float64).eps)
FACTOR = 100.0
"""Of the bound's own constants, which count operations."""


def rounding_of_cross_products(ours: OurLmm, point: Point) -> float:
    """Return how far off a log-likelihood may be that is computed from X'X, X'y and y'y in doubles; 0 if unknown.

    The residual sum of squares, relative to it, by eps times the condition of (X, y) squared, with y in units of the
    sigma of this point and Z likewise; the log-likelihood n/2 times as much.
    """
    design = ours.result.design
    try:
        with np.errstate(all="ignore"):
            there = estimates_at(np.array(point), design)
            sigma = there.sigma or 1.0
            y = design.scaled.y / sigma
            X = design.scaled.X / np.linalg.norm(design.scaled.X, axis=0)
            spread = sum(float(np.trace(one.cov)) for one in there.random) / sigma**2
            largest = float(np.abs(design.scaled.Z).max()) ** 2
            lost = (1.0 + float(y @ y) / len(y)) * np.linalg.cond(X) ** 2 * (1.0 + spread * largest)
    except (SpecError, ValueError, np.linalg.LinAlgError):
        return 0.0
    return float(FACTOR * EPS * len(y) * lost) if np.isfinite(lost) else 0.0
