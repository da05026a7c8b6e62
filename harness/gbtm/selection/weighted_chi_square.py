"""The distribution of a weighted sum of independent chi-squares with one degree of freedom (Imhof 1961)."""

import numpy as np

from harness.arrays import Vector

_NEGLIGIBLE = 1e-10  # of the largest weight
_ACCURACY = 1e-9
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(16)
_PIECES = 200  # at a time
_MOST_PIECES = 40_000


def upper_tail(x: float, weights: Vector) -> float:
    """Return P(sum_k weights_k Z_k^2 > x), Z standard normal; weights may have both signs.

    R: ``CompQuadForm::imhof(x, lambda)$Qq``. The characteristic function is inverted: with theta(u) =
    (sum atan(w u) - x u) / 2 and rho(u) = prod (1 + w^2 u^2)^(1/4), the tail is 1/2 + 1/pi int sin theta / (u rho) du,
    from 0 to infinity; right to about 1e-6 where a single weight makes rho slow, to 1e-9 otherwise.
    """
    largest = float(np.abs(weights).max(initial=0.0))
    if largest == 0:
        return float(x < 0)
    w = weights[np.abs(weights) > _NEGLIGIBLE * largest] / largest
    at = x / largest
    # Half an oscillation at the most in each piece, which 16 nodes integrate to rounding.
    width = np.pi / max(abs(at), float(np.abs(w).sum()))
    within = (_NODES + 1) / 2 * width
    total = 0.0
    for first in range(0, _MOST_PIECES, _PIECES):
        u = (np.arange(first, first + _PIECES) * width)[:, None] + within
        total += width / 2 * float(np.sum(_integrand(u, w, at) @ _NODE_WEIGHTS))
        end = (first + _PIECES) * width
        if _envelope(end, w) * width < _ACCURACY:
            break
    return float(min(max(0.5 + total / np.pi, 0.0), 1.0))


def _integrand(u: Vector, w: Vector, at: float) -> Vector:
    theta, logarithm = -at * u / 2, np.log(u)
    for one in w.tolist():
        theta += np.arctan(one * u) / 2
        logarithm += np.log1p((one * u) ** 2) / 4
    return np.asarray(np.sin(theta) * np.exp(-logarithm))


def _envelope(u: float, w: Vector) -> float:
    return float(np.exp(-np.log1p((w * u) ** 2).sum() / 4) / u)
