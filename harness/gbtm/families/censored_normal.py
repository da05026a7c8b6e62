"""Normal outcome seen between limits: eta is the mean of the latent outcome, zeta = log sigma.

A censored row has the density Phi(a), with a = (lower - eta) / sigma below and a = (eta - upper) / sigma above. Of it
everything is made of r = phi(a) / Phi(a), which is taken from the scaled complementary error function because
neither the density nor its logarithm keeps the digits of r in the tail.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr

from harness.arrays import Codes, Tensor, Vector
from harness.errors import Problem
from harness.gbtm.families.gaussian import HALF_LOG_2PI, Gaussian, rough_log_sigma
from harness.gbtm.families.rows import RowDerivatives, complaint, second

_FAR = -50.0
"""Where a + r, about -1/a, loses digits to cancellation while six terms of its series are exact."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CensoredNormal:
    """N(eta, sigma^2) seen between limits; R: the log-likelihood of ``survival::survreg(dist = "gaussian")``."""

    y: Vector
    lower: Vector
    upper: Vector
    censored: Codes  # rows at or beyond a limit
    limit: Vector  # of these rows
    side: Vector  # of these rows: 1 below, -1 above

    @property
    def has_second(self) -> bool:
        """It has: log sigma."""
        return True

    def log_density(self, eta: Tensor, zeta: Tensor | None) -> Tensor:
        """Return log Phi(a) at or beyond a limit, else the log density of N(eta, sigma^2)."""
        inside = Gaussian(y=self.y).log_density(eta, zeta)
        if len(self.censored) == 0:
            return inside
        a, _ = self._beyond(eta, second(zeta))
        return self._with(inside, log_ndtr(a))

    def derivatives(self, eta: Tensor, zeta: Tensor | None) -> RowDerivatives:
        """Return the derivatives of the log density."""
        inside = Gaussian(y=self.y).derivatives(eta, zeta)
        if len(self.censored) == 0:
            return inside
        a, root_precision = self._beyond(eta, second(zeta))
        r, rest = mills(a)
        slope = self.side * r * root_precision  # of -log Phi(a) by eta
        bend = 1.0 - a * rest
        return RowDerivatives(
            d_eta=self._with(inside.d_eta, -slope),
            d2_eta=self._with(inside.d2_eta.copy(), -r * rest * root_precision * root_precision),
            d_zeta=self._with(second(inside.d_zeta), -r * a),
            d_eta_zeta=self._with(second(inside.d_eta_zeta), slope * bend),
            d2_zeta=self._with(second(inside.d2_zeta), r * a * bend),
        )

    def mean(self, eta: Tensor, zeta: Tensor | None) -> Tensor:
        """Return the mean of the outcome as it is observed, between the limits; that of the latent outcome is eta."""
        sigma = np.exp(second(zeta))
        raised = _excess((self.lower - eta) / sigma)
        cut = _excess((eta - self.upper) / sigma)
        return np.asarray(eta + sigma * (raised - cut))

    def simulate(self, eta: Tensor, zeta: Tensor | None, generator: np.random.Generator) -> Tensor:
        """Return draws of the outcome as it is observed: the limit where the latent outcome is beyond it."""
        return np.clip(Gaussian(y=self.y).simulate(eta, zeta, generator), self.lower, self.upper)

    def working_outcome(self) -> Vector:
        """Return the outcomes."""
        return self.y

    def rough_second(self, eta: Tensor, weights: Tensor) -> Tensor:
        """Return log sigma of the residuals, as if limits were values."""
        return rough_log_sigma(self.y, eta, weights)

    def problems(self) -> Iterator[Problem]:
        """Yield limits in the wrong order, and outcomes that are infinite or beyond them."""
        y, lower, upper = self.y, self.lower, self.upper
        yield from complaint(~(lower < upper), "a lower limit that is not below the upper one", lower, "lower < upper")
        yield from complaint(np.isinf(y), "an infinite outcome", y, "finite outcomes")
        within = "outcomes within the limits, at which they are censored"
        yield from complaint(np.isfinite(y) & (y < lower), "an outcome below the lower limit", y, within)
        yield from complaint(np.isfinite(y) & (y > upper), "an outcome above the upper limit", y, within)

    def _with(self, inside: Tensor, beyond: Tensor) -> Tensor:
        """Return the terms of all rows, made here, with those of the censored rows put in their place."""
        inside[..., self.censored] = beyond
        return inside

    def _beyond(self, eta: Tensor, log_sigma: Tensor) -> tuple[Tensor, Tensor]:
        """Return a and 1 / sigma of the censored rows."""
        by_row = log_sigma.shape[-1:] not in {(), (1,)}
        root_precision = np.exp(-(log_sigma[..., self.censored] if by_row else log_sigma))
        return self.side * (self.limit - eta[..., self.censored]) * root_precision, root_precision


def censored_normal(y: Vector, lower: Vector | float, upper: Vector | float) -> CensoredNormal:
    """Return the family on rows with these outcomes and limits, in one unit; -inf or inf where there is no limit."""
    low, high = (np.broadcast_to(np.asarray(limit, dtype=np.float64), y.shape) for limit in (lower, upper))
    below = y <= low
    censored = np.flatnonzero(below | (y >= high))
    return CensoredNormal(
        y=y,
        lower=low,
        upper=high,
        censored=censored,
        limit=np.where(below, low, high)[censored],
        side=np.where(below, 1.0, -1.0)[censored],
    )


def mills(a: Tensor) -> tuple[Tensor, Tensor]:
    """Return r = phi(a) / Phi(a) and a + r, both with small relative errors at any a.

    R: ``exp(dnorm(a, log = TRUE) - pnorm(a, log.p = TRUE))``, which has lost half of the digits at a = -1e4.
    """
    r = np.sqrt(2 / np.pi) / erfcx(a * -np.sqrt(0.5))
    rest = a + r
    far = a < _FAR
    if far.any():
        x = -a[far]
        v = 1.0 / (x * x)
        rest[far] = (1 + v * (-2 + v * (10 + v * (-74 + v * (706 + v * -8162))))) / x
    return r, rest


def _excess(x: Tensor) -> Tensor:
    """Return E max(x + Z, 0) of a standard normal Z; 0 at -inf."""
    finite = np.where(np.isneginf(x), 0.0, x)
    return np.where(np.isneginf(x), 0.0, finite * ndtr(finite) + np.exp(-0.5 * finite * finite - HALF_LOG_2PI))
