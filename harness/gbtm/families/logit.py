"""Successes among trials, or 0/1: eta is the log-odds."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, gammaln

from harness.arrays import Tensor, Vector
from harness.errors import Problem
from harness.gbtm.families.logistic import chances
from harness.gbtm.families.rows import RowDerivatives, complaint


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Logit:
    """Binomial(m, expit(eta)); R: ``dbinom(y, m, plogis(eta), log = TRUE)``."""

    y: Vector
    trials: Vector  # m; 1 for an outcome of 0/1
    log_choose: Vector  # log C(m, y)

    @property
    def has_second(self) -> bool:
        """It has none."""
        return False

    def log_density(self, eta: Tensor, zeta: Tensor | None) -> Tensor:  # noqa: ARG002 - one law for all families
        """Return y log p + (m - y) log(1 - p) + log C(m, y)."""
        # y eta - m max(eta, 0) without a difference of large numbers where y = m.
        leading = eta * np.where(eta < 0, self.y, self.y - self.trials)
        return np.asarray(leading - self.trials * np.log1p(np.exp(-np.abs(eta))) + self.log_choose)

    def derivatives(self, eta: Tensor, zeta: Tensor | None) -> RowDerivatives:  # noqa: ARG002 - one law for all families
        """Return the derivatives of the log density."""
        c = chances(eta)
        failures = self.trials - self.y
        return RowDerivatives(
            d_eta=self.y * c.q - failures * c.p,
            d2_eta=-self.trials * (c.p * c.q),
            d_zeta=None,
            d_eta_zeta=None,
            d2_zeta=None,
        )

    def mean(self, eta: Tensor, zeta: Tensor | None) -> Tensor:  # noqa: ARG002 - one law for all families
        """Return m expit(eta)."""
        return np.asarray(self.trials * expit(eta))

    def simulate(self, eta: Tensor, zeta: Tensor | None, generator: np.random.Generator) -> Tensor:  # noqa: ARG002
        """Return draws of the numbers of successes."""
        return generator.binomial(self.trials.astype(np.int64), expit(eta)).astype(np.float64)

    def working_outcome(self) -> Vector:
        """Return log((y + 1/2) / (m - y + 1/2)), the empirical log-odds."""
        return np.log((self.y + 0.5) / (self.trials - self.y + 0.5))

    def rough_second(self, eta: Tensor, weights: Tensor) -> Tensor:  # noqa: ARG002 - one law for all families
        """Return zeros: it has none."""
        return np.zeros(eta.shape[:-1])

    def problems(self) -> Iterator[Problem]:
        """Yield trials that are none, and outcomes that are no number of successes among them."""
        y, m = self.y, self.trials
        are_trials = np.isfinite(m) & (m >= 1) & (m == np.floor(m))
        yield from complaint(~are_trials & ~np.isnan(y), "trials", m, "whole numbers >= 1")
        between = "0 or 1" if (m == 1).all() else "whole numbers from 0 to the number of trials"
        yield from complaint(y < 0, "a negative outcome", y, between)
        yield from complaint(y > m, "more successes than trials", y, between)
        yield from complaint((y >= 0) & (y <= m) & (y != np.floor(y)), "an outcome that is not whole", y, between)


def logit(y: Vector, trials: Vector | None) -> Logit:
    """Return the family on rows with these successes; without `trials` they are of one trial each."""
    m = np.ones_like(y) if trials is None else trials
    return Logit(y=y, trials=m, log_choose=gammaln(m + 1.0) - gammaln(y + 1.0) - gammaln(m - y + 1.0))
