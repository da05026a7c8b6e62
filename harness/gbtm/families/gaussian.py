"""Normal outcome: eta is the mean, zeta = log sigma."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.arrays import Tensor, Vector
from harness.errors import Problem
from harness.gbtm.families.rows import RowDerivatives, complaint, second

HALF_LOG_2PI = 0.5 * float(np.log(2 * np.pi))
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gaussian:
    """N(eta, sigma^2); R: ``dnorm(y, eta, exp(zeta), log = TRUE)``."""

    y: Vector

    @property
    def has_second(self) -> bool:
        """It has: log sigma."""
        return True

    def log_density(self, eta: Tensor, zeta: Tensor | None) -> Tensor:
        """Return -log(2 pi) / 2 - log sigma - z^2 / 2, z = (y - eta) / sigma."""
        log_sigma = second(zeta)
        z = (self.y - eta) * np.exp(-log_sigma)
        return np.asarray(-0.5 * (z * z) - (log_sigma + HALF_LOG_2PI))

    def derivatives(self, eta: Tensor, zeta: Tensor | None) -> RowDerivatives:
        """Return the derivatives of the log density."""
        log_sigma = second(zeta)
        root_precision = np.exp(-log_sigma)
        z = (self.y - eta) * root_precision
        squares = z * z
        by_eta = z * root_precision
        return RowDerivatives(
            d_eta=by_eta,
            d2_eta=np.broadcast_to(-root_precision * root_precision, z.shape),
            d_zeta=squares - 1.0,
            d_eta_zeta=-2.0 * by_eta,
            d2_zeta=-2.0 * squares,
        )

    def mean(self, eta: Tensor, zeta: Tensor | None) -> Tensor:  # noqa: ARG002 - the mean does not depend on sigma
        """Return eta."""
        return eta

    def simulate(self, eta: Tensor, zeta: Tensor | None, generator: np.random.Generator) -> Tensor:
        """Return draws of N(eta, sigma^2)."""
        return np.asarray(eta + np.exp(second(zeta)) * generator.standard_normal(eta.shape))

    def working_outcome(self) -> Vector:
        """Return the outcomes."""
        return self.y

    def rough_second(self, eta: Tensor, weights: Tensor) -> Tensor:
        """Return log sigma of the residuals."""
        return rough_log_sigma(self.y, eta, weights)

    def problems(self) -> Iterator[Problem]:
        """Yield infinite outcomes."""
        yield from complaint(np.isinf(self.y), "an infinite outcome", self.y, "finite outcomes")


def rough_log_sigma(y: Vector, mean: Tensor, weights: Tensor) -> Tensor:
    """Return the logarithm of the weighted root mean square of residuals (S, K), finite also for exact fits."""
    squares = np.sum(weights * (y - mean) ** 2, axis=-1) / np.maximum(weights.sum(axis=-1), _NOTHING)
    return np.asarray(0.5 * np.log(np.maximum(squares, _NOTHING)))
