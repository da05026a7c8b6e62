"""Probabilities of log-odds, accurate to the last digit on both sides."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chances:
    """p = 1 / (1 + exp(-x)) and q = 1 - p; neither is taken from the other by subtraction."""

    x: Tensor
    p: Tensor
    q: Tensor
    log_larger: Tensor  # log max(p, q)

    @property
    def log_p(self) -> Tensor:
        """Logarithm of p."""
        return np.asarray(self.log_larger + np.minimum(self.x, 0.0))

    @property
    def log_q(self) -> Tensor:
        """Logarithm of q."""
        return np.asarray(self.log_larger - np.maximum(self.x, 0.0))


def chances(x: Tensor) -> Chances:
    """Return the probabilities of log-odds; R: ``plogis(x)``, ``plogis(x, log.p = TRUE)``; -inf and inf are allowed."""
    ratio = np.exp(-np.abs(x))
    larger = 1.0 / (1.0 + ratio)
    smaller = ratio * larger
    is_positive = x >= 0
    return Chances(
        x=x,
        p=np.where(is_positive, larger, smaller),
        q=np.where(is_positive, smaller, larger),
        log_larger=-np.log1p(ratio),
    )


def log_larger_chance(x: Tensor) -> Tensor:
    """Return log max(p, q) alone."""
    return np.asarray(-np.log1p(np.exp(-np.abs(x))))
