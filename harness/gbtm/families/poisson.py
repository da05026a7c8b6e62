"""Counts: log lambda = eta, of which a logarithm of the exposure is a part."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from harness.arrays import Tensor, Vector
from harness.errors import Problem, SpecError
from harness.gbtm.families.rows import RowDerivatives, complaint

_HIGHEST = 300.0
"""The search may try any eta: no count is that large, so the density is 0 to any accuracy, and squares are finite."""

_LARGEST_MEAN = 2.0**53


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

    def derivatives(self, eta: Tensor, zeta: Tensor | None) -> RowDerivatives:  # noqa: ARG002 - one law for all families
        """Return the derivatives of the log density."""
        expected = rate(eta)
        return RowDerivatives(
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
        return drawn_counts(eta, generator)

    def working_outcome(self) -> Vector:
        """Return log(y + 1/2), in which the exposure is not taken off."""
        return np.log(self.y + 0.5)

    def rough_second(self, eta: Tensor, weights: Tensor) -> Tensor:  # noqa: ARG002 - one law for all families
        """Return zeros: it has none."""
        return np.zeros(eta.shape[:-1])

    def problems(self) -> Iterator[Problem]:
        """Yield outcomes that are no counts."""
        yield from count_problems(self.y)


def poisson(y: Vector) -> Poisson:
    """Return the family on rows with these counts."""
    return Poisson(y=y, log_factorial=gammaln(y + 1.0))


def rate(eta: Tensor) -> Tensor:
    """Return exp(eta), bounded where it would overflow."""
    return np.exp(np.minimum(eta, _HIGHEST))


def drawn_counts(eta: Tensor, generator: np.random.Generator) -> Tensor:
    """Return counts with the means exp(eta), or raise a SpecError where these are too large to be drawn."""
    highest = float(np.max(eta, initial=-np.inf))
    if highest > np.log(_LARGEST_MEAN):
        found = f"a mean count of 1e{highest / np.log(10):.1f}"
        expected = f"means of at most {_LARGEST_MEAN:g}, beyond which counts have no whole numbers"
        raise SpecError("simulation", [Problem(found=found, expected=expected)])
    return np.asarray(generator.poisson(np.exp(eta)).astype(np.float64))


def count_problems(y: Vector) -> Iterator[Problem]:
    """Yield outcomes that are no counts."""
    whole = "whole numbers >= 0"
    yield from complaint(y < 0, "a negative count", y, whole)
    yield from complaint((y >= 0) & (y != np.floor(y)), "a count that is not whole", y, whole)
    yield from complaint(y == np.inf, "an infinite count", y, whole)
