"""A direction among parameters, in words."""

import numpy as np

from harness.arrays import Vector
from harness.comparison.verdict import FlatDirection

SMALL = 0.1
"""A parameter that moves by less than this share of the one that moves most is not named."""


def flat_direction(direction: Vector, names: tuple[str, ...], information: float) -> FlatDirection | None:
    """Return the parameters that move along a direction, the one that moves most by 1; None where it is none."""
    if not len(direction) or not np.isfinite(direction).all() or not np.any(direction):
        return None
    shares = direction / direction[np.argmax(np.abs(direction))]
    weights = {name: float(share) for name, share in zip(names, shares, strict=True) if abs(share) >= SMALL}
    return FlatDirection(weights=weights, information=information)
