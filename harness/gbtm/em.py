"""Expectation-maximisation for many starts at once."""

import numpy as np

from harness.arrays import Matrix, Tensor
from harness.gbtm.mixture import Mixture, e_step


def begin(posterior: Tensor, mixture: Mixture) -> Matrix:
    """Return free vectors (S, P) that suit class probabilities (S, K, N)."""
    weighted = mixture.weighted(posterior)
    own = [density.begin(weighted) for density in mixture.densities]
    return np.concatenate([mixture.membership.begin(weighted), *own], axis=1)


def m_step(posterior: Tensor, vectors: Matrix, mixture: Mixture) -> Matrix:
    """Return free vectors that do not lower the expected complete-data log-likelihood."""
    weighted = mixture.weighted(posterior)
    own = [
        density.m_step(weighted, vectors[:, part])
        for density, part in zip(mixture.densities, mixture.parts, strict=True)
    ]
    theta = mixture.membership.m_step(weighted, vectors[:, : mixture.membership.n_free])
    return np.concatenate([theta, *own], axis=1)


def run_em(posterior: Tensor, mixture: Mixture, steps: int) -> Matrix:
    """Return the free vectors (S, P) after a number of EM steps from given class probabilities (S, K, N)."""
    vectors = begin(posterior, mixture)
    for _ in range(steps - 1):
        posterior, _ = e_step(vectors, mixture)
        vectors = m_step(posterior, vectors, mixture)
    return vectors
