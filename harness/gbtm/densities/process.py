"""Processes in the errors of a subject beside independent noise: first-order autoregression, and Brownian motion.

As lcmm defines them: s^2 exp(-r |t - t'|), and s^2 min(t, t') in the user's time. Own parameters are log r and log s,
or log s, of time in units of `unit`.
"""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Mask, Matrix, Tensor, Vector, read_only
from harness.gbtm.named import Parameter
from harness.gbtm.spec import Errors

SMALLEST_RATE = 1e-8
"""Of the longest lag: a process that changes less is a random intercept."""
SMALLEST_DEVIATION = 1e-4
"""In working units."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Process:
    """A process over m visits of C patterns; none at all for "independent".

    Attributes
    ----------
    kind
        As in `GbtmSpec`.
    unit : float
        Of time: the longest observed lag (ar1), or the latest time (brownian).
    shape : (m, m, C)
        |t - t'| or min(t, t') in that unit; 0 where a pattern has no such visits.
    real : (m, m, C)
        Where a pattern has both visits.
    scale : float
        User's units of the outcome = scale * working units.
    gap : float
        The mean lag of neighbouring visits, in that unit: where a search begins.
    """

    kind: Errors
    unit: float
    shape: Tensor
    real: Mask
    scale: float
    gap: float

    @property
    def n_parameters(self) -> int:
        """2, 1 or 0."""
        return {"ar1": 2, "brownian": 1, "independent": 0}[self.kind]

    def covariance(self, own: Matrix) -> Tensor:
        """Return the covariance (S, m, m, C) in working units; 0 if there is no process."""
        if self.kind == "independent":
            return np.zeros((1, 1, 1, 1))
        variance = np.exp(2 * own[:, -1])[:, None, None, None]
        if self.kind == "brownian":
            return variance * self.shape
        rate = np.exp(own[:, 0])[:, None, None, None]
        return np.asarray(variance * np.exp(-rate * self.shape) * self.real)

    def slopes(self, own: Matrix) -> Tensor:
        """Return the derivatives by its own parameters, (S, parameters, m, m, C)."""
        covariance = self.covariance(own)
        if self.kind == "brownian":
            return 2 * covariance[:, None]
        rate = np.exp(own[:, 0])[:, None, None, None]
        return np.stack([-rate * self.shape * covariance, 2 * covariance], axis=1)

    def second_by_rate(self, own: Matrix) -> Tensor:
        """Return the second derivative by log r, (S, m, m, C), of an ar1; those by log s are twice the first ones."""
        decay = np.exp(own[:, 0])[:, None, None, None] * self.shape
        return np.asarray((decay - 1) * decay * self.covariance(own))

    @property
    def lower(self) -> Vector:
        """Lower bounds of the own parameters."""
        return np.log([SMALLEST_RATE, SMALLEST_DEVIATION][-self.n_parameters :] if self.n_parameters else [])

    def begin(self, variance: Vector) -> Matrix:
        """Return own parameters (S, n_parameters) of such variances (S,), correlated exp(-1) between visits."""
        both = np.stack([np.full(len(variance), -np.log(self.gap)), 0.5 * np.log(variance)], axis=1)
        return both[:, 2 - self.n_parameters :]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Names in the user's units."""
        names = ("r", "s^2")[-self.n_parameters :] if self.n_parameters else ()
        return tuple(Parameter(role="process", name=name, latent_class=0) for name in names)

    @property
    def units(self) -> Vector:
        """What r and s^2 are in the user's units where the own parameters are 0."""
        variance = self.scale**2 / (self.unit if self.kind == "brownian" else 1.0)
        return np.array([1 / self.unit, variance][-self.n_parameters :] if self.n_parameters else [])

    @property
    def powers(self) -> Vector:
        """The user's parameters are units * exp(powers * own)."""
        return np.array([1.0, 2.0][-self.n_parameters :] if self.n_parameters else [])


def build_process(kind: Errors, times: Matrix, real: Mask, scale: float) -> Process:
    """Return a process at the times (m, C) of patterns, of which `real` (m, C) says which there are."""
    both = real[:, None] & real[None]
    if kind == "independent":
        return Process(kind=kind, unit=1.0, shape=np.zeros((1, 1, 1)), real=both[:1, :1], scale=scale, gap=1.0)
    lags = np.abs(times[:, None] - times[None]) * both
    shape = lags if kind == "ar1" else np.minimum(times[:, None], times[None]) * both
    unit = float(shape.max()) or 1.0
    neighbours = lags[np.arange(len(times) - 1), np.arange(1, len(times))]
    seen = neighbours[neighbours > 0]
    gap = float(seen.mean()) / unit if len(seen) else 1.0
    return Process(kind=kind, unit=unit, shape=read_only(shape / unit), real=read_only(both), scale=scale, gap=gap)
