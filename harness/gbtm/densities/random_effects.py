"""A gaussian outcome whose rows are correlated within class: random effects, and a process in the errors.

y_i | g ~ N(X_i beta_g, w_g^2 Z_i V Z_i' + sigma_g^2 I + process), V = L L', w_K = 1: the growth mixture model (Muthen &
Shedden 1999), parametrised as by lcmm.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector
from harness.errors import Problem, SpecError
from harness.gbtm.densities import marginal_derivatives, marginal_normal
from harness.gbtm.densities.complete import newton_m_step
from harness.gbtm.densities.correlated_errors import conditional_modes, correlated_errors
from harness.gbtm.densities.covariance_factor import CovarianceFactor
from harness.gbtm.densities.first_values import first_values
from harness.gbtm.densities.moments import SMALLEST_SIGMA
from harness.gbtm.densities.own_layout import OwnLayout
from harness.gbtm.densities.process import build_process
from harness.gbtm.densities.random_basis import random_basis
from harness.gbtm.densities.rotated_panel import RotatedPanel, rotate
from harness.gbtm.densities.within_class_covariance import WithinClassCovariance
from harness.gbtm.model import ClassDerivatives
from harness.gbtm.named import Parameter
from harness.gbtm.response import Response
from harness.gbtm.spec import GbtmSpec

SMALLEST_SCALE = 1e-4
"""A class whose w falls here has no random effects."""

_BATCH = 100_000  # numbers in the largest array: batches of starts are cut to it
_FIRST_STEPS = 3

SIGMA_BESIDE_PROCESS = 1e-5


@dataclass(frozen=True, kw_only=True, eq=False)
class RandomEffectsDensity:
    """S starts, K classes, N subjects, q random effects; own vector as in `OwnLayout`.

    Attributes
    ----------
    response
        The outcome and the columns of its mean.
    covariance
        Of its rows within each class.
    """

    response: Response
    covariance: WithinClassCovariance

    @property
    def layout(self) -> OwnLayout:
        """Where each parameter stands in the own vector."""
        return self.covariance.layout

    @property
    def n_free(self) -> int:
        """Length of the own vector."""
        return self.layout.n_free

    @cached_property
    def places(self) -> tuple[Codes, ...]:
        """Coefficients of the class, then sigma, L, its w, and the process."""
        index = self.response.index
        return tuple(
            np.concatenate([index[g, index[g] >= 0], self.layout.covariance_places(g)])
            for g in range(self.response.n_classes)
        )

    @cached_property
    def lower(self) -> Vector:
        """Floors of what is a logarithm."""
        bounds = np.full(self.n_free, -np.inf)
        # Beside a process sigma may well be zero, and the likelihood stays bounded.
        bounds[self.layout.sigmas] = np.log(SMALLEST_SIGMA if not self.layout.n_process else SIGMA_BESIDE_PROCESS)
        bounds[self.layout.scales] = np.log(SMALLEST_SCALE)
        bounds[self.layout.processes] = self.covariance.process.lower
        return bounds

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Coefficients, sigma, the covariance of random effects, w of classes 1 .. K-1, the process."""
        K = self.response.n_classes
        return (
            *self.response.parameters,
            *_sigmas(self.layout, self.covariance.panel),
            *self.covariance.factor.parameters,
            *(Parameter(role="scale", name="w", latent_class=g) for g in range(1, K) if self.layout.n_scales),
            *self.covariance.process.parameters,
        )

    def log_density(self, own: Matrix) -> Tensor:
        """Return log f_ig; R: ``mvtnorm::dmvnorm(y, X %*% beta, Z %*% V %*% t(Z) + sigma^2 * diag(n), log = TRUE)``."""
        return np.concatenate([self._log_density(own[batch]) for batch in self._batches(len(own))])

    def derivatives(self, own: Matrix, weights: Tensor) -> tuple[ClassDerivatives, ...]:
        """Return the derivatives class by class."""
        found = [self._derivatives(own[batch], weights[batch]) for batch in self._batches(len(own))]
        if len(found) == 1:
            return found[0]
        return tuple(
            ClassDerivatives(
                scores=np.concatenate([part.scores for part in parts]),
                curvature=np.concatenate([part.curvature for part in parts]),
            )
            for parts in zip(*found, strict=True)
        )

    def begin(self, weights: Tensor) -> Matrix:
        """Return regressions on weighted rows, half of their residual variance between subjects, then a few M-steps."""
        own = first_values(weights, self.response, self.covariance)
        for _ in range(_FIRST_STEPS):
            own = self.m_step(weights, own)
        return own

    def m_step(self, weights: Tensor, own: Matrix) -> Matrix:
        """Return a Newton step of sum_ig weight_ig log f_ig, shortened until it does not lower it."""
        return newton_m_step(self, weights, own)

    def simulate(self, own: Vector, classes: Codes, generator: np.random.Generator) -> Vector:
        """Return an outcome for each row, in the user's units, given each subject's class (N,)."""
        response = self.response
        of_row = classes[response.panel.subject]
        means = response.predictor(own[None])[0][of_row, np.arange(len(of_row))]
        errors = correlated_errors(own, classes, generator, response, self.covariance)
        return np.asarray(response.X @ response.pooled + response.scale * (means + errors))

    def permuted(self, classes: Codes) -> "RandomEffectsDensity":
        """Return the density with its classes in another order."""
        return replace(self, response=self.response.permuted(classes))

    def relabelled(self, own: Matrix, classes: Codes) -> Matrix:
        """Return its own vectors with the classes in another order; L of the last one, with a positive diagonal."""
        moved = self.layout.relabelled(own, classes)
        moved[:, self.layout.factors] = self.covariance.factor.with_signs(moved[:, self.layout.factors])
        moved[:, : self.layout.n_coefficients] = self.response.relabelled(own, classes)
        return moved

    def to_user(self, own: Vector) -> Vector:
        """Return coefficients of raw columns, sigma, V (upper triangle by columns, or variances), w, r, s^2."""
        layout, process = self.layout, self.covariance.process
        return np.concatenate(
            [
                self.response.to_user(own),
                self.response.scale * np.exp(own[layout.sigmas]),
                self.covariance.factor.to_user(own[layout.factors]),
                np.exp(own[layout.scales]),
                process.units * np.exp(process.powers * own[layout.processes]),
            ]
        )

    def from_user(self, values: Vector) -> Vector:
        """Return the own vector of the user's values.

        Raises
        ------
        SpecError
            If a sigma, w, r or s^2 is not > 0, or V is not positive semidefinite.
        """
        layout, process = self.layout, self.covariance.process
        factor = self.covariance.factor.from_user(values[layout.factors])
        problems = list(self._problems(values))
        if factor is None or problems:
            if factor is None:
                found = f"covariance of random effects {values[layout.factors].tolist()!r}"
                problems.append(Problem(found=found, expected="a positive semidefinite matrix"))
            raise SpecError("parameters of random effects", problems)
        return np.concatenate(
            [
                self.response.from_user(values[: layout.n_coefficients]),
                np.log(values[layout.sigmas] / self.response.scale),
                factor,
                np.log(values[layout.scales]),
                np.log(values[layout.processes] / process.units) / process.powers,
            ]
        )

    def user_jacobian(self, own: Vector) -> Matrix:
        """Return d to_user / d own; it loses rank where V is singular (see `singular`)."""
        layout = self.layout
        jacobian = np.zeros((self.n_free, self.n_free))
        coefficients = slice(0, layout.n_coefficients)
        jacobian[coefficients, coefficients] = self.response.user_jacobian()
        jacobian[layout.factors, layout.factors] = self.covariance.factor.user_slopes(own[layout.factors])
        user, powers = self.to_user(own), np.zeros(self.n_free)
        powers[layout.sigmas] = powers[layout.scales] = 1.0
        powers[layout.processes] = self.covariance.process.powers
        logarithms = np.flatnonzero(powers)
        jacobian[logarithms, logarithms] = (powers * user)[logarithms]
        return jacobian

    def singular(self, own: Vector) -> Matrix:
        """Return the linear combinations of random effects that have no variance, (h, q), in the user's basis.

        Where h > 0, V is at the boundary of what it can be, and standard errors of its entries mean nothing.
        """
        sigma = float(np.exp(own[self.layout.sigmas].min()))
        return self.covariance.factor.singular(own[self.layout.factors], sigma)

    def conditional_modes(self, own: Vector, posterior: Matrix) -> tuple[Tensor, Matrix]:
        """Return the random effects of each subject given its class, and their mean over classes.

        Parameters
        ----------
        own
            One own vector, (n_free,).
        posterior
            Class probabilities (K, N).

        Returns
        -------
        (K, N, q), (N, q)
            u_ig = V_g Z_i' Sigma_ig^-1 (y_i - X_i beta_g) and sum_g p_ig u_ig, of powers of the user's time. R:
            ``lcmm::hlme(...)$predRE`` is the latter.
        """
        modes = conditional_modes(self.response.coefficients(own[None])[0], own, self.covariance)
        return modes, np.asarray(np.einsum("kn,knq->nq", posterior, modes))

    def _log_density(self, own: Matrix) -> Tensor:
        panel, at = self.covariance.panel, self.covariance.at(own)
        beta = self.response.coefficients(own)
        found = np.empty((len(own), self.response.n_classes, len(panel.rest)))
        for g in range(self.response.n_classes):
            j = min(g, at.inverse.shape[1] - 1)
            residuals = marginal_normal.residuals(beta[:, g], at.inverse[:, j], panel)
            found[:, g] = marginal_normal.log_density(residuals, at.log_det[:, j], at.rest_variance[:, j, None], panel)
        return np.asarray(found - np.log(self.response.scale) * panel.sizes)

    def _derivatives(self, own: Matrix, weights: Tensor) -> tuple[ClassDerivatives, ...]:
        covariance, at = self.covariance, self.covariance.at(own)
        slopes, by_rate = covariance.slopes(own), covariance.by_rate(own)
        beta = self.response.coefficients(own)
        by_covariance = [
            marginal_derivatives.directions(at.inverse[:, j], at.rest_variance[:, j, None], slopes, by_rate)
            for j in range(at.inverse.shape[1])
        ]
        return tuple(
            marginal_derivatives.derivatives(
                beta[:, g],
                by_covariance[min(g, len(by_covariance) - 1)],
                covariance.components(own, g),
                weights[:, g],
                covariance.panel,
                used=self.response.used(g),
            )
            for g in range(self.response.n_classes)
        )

    def _batches(self, S: int) -> Iterator[slice]:
        k, m, _, _ = self.covariance.fixed_directions.shape
        size = max(1, _BATCH // (max(k * m * m * len(self.covariance.panel.rest), 1)))
        return (slice(first, first + size) for first in range(0, S, size))

    def _problems(self, values: Vector) -> Iterator[Problem]:
        for role, place in (
            ("sigma", self.layout.sigmas),
            ("w", self.layout.scales),
            ("process", self.layout.processes),
        ):
            if not (values[place] > 0).all():
                yield Problem(found=f"{role} {values[place].tolist()!r}", expected="numbers > 0")


def _sigmas(layout: OwnLayout, panel: RotatedPanel) -> Iterator[Parameter]:
    if layout.sigma == "visit":
        yield from (Parameter(role="sigma", name=f"sigma[{time:g}]", latent_class=0) for time in panel.visit_times)
    else:
        classes = range(1, layout.n_classes + 1) if layout.sigma == "class" else (0,)
        yield from (Parameter(role="sigma", name="sigma", latent_class=g) for g in classes)


def build_random_effects(response: Response, spec: GbtmSpec) -> RandomEffectsDensity:
    """Return the density of an outcome with random effects, a process in its errors, or both.

    Raises
    ------
    SpecError
        If the distinct times do not support the random effects, or a Brownian motion would begin after a visit.
    """
    times = response.time
    problems = []
    if spec.random is not None and len(np.unique(times)) <= spec.random:
        found = f"random effects of order {spec.random} with {len(np.unique(times))} distinct times"
        problems.append(Problem(found=found, expected="a lower order than there are distinct times"))
    if spec.errors == "brownian" and times.min() < 0:
        found = f"a Brownian motion with a visit at time {times.min():g}"
        problems.append(Problem(found=found, expected="times >= 0, where it begins"))
    if problems:
        raise SpecError(f"random effects of {spec.outcome!r}", problems)
    basis = random_basis(times, spec.random, spec.random_covariance, str(spec.time))
    panel = rotate(response, basis.Z, keep_all=spec.errors != "independent" or spec.sigma == "visit")
    factor = CovarianceFactor(basis=basis, kind=spec.random_covariance, scale=response.scale)
    process = build_process(spec.errors, panel.times, panel.real, response.scale)
    layout = OwnLayout(
        n_classes=response.n_classes,
        n_coefficients=response.n_coefficients,
        n_entries=factor.n_entries,
        n_process=process.n_parameters,
        n_visits=len(panel.visit_times),
        sigma=spec.sigma,
        random_scale=spec.random_scale,
    )
    covariance = WithinClassCovariance(layout=layout, panel=panel, factor=factor, process=process)
    return RandomEffectsDensity(response=response, covariance=covariance)
