"""Counts with extra zeros: log lambda = eta, zeta = log-odds of an extra zero.

A zero has the density rho + (1 - rho) exp(-lambda). With s = zeta + lambda it is extra with probability w = expit(s),
so that its log density is both log rho - log w and log(1 - rho) - lambda - log(1 - w). The first has no difference of
large numbers for s > 0, the second none for s <= 0: from rho = 0 (zeta = -inf) to rho = 1 one of them serves.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, gammaln

from harness.arrays import Codes, Tensor, Vector
from harness.errors import Problem
from harness.gbtm.families.logistic import chances, log_larger_chance
from harness.gbtm.families.poisson import count_problems, drawn_counts, rate
from harness.gbtm.families.rows import RowDerivatives, second

_ROUNDS = 10
_MODERATE = 0.05, 0.95  # a search that begins at rho = 0 or 1 would see no slope


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZeroInflatedPoisson:
    """0 with probability rho = expit(zeta), else Poisson(exp(eta)); R: ``VGAM::dzipois`` with ``pstr0 = rho``."""

    y: Vector
    log_factorial: Vector  # log y!
    zeros: Codes  # rows with y = 0

    @property
    def has_second(self) -> bool:
        """It has: the log-odds of an extra zero."""
        return True

    def log_density(self, eta: Tensor, zeta: Tensor | None) -> Tensor:
        """Return log(rho + (1 - rho) exp(-lambda)) at zeros, else log(1 - rho) + y eta - lambda - log y!."""
        log_odds = second(zeta)
        expected = rate(eta)
        log_larger = log_larger_chance(log_odds)
        found = np.asarray(self.y * eta - expected - self.log_factorial + (log_larger - np.maximum(log_odds, 0.0)))
        odds, few = self._at_zeros(log_odds), expected[..., self.zeros]
        found[..., self.zeros] = _log_zero(odds, few, self._at_zeros(log_larger), log_larger_chance(odds + few))
        return found

    def derivatives(self, eta: Tensor, zeta: Tensor | None) -> RowDerivatives:
        """Return the derivatives of the log density."""
        log_odds = second(zeta)
        expected = rate(eta)
        extra = chances(log_odds)
        flat = -(extra.p * extra.q)
        d_eta, d2_eta = np.asarray(self.y - expected), -expected
        d_zeta, d2_zeta, cross = (np.broadcast_to(part, eta.shape).copy() for part in (-extra.p, flat, 0.0))

        zeros, few = self.zeros, expected[..., self.zeros]
        odds = self._at_zeros(log_odds)
        w = chances(odds + few)
        ordinary = few * w.q
        both = ordinary * w.p
        d_eta[..., zeros] = -ordinary
        d2_eta[..., zeros] = few * both - ordinary
        d_zeta[..., zeros] = w.p - self._at_zeros(extra.p)
        d2_zeta[..., zeros] = w.p * w.q + self._at_zeros(flat)
        cross[..., zeros] = both
        return RowDerivatives(d_eta=d_eta, d2_eta=d2_eta, d_zeta=d_zeta, d_eta_zeta=cross, d2_zeta=d2_zeta)

    def mean(self, eta: Tensor, zeta: Tensor | None) -> Tensor:
        """Return (1 - rho) exp(eta)."""
        return np.asarray(expit(-second(zeta)) * np.exp(eta))

    def simulate(self, eta: Tensor, zeta: Tensor | None, generator: np.random.Generator) -> Tensor:
        """Return draws of the counts."""
        counts = drawn_counts(eta, generator)
        return np.where(generator.random(eta.shape) < expit(second(zeta)), 0.0, counts)

    def working_outcome(self) -> Vector:
        """Return log(y + 1/2), in which the exposure is not taken off."""
        return np.log(self.y + 0.5)

    def rough_second(self, eta: Tensor, weights: Tensor) -> Tensor:  # noqa: ARG002 - one law for all families
        """Return the log-odds of rho by moments: the mean count is (1 - rho) lambda, and so many are zeros."""
        size = np.maximum(weights.sum(axis=-1), 1e-12)
        mean = np.maximum(weights @ self.y / size, 1e-6)
        zeros = weights[..., self.zeros].sum(axis=-1) / size
        rho = np.zeros_like(mean)
        for _ in range(_ROUNDS):
            ordinary = np.exp(-mean / (1 - rho))
            rho = np.clip((zeros - ordinary) / (1 - ordinary), *_MODERATE)
        return np.asarray(np.log(rho / (1 - rho)))

    def problems(self) -> Iterator[Problem]:
        """Yield outcomes that are no counts."""
        yield from count_problems(self.y)

    def _at_zeros(self, values: Tensor) -> Tensor:
        """Return the columns of rows with y = 0, or the only column there is."""
        return values if values.shape[-1:] in {(), (1,)} else values[..., self.zeros]


def _log_zero(odds: Tensor, few: Tensor, of_rho: Tensor, of_w: Tensor) -> Tensor:
    """Return log(rho + (1 - rho) exp(-lambda)) from zeta, lambda and the logarithms of the larger chances."""
    return np.asarray(np.where(odds + few > 0, np.minimum(odds, 0.0), -few) + (of_rho - of_w))


def zero_inflated_poisson(y: Vector) -> ZeroInflatedPoisson:
    """Return the family on rows with these counts."""
    return ZeroInflatedPoisson(y=y, log_factorial=gammaln(y + 1.0), zeros=np.flatnonzero(y == 0))
