"""Shares strictly between 0 and 1: eta is the log-odds of the mean, zeta the logarithm of the precision phi.

With a = mu phi and b = (1 - mu) phi the gamma functions are taken at 1 + a, 1 + b and 1 + phi, and what that changes is
written out: then nothing overflows where mu is next to 0 or 1, or phi next to 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, gammaln

from harness.arrays import Tensor, Vector
from harness.errors import Problem
from harness.gbtm.families.gamma_derivatives import digamma_and_trigamma
from harness.gbtm.families.logistic import chances
from harness.gbtm.families.rows import RowDerivatives, complaint, second

_HIGHEST = 25.0
"""The search may try any zeta. Far beyond this the logarithms of the gamma functions keep no digit of their difference,
and noise would be taken for a likelihood; the law is a point mass already to any outcome that was measured."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Beta:
    """Beta(mu phi, (1 - mu) phi) of Ferrari & Cribari-Neto (2004).

    R: ``dbeta(y, mu * phi, (1 - mu) * phi, log = TRUE)`` with ``mu = plogis(eta)``, ``phi = exp(zeta)``.
    """

    y: Vector
    log_y: Vector
    log_rest: Vector  # log(1 - y)

    @property
    def has_second(self) -> bool:
        """It has: the logarithm of the precision."""
        return True

    def log_density(self, eta: Tensor, zeta: Tensor | None) -> Tensor:
        """Return log Gamma(phi) - log Gamma(a) - log Gamma(b) + (a - 1) log y + (b - 1) log(1 - y)."""
        log_phi = np.minimum(second(zeta), _HIGHEST)
        phi = np.exp(log_phi)
        c = chances(eta)
        a, b = c.p * phi, c.q * phi
        of_gammas = gammaln(1 + phi) + log_phi - gammaln(1 + a) - gammaln(1 + b) + c.log_p + c.log_q
        return np.asarray(of_gammas + (a - 1) * self.log_y + (b - 1) * self.log_rest)

    def derivatives(self, eta: Tensor, zeta: Tensor | None) -> RowDerivatives:
        """Return the derivatives of the log density."""
        log_phi = np.minimum(second(zeta), _HIGHEST)
        phi = np.exp(log_phi)
        c = chances(eta)
        a, b = c.p * phi, c.q * phi
        v = a * c.q  # phi mu (1 - mu)
        (digamma_a, trigamma_a), (digamma_b, trigamma_b) = digamma_and_trigamma(1 + a), digamma_and_trigamma(1 + b)
        digamma_phi, trigamma_phi = digamma_and_trigamma(1 + phi)
        by_a, by_b = self.log_y - digamma_a, self.log_rest - digamma_b  # lacking 1 / a and 1 / b
        tilt = c.q - c.p
        d_zeta = 1 + phi * digamma_phi + a * by_a + b * by_b
        return RowDerivatives(
            d_eta=v * (by_a - by_b) + tilt,
            d2_eta=v * ((by_a - by_b) * tilt - v * (trigamma_a + trigamma_b)) - 2 * c.p * c.q,
            d_zeta=d_zeta,
            d_eta_zeta=v * (by_a - by_b - a * trigamma_a + b * trigamma_b),
            d2_zeta=d_zeta - 1 + phi * phi * trigamma_phi - a * a * trigamma_a - b * b * trigamma_b,
        )

    def mean(self, eta: Tensor, zeta: Tensor | None) -> Tensor:  # noqa: ARG002 - the mean does not depend on phi
        """Return expit(eta)."""
        return np.asarray(expit(eta))

    def simulate(self, eta: Tensor, zeta: Tensor | None, generator: np.random.Generator) -> Tensor:
        """Return draws of the shares."""
        phi = np.exp(second(zeta))
        draws = generator.beta(expit(eta) * phi, expit(-eta) * phi)
        # The law has no mass at 0 and 1; a draw there is one that was rounded.
        return np.clip(draws, np.finfo(np.float64).tiny, 1 - np.finfo(np.float64).epsneg)

    def working_outcome(self) -> Vector:
        """Return the log-odds of the outcomes."""
        return self.log_y - self.log_rest

    def rough_second(self, eta: Tensor, weights: Tensor) -> Tensor:
        """Return the log precision by moments: mu (1 - mu) / (1 + phi) is the variance."""
        mean = expit(eta)
        spread = np.sum(weights * (self.y - mean) ** 2, axis=-1)
        ratio = np.sum(weights * mean * (1 - mean), axis=-1) / np.maximum(spread, 1e-12)
        return np.asarray(np.log(np.maximum(ratio - 1, 0.1)))

    def problems(self) -> Iterator[Problem]:
        """Yield outcomes that are not strictly between 0 and 1."""
        between = "outcomes strictly between 0 and 1"
        yield from complaint(self.y <= 0, "an outcome of 0 or less", self.y, between)
        yield from complaint(self.y >= 1, "an outcome of 1 or more", self.y, between)


def beta(y: Vector) -> Beta:
    """Return the family on rows with these shares."""
    with np.errstate(divide="ignore", invalid="ignore"):  # `problems` tells of outcomes that have no logarithm
        return Beta(y=y, log_y=np.log(y), log_rest=np.log1p(-y))
