"""The distribution of a weighted sum of independent chi-squares with one degree of freedom (Imhof 1961)."""

import numpy as np
from scipy.integrate import quad

from harness.arrays import Vector

_NEGLIGIBLE = 1e-10  # of the largest weight
_ACCURACY = 1e-9
_PIECES = 2000


def upper_tail(x: float, weights: Vector) -> float:
    """Return P(sum_k weights_k Z_k^2 > x), Z standard normal; weights may have both signs.

    R: ``CompQuadForm::imhof(x, lambda)$Qq``. The characteristic function is inverted: with theta(u) =
    (sum atan(w u) - x u) / 2 and rho(u) = prod (1 + w^2 u^2)^(1/4), the tail is 1/2 + 1/pi int sin theta / (u rho) du.
    """
    largest = float(np.abs(weights).max(initial=0.0))
    if largest == 0:
        return float(x < 0)
    w = weights[np.abs(weights) > _NEGLIGIBLE * largest] / largest
    at = x / largest

    def integrand(u: float) -> float:
        if u == 0:
            return float((w.sum() - at) / 2)
        theta = (np.arctan(w * u).sum() - at * u) / 2
        return float(np.sin(theta) / (u * np.exp(np.log1p((w * u) ** 2).sum() / 4)))

    total, first = 0.0, 0.0
    # Piece by piece: about one oscillation at a time, until the envelope has nothing left to add.
    width = 2 * np.pi / max(abs(at), 1.0)
    for _ in range(_PIECES):
        total += quad(integrand, first, first + width, limit=200)[0]
        first += width
        if _beyond(first, w) < _ACCURACY:
            break
    return float(min(max(0.5 + total / np.pi, 0.0), 1.0))


def _beyond(u: float, w: Vector) -> float:
    """Return a bound on what the integral adds beyond u."""
    logarithm = np.log(np.abs(w)).sum() / 2 + len(w) / 2 * np.log(u)
    return float(np.exp(-logarithm) * 2 / len(w))
