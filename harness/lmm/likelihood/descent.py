"""The lowest point of a deviance surface with some coordinates held, by Newton's method."""

from collections.abc import Callable

import numpy as np

from harness.arrays import Codes, Vector
from harness.lmm.likelihood.surface import Local

_LIMIT = 200
# Half the decrement is what the value still exceeds the minimum by. Where rounding keeps it from falling so far, it is
# enough that it is small and has stopped to fall.
_DECREMENT = 1e-14
_NEAR = 1e-11
_STALLS = 3
_ROUNDING = 1e-12
_SUFFICIENT = 1e-4
_FLAT = 1e-10
_NEGATIVE = 1e-8
_LEAST = 1e-16
_HALVINGS = 60
_LONGEST = 2.0
# In log sigma: where it runs so far, the likelihood has no maximum.
_FARTHEST = 50.0


def lowest(at: Callable[[Vector], Local], start: Vector, free: Codes) -> tuple[Local, bool]:
    """Return the minimum over the coordinates `free` that is reached from `start`, and whether it was.

    Steps are Newton's with the absolute curvatures, halved until the deviance falls; a saddle (a random effect that
    starts at zero) is left along the direction that curves downwards.
    """
    here, best, stalled = at(start), np.inf, 0
    for _ in range(_LIMIT):
        curvatures = here.hessian[np.ix_(free, free)]
        diagonal = np.abs(np.diag(curvatures))
        units = 1 / np.sqrt(np.maximum(diagonal, max(_LEAST * diagonal.max(), np.finfo(float).tiny)))
        values, axes = np.linalg.eigh(units[:, None] * curvatures * units)
        largest = float(np.abs(values).max())
        slopes = axes.T @ (units * here.gradient[free])
        shares = slopes / np.maximum(np.abs(values), _FLAT * largest)
        decrement, scale = float(slopes @ shares), max(1.0, abs(here.value))
        stalled = stalled + 1 if decrement > best / 2 else 0
        best = min(best, decrement)
        if decrement < _DECREMENT * scale or (stalled >= _STALLS and decrement < _NEAR * scale):
            if values[0] >= -_NEGATIVE * largest:
                return here, True
            there = _along(at, here, free, units * axes[:, 0])
            if there is None:
                return here, True
            best, stalled = np.inf, 0
        else:
            step = -units * (axes @ shares)
            there = _along(at, here, free, step, decrement=decrement, rounding=_ROUNDING * scale)
            if there is None:
                return here, False
        here = there
        if abs(here.point[-1] - start[-1]) > _FARTHEST:
            break
    return here, False


def _along(
    at: Callable[[Vector], Local],
    here: Local,
    free: Codes,
    step: Vector,
    *,
    decrement: float = 0.0,
    rounding: float = 0.0,
) -> Local | None:
    """Return the first of step, step/2, ... that lowers the deviance enough; None if none does.

    Coordinates are of the order of 1 (sds in units of sigma, angles, log sigma), so a step much beyond that is cut.
    """
    length = float(min(1.0, _LONGEST / np.max(np.abs(step) / (1 + np.abs(here.point[free])), initial=_LONGEST)))
    for _ in range(_HALVINGS):
        point = here.point.copy()
        point[free] += length * step
        there = at(point)
        # Below the rounding of the deviance its value decides nothing: there Newton's step is trusted.
        if there.value < here.value - _SUFFICIENT * length * decrement or length * decrement < rounding:
            return there
        length /= 2
    return None
