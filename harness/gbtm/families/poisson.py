"""Counts: log lambda = eta, of which a logarithm of the exposure is a part."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from harness.arrays import Tensor, Vector
from harness.errors import Problem
from harness.gbtm.families.rows import RowTerms, complaint

_HIGHEST = 300.0
"""The search may try any eta: no count is that large, the density there is 0 to any accuracy, and squares stay finite."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Poisson:
    """Poisson(exp(eta)); R: ``dpois(y, exp(eta), log = TRUE)``."""

    y: Vector
    log_factorial: Vector  # log y!

    @property
    def has_second(self) -> bool:
        """It has none."""
        return False

    def log_density(self, eta: Tensor, zeta: Tensor | None) -> Tensor:  # noqa: ARG002 - one law for all families
        """Return y eta - exp(eta) - log y!."""
        return np.asarray(self.y * eta - rate(eta) - self.log_factorial)

    def terms(self, eta: Tensor, zeta: Tensor | None) -> RowTerms:  # noqa: ARG002 - one law for all families
        """Return the log density with its derivatives."""
        expected = rate(eta)
        return RowTerms(
            log_density=self.y * eta - expected - self.log_factorial,
            d_eta=self.y - expected,
            d2_eta=-expected,
            d_zeta=None,
            d_eta_zeta=None,
            d2_zeta=None,
        )

    def mean(self, eta: Tensor, zeta: Tensor | None) -> Tensor:  # noqa: ARG002 - one law for all families
        """Return exp(eta)."""
        return np.exp(eta)

    def simulate(self, eta: Tensor, zeta: Tensor | None, generator: np.random.Generator) -> Tensor:  # noqa: ARG002
        """Return draws of the counts."""
        return generator.poisson(np.exp(eta)).astype(np.float64)

    def working_outcome(self) -> Vector:
        """Return log(y + 1/2), in which the exposure is not taken off."""
        return np.log(self.y + 0.5)

    def problems(self) -> Iterator[Problem]:
        """Yield outcomes that are no counts."""
        yield from count_problems(self.y)


def poisson(y: Vector) -> Poisson:
    """Return the family on rows with these counts."""
    return Poisson(y=y, log_factorial=gammaln(y + 1.0))


def rate(eta: Tensor) -> Tensor:
    """Return exp(eta), bounded where it would overflow."""
    return np.exp(np.minimum(eta, _HIGHEST))


def count_problems(y: Vector) -> Iterator[Problem]:
    """Yield outcomes that are no counts."""
    whole = "whole numbers >= 0"
    yield from complaint(y < 0, "a negative count", y, whole)
    yield from complaint((y >= 0) & (y != np.floor(y)), "a count that is not whole", y, whole)
    yield from complaint(y == np.inf, "an infinite count", y, whole)
