"""Counts with extra zeros: log lambda = eta, zeta = log-odds of an extra zero.

A zero has the density rho + (1 - rho) exp(-lambda). It is extra with probability w = expit(zeta + lambda), and with
s = zeta + lambda its logarithm is both log rho - log w and log(1 - rho) - lambda - log(1 - w): of the two, the first is
free of cancellation for s > 0 and the second for s < 0, from rho = 0 (zeta = -inf) to rho = 1 at any lambda.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, gammaln

from harness.arrays import Codes, Tensor, Vector
from harness.errors import Problem
from harness.gbtm.families.logistic import chances, log_one_plus_exp
from harness.gbtm.families.poisson import count_problems, rate
from harness.gbtm.families.rows import RowTerms, second


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
        found = np.asarray(self.y * eta - expected - self.log_factorial - log_one_plus_exp(log_odds))
        odds, few = self._at_zeros(log_odds), expected[..., self.zeros]
        s = odds + few
        tail = np.log1p(np.exp(-np.abs(s)))
        found[..., self.zeros] = tail - log_one_plus_exp(odds) + np.where(s > 0, odds, -few)
        return found

    def terms(self, eta: Tensor, zeta: Tensor | None) -> RowTerms:
        """Return the log density with its derivatives."""
        log_odds = second(zeta)
        expected = rate(eta)
        extra = chances(log_odds)
        flat = -(extra.p * extra.q)
        log_density = np.asarray(self.y * eta - expected - self.log_factorial + extra.log_q)
        d_eta, d2_eta = np.asarray(self.y - expected), -expected
        d_zeta, d2_zeta, cross = (np.broadcast_to(part, eta.shape).copy() for part in (-extra.p, flat, 0.0))

        zeros, few = self.zeros, expected[..., self.zeros]
        odds = self._at_zeros(log_odds)
        w = chances(odds + few)
        log_rest = self._at_zeros(extra.log_q)
        # log rho = zeta + log(1 - rho) holds in this order of sums only where zeta is not large.
        log_density[..., zeros] = np.where(
            odds + few > 0, self._at_zeros(extra.log_p) - w.log_p, log_rest - few - w.log_q
        )
        ordinary = few * w.q
        both = ordinary * w.p
        d_eta[..., zeros] = -ordinary
        d2_eta[..., zeros] = few * both - ordinary
        d_zeta[..., zeros] = w.p - self._at_zeros(extra.p)
        d2_zeta[..., zeros] = w.p * w.q + self._at_zeros(flat)
        cross[..., zeros] = both
        return RowTerms(
            log_density=log_density, d_eta=d_eta, d2_eta=d2_eta, d_zeta=d_zeta, d_eta_zeta=cross, d2_zeta=d2_zeta
        )

    def mean(self, eta: Tensor, zeta: Tensor | None) -> Tensor:
        """Return (1 - rho) exp(eta)."""
        return np.asarray(expit(-second(zeta)) * np.exp(eta))

    def simulate(self, eta: Tensor, zeta: Tensor | None, generator: np.random.Generator) -> Tensor:
        """Return draws of the counts."""
        counts = generator.poisson(np.exp(eta)).astype(np.float64)
        return np.where(generator.random(eta.shape) < expit(second(zeta)), 0.0, counts)

    def working_outcome(self) -> Vector:
        """Return log(y + 1/2), in which the exposure is not taken off."""
        return np.log(self.y + 0.5)

    def problems(self) -> Iterator[Problem]:
        """Yield outcomes that are no counts."""
        yield from count_problems(self.y)

    def _at_zeros(self, values: Tensor) -> Tensor:
        """Return the columns of rows with y = 0, or the only column there is."""
        return values if values.shape[-1:] in {(), (1,)} else values[..., self.zeros]


def zero_inflated_poisson(y: Vector) -> ZeroInflatedPoisson:
    """Return the family on rows with these counts."""
    return ZeroInflatedPoisson(y=y, log_factorial=gammaln(y + 1.0), zeros=np.flatnonzero(y == 0))
