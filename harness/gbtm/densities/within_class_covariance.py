"""The covariance of a subject's rows within a class, as a function of its parameters.

Sigma_ig = w_g^2 Z_i V Z_i' + diag(sigma^2) + process, V = L L', over the kept rows of a `RotatedPanel`. It is linear in
sigma^2 and in the entries of D_g = w_g^2 V, so derivatives are taken by these *components* (and by the parameters of
the process) and then by the chain rule.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.arrays import Matrix, Tensor, Vector, read_only
from harness.gbtm.densities.covariance_factor import CovarianceFactor
from harness.gbtm.densities.matrix_inverse import inverse_and_log_det
from harness.gbtm.densities.own_layout import OwnLayout
from harness.gbtm.densities.process import Process
from harness.gbtm.densities.rotated_panel import RotatedPanel


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Covariances:
    """S starts, J distinct covariances among the classes (1 or K), C patterns, m rows.

    Attributes
    ----------
    inverse, log_det : (S, J, m, m, C), (S, J, C)
        Of the kept rows.
    rest_variance : (S, J)
        Of each of the other rows.
    """

    inverse: Tensor
    log_det: Tensor
    rest_variance: Matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Components:
    """How the components of one class depend on its p covariance parameters; those of a process are its parameters.

    Attributes
    ----------
    slopes : (S, p, k)
        d component / d parameter.
    curved : (S, p, p, k)
        What to multiply the score of each component by, for the second derivatives of the components (of a process:
        of Sigma by log s, which are twice the first ones).
    """

    slopes: Tensor
    curved: Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class WithinClassCovariance:
    """The covariances of all classes."""

    layout: OwnLayout
    panel: RotatedPanel
    factor: CovarianceFactor
    process: Process

    @cached_property
    def n_noise(self) -> int:
        """How many sigmas one class has."""
        return self.layout.n_visits if self.layout.sigma == "visit" else 1

    @cached_property
    def fixed_directions(self) -> Tensor:
        """D Sigma / d component for sigma^2 and the entries of D, (k, m, m, C); the same at all parameters."""
        panel, m = self.panel, self.panel.n_rows
        found = np.zeros((self.n_noise + self.factor.n_entries, m, m, panel.n_patterns))
        rows = np.arange(m)
        for v in range(self.n_noise):
            here = panel.visits == v if self.layout.sigma == "visit" else True
            found[v, rows, rows] = panel.real & here
        for p, (c, d) in enumerate(self.factor.pairs):
            outer = panel.Z[:, None, c] * panel.Z[None, :, d]
            found[self.n_noise + p] = outer if c == d else outer + outer.transpose(1, 0, 2)
        return read_only(found)

    def at(self, own: Matrix) -> Covariances:
        """Return the covariances at own vectors (S, n_free)."""
        components = np.stack([self._components(own, g) for g in range(self._count)], axis=1)
        S, J, k = components.shape
        m, C = self.panel.n_rows, self.panel.n_patterns
        Sigma = (components.reshape(S * J, k) @ self.fixed_directions.reshape(k, -1)).reshape(S, J, m, m, C)
        if self.process.n_parameters:
            Sigma += self.process.covariance(own[:, self.layout.processes])[:, None]
        rows = np.arange(m)
        Sigma[:, :, rows, rows] += ~self.panel.real  # padding: independent, of variance 1
        inverse, log_det = inverse_and_log_det(Sigma)
        return Covariances(inverse=inverse, log_det=log_det, rest_variance=components[:, :, 0])

    def slopes(self, own: Matrix) -> Tensor:
        """Return d Sigma / d component, the last ones those of the process, (S or 1, k, m, m, C)."""
        fixed = self.fixed_directions[None]
        if not self.process.n_parameters:
            return fixed
        moving = self.process.slopes(own[:, self.layout.processes])
        return np.concatenate([np.broadcast_to(fixed, (len(own), *fixed.shape[1:])), moving], axis=1)

    def by_rate(self, own: Matrix) -> Tensor | None:
        """Return the second derivative of Sigma by log r, (S, m, m, C), of an ar1; None for any other process."""
        return self.process.second_by_rate(own[:, self.layout.processes]) if self.process.kind == "ar1" else None

    def components(self, own: Matrix, g: int) -> Components:
        """Return how the components of class g depend on its parameters at `OwnLayout.covariance_places`."""
        layout, factor = self.layout, self.factor
        S, v, q = len(own), self.n_noise, factor.n_entries
        w2 = np.exp(2 * layout.log_scales(own)[:, g])
        noise = np.arange(v)
        p, k = len(layout.covariance_places(g)), v + q + self.process.n_parameters
        slopes, curved = np.zeros((S, p, k)), np.zeros((S, p, p, k))
        variance = np.exp(2 * own[:, layout.sigma_places(g)])
        slopes[:, noise, noise] = 2 * variance
        curved[:, noise, noise, noise] = 4 * variance
        by_L = slice(v, v + q)
        L = own[:, layout.factors]
        slopes[:, by_L, by_L] = w2[:, None, None] * factor.slopes(L)
        curved[:, by_L, by_L, by_L] = 2 * w2[:, None, None, None] * factor.quadratic.transpose(1, 2, 0)
        if layout.has_scale(g):
            D = w2[:, None] * factor.entries(L)
            slopes[:, v + q, by_L] = 2 * D
            curved[:, v + q, v + q, by_L] = 4 * D
            curved[:, by_L, v + q, by_L] = curved[:, v + q, by_L, by_L] = 2 * slopes[:, by_L, by_L]
        last = np.arange(self.process.n_parameters)
        slopes[:, p - 1 - last, k - 1 - last] = 1.0
        for earlier in last:  # by log s, twice the first derivative, whichever parameter the other is
            at, component = p - 1 - earlier, k - 1 - earlier
            curved[:, p - 1, at, component] = curved[:, at, p - 1, component] = 2.0
        return Components(slopes=slopes, curved=curved)

    def random_covariance(self, own: Vector) -> Tensor:
        """Return D_g = w_g^2 V in the working basis, (K, q, q)."""
        V = self.factor.matrix(self.factor.entries(own[None, self.layout.factors]))[0]
        return np.asarray(np.exp(2 * self.layout.log_scales(own[None])[0])[:, None, None] * V)

    @property
    def _count(self) -> int:
        return self.layout.n_classes if self.layout.by_class else 1

    def _components(self, own: Matrix, g: int) -> Matrix:
        w2 = np.exp(2 * self.layout.log_scales(own)[:, g])[:, None]
        D = w2 * self.factor.entries(own[:, self.layout.factors])
        return np.concatenate([np.exp(2 * own[:, self.layout.sigma_places(g)]), D], axis=1)
