"""Normal outcome: eta is the mean, zeta = log sigma."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.arrays import Tensor, Vector
from harness.errors import Problem
from harness.gbtm.families.rows import RowTerms, complaint, second

HALF_LOG_2PI = 0.5 * float(np.log(2 * np.pi))


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

    def terms(self, eta: Tensor, zeta: Tensor | None) -> RowTerms:
        """Return the log density with its derivatives."""
        log_sigma = second(zeta)
        root_precision = np.exp(-log_sigma)
        z = (self.y - eta) * root_precision
        squares = z * z
        by_eta = z * root_precision
        return RowTerms(
            log_density=-0.5 * squares - (log_sigma + HALF_LOG_2PI),
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

    def problems(self) -> Iterator[Problem]:
        """Yield infinite outcomes."""
        yield from complaint(np.isinf(self.y), "an infinite outcome", self.y, "finite outcomes")
