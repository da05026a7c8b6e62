"""Where each parameter of a density with correlated rows stands in its own vector."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.arrays import Codes, Matrix
from harness.gbtm.spec import RandomScale, Sigma


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnLayout:
    """Coefficients of the mean; log sigma; entries of L; log w_1 .. log w_(K-1); the process.

    Attributes
    ----------
    n_coefficients, n_entries, n_process : int
        How many coefficients, entries of L, and parameters of the process.
    n_visits : int
        How many distinct times: as many sigmas, if there is one for each visit.
    sigma, random_scale
        As in `GbtmSpec`.
    """

    n_classes: int
    n_coefficients: int
    n_entries: int
    n_process: int
    n_visits: int
    sigma: Sigma
    random_scale: RandomScale

    @property
    def n_sigmas(self) -> int:
        """1, K, or one for each visit."""
        return {"shared": 1, "class": self.n_classes, "visit": self.n_visits}[self.sigma]

    @property
    def n_scales(self) -> int:
        """K - 1, or none."""
        return self.n_classes - 1 if self.random_scale == "class" and self.n_entries else 0

    @property
    def n_free(self) -> int:
        """Length of the own vector."""
        return int(self.processes.stop)

    @property
    def by_class(self) -> bool:
        """Whether classes differ in their covariance."""
        return self.n_scales > 0 or (self.sigma == "class" and self.n_classes > 1)

    @cached_property
    def sigmas(self) -> slice:
        """Place of log sigma."""
        return slice(self.n_coefficients, self.n_coefficients + self.n_sigmas)

    @cached_property
    def factors(self) -> slice:
        """Place of the entries of L."""
        return slice(self.sigmas.stop, self.sigmas.stop + self.n_entries)

    @cached_property
    def scales(self) -> slice:
        """Place of log w."""
        return slice(self.factors.stop, self.factors.stop + self.n_scales)

    @cached_property
    def processes(self) -> slice:
        """Place of the process."""
        return slice(self.scales.stop, self.scales.stop + self.n_process)

    def sigma_places(self, g: int) -> Codes:
        """Return the places of the log sigmas of class g: one, or one for each visit."""
        every = np.arange(self.sigmas.start, self.sigmas.stop)
        return every[g : g + 1] if self.sigma == "class" else every

    def has_scale(self, g: int) -> bool:
        """Return whether class g has a w of its own; the last one has w = 1."""
        return self.n_scales > 0 and g < self.n_classes - 1

    def covariance_places(self, g: int) -> Codes:
        """Return the places of the covariance parameters of class g: sigma, L, w, process."""
        w = [self.scales.start + g] if self.has_scale(g) else []
        rest = (
            np.arange(self.factors.start, self.factors.stop),
            w,
            np.arange(self.processes.start, self.processes.stop),
        )
        return np.concatenate([self.sigma_places(g), *rest]).astype(np.int64)

    def log_scales(self, own: Matrix) -> Matrix:
        """Return log w of all classes, (S, K), that of the last being 0."""
        if not self.n_scales:
            return np.zeros((len(own), self.n_classes))
        return np.concatenate([own[:, self.scales], np.zeros((len(own), 1))], axis=1)

    def relabelled(self, own: Matrix, classes: Codes) -> Matrix:
        """Return the own vectors with classes in another order, coefficients apart: w is of another reference."""
        moved = own.copy()
        if self.sigma == "class":
            moved[:, self.sigmas] = own[:, self.sigmas][:, classes]
        if self.n_scales:
            log_scales = self.log_scales(own)[:, classes]
            moved[:, self.factors] *= np.exp(log_scales[:, -1:])
            moved[:, self.scales] = log_scales[:, :-1] - log_scales[:, -1:]
        return moved
