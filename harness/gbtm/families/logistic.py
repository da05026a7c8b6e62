"""Probabilities of log-odds, accurate to the last digit on both sides."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chances:
    """p = 1 / (1 + exp(-x)) and q = 1 - p, with their logarithms; neither is taken from the other by subtraction."""

    p: Tensor
    q: Tensor
    log_p: Tensor
    log_q: Tensor


def chances(x: Tensor) -> Chances:
    """Return the probabilities of log-odds; R: ``plogis(x)``, ``plogis(x, log.p = TRUE)``; -inf and inf are allowed."""
    tail = np.exp(-np.abs(x))
    larger = 1.0 / (1.0 + tail)
    smaller = tail * larger
    log_larger = -np.log1p(tail)
    is_positive = x >= 0
    return Chances(
        p=np.where(is_positive, larger, smaller),
        q=np.where(is_positive, smaller, larger),
        log_p=log_larger + np.minimum(x, 0.0),
        log_q=log_larger - np.maximum(x, 0.0),
    )


def log_one_plus_exp(x: Tensor) -> Tensor:
    """Return log(1 + exp(x)) without overflow; -inf is allowed."""
    return np.asarray(np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0.0))
