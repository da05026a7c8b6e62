"""Outcomes simulated from a fit, one replicate at a time, each from a stream of its own."""

from collections.abc import Callable

import numpy as np

from harness.arrays import Vector
from harness.lmm.design import LmmDesign
from harness.lmm.fit import LmmFit
from harness.lmm.fitted import Fitted
from harness.lmm.prediction.simulation import stream_of

Draw = Callable[[int], Vector]


def draws(design: LmmDesign, fit: LmmFit, seed: int) -> Draw:
    """Return a function of a replicate's number that gives X beta + Zb + e, b and e drawn anew.

    R: ``simulate(m)``.
    """
    factor = fit.sigma * fit.statistics.coordinates.user_factor(fit.Lambda)
    mean, loadings = design.X @ fit.beta, design.Z @ factor
    scale = fit.sigma if design.weights is None else fit.sigma / np.sqrt(design.weights)
    subject = np.repeat(np.arange(design.n_subjects), np.diff(design.starts))

    def draw(replicate: int) -> Vector:
        stream = stream_of(seed, replicate)
        u = stream.normal(design.n_subjects * design.n_random).reshape(design.n_subjects, -1)
        effects = (loadings * u[subject]).sum(axis=1)
        return np.asarray(mean + effects + scale * stream.normal(design.n_observations))

    return draw


def marginal_draws(design: LmmDesign, fit: Fitted, seed: int) -> Draw:
    """Return the same for a fit by any engine, from the covariances of its independent blocks of rows."""
    mean = design.X @ fit.beta
    roots = [(rows, np.linalg.cholesky(V)) for rows, V in fit.marginal_covariances(design)]

    def draw(replicate: int) -> Vector:
        stream, y = stream_of(seed, replicate), mean.copy()
        for rows, root in roots:
            y[rows] += root @ stream.normal(len(rows))
        return y

    return draw
