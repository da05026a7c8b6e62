"""Gaussian rows, independent within class, with one sigma for all classes or one for each: by sums of each subject.

The likelihood depends on the rows only through n_i, y'y, X'y, X'X of each subject, so that a step costs a few matrix
products, whatever the number of visits.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only
from harness.gbtm.model import ClassDerivatives
from harness.gbtm.named import Parameter
from harness.gbtm.response import Response

LOG_2_PI = float(np.log(2 * np.pi))
SMALLEST_SIGMA = 1e-3
"""In working units: a class whose sigma falls here, a thousandth of the residual spread, has collapsed onto few rows
and its likelihood has no upper bound."""

_RIDGE = 1e-9  # an empty class stays solvable; for any other it is far below what Newton removes


@dataclass(frozen=True, kw_only=True, eq=False)
class GaussianMoments:
    """S starts, K classes, N subjects, Q columns; own vector: coefficients, log sigma (one, or K).

    `n`, `yy` (N,), `Xy` (N, Q), `XX` (N, Q^2) are the sums of each subject in working units.
    """

    response: Response
    by_class: bool
    n: Vector
    yy: Vector
    Xy: Matrix
    XX: Matrix

    @property
    def n_sigmas(self) -> int:
        """1, or K."""
        return self.response.n_classes if self.by_class else 1

    @property
    def n_free(self) -> int:
        """Coefficients and log sigmas."""
        return self.response.n_coefficients + self.n_sigmas

    @cached_property
    def sigma_places(self) -> Codes:
        """Place of the log sigma of each class, (K,)."""
        first, K = self.response.n_coefficients, self.response.n_classes
        return first + (np.arange(K) if self.by_class else np.zeros(K, dtype=np.int64))

    @cached_property
    def places(self) -> tuple[Codes, ...]:
        """Coefficients of the class, then its log sigma."""
        index = self.response.index
        return tuple(np.append(index[g, index[g] >= 0], self.sigma_places[g]) for g in range(self.response.n_classes))

    @property
    def lower(self) -> Vector:
        """Log sigma has a floor."""
        bounds = np.full(self.n_free, -np.inf)
        bounds[self.response.n_coefficients :] = np.log(SMALLEST_SIGMA)
        return bounds

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Coefficients, then sigma."""
        classes = range(1, self.response.n_classes + 1) if self.by_class else (0,)
        sigmas = tuple(Parameter(role="sigma", name="sigma", latent_class=g) for g in classes)
        return (*self.response.parameters, *sigmas)

    def log_density(self, own: Matrix) -> Tensor:
        """Return log f_ig; R: ``sum(dnorm(y, eta, sigma, log = TRUE))`` over the rows of a subject."""
        log_sigma = own[:, self.sigma_places]
        joint = self._residual_sums(self.response.coefficients(own))
        joint *= -0.5 * np.exp(-2 * log_sigma)[:, :, None]
        joint -= (log_sigma[:, :, None] + (0.5 * LOG_2_PI + np.log(self.response.scale))) * self.n
        return joint

    def squares(self, own: Matrix) -> Tensor:
        """Return sum_j (y_ij - eta_ijg)^2 / sigma_g^2, (S, K, N)."""
        precision = np.exp(-2 * own[:, self.sigma_places])
        return np.asarray(self._residual_sums(self.response.coefficients(own)) * precision[:, :, None])

    def derivatives(self, own: Matrix, weights: Tensor) -> tuple[ClassDerivatives, ...]:
        """Return the derivatives class by class."""
        S, Q = len(own), self.response.X.shape[1]
        beta = self.response.coefficients(own)
        precision = np.exp(-2 * own[:, self.sigma_places])
        squares = self.squares(own)
        sums = weights @ self.XX  # (S, K, Q^2)
        found = []
        for g, places in enumerate(self.places):
            used = self.response.used(g)
            scores = np.empty((S, len(places), len(self.n)))
            fitted = (beta[:, g] @ self._XX_by_column).reshape(S, Q, -1)[:, used]
            scores[:, :-1] = (self.Xy.T[used] - fitted) * precision[:, g, None, None]
            scores[:, -1] = squares[:, g] - self.n
            curvature = np.empty((S, len(places), len(places)))
            XX = sums[:, g].reshape(S, Q, Q)[:, used[:, None], used]
            curvature[:, :-1, :-1] = -XX * precision[:, g, None, None]
            cross = -2 * (scores[:, :-1] @ weights[:, g, :, None])[..., 0]
            curvature[:, :-1, -1] = curvature[:, -1, :-1] = cross
            curvature[:, -1, -1] = -2 * np.sum(weights[:, g] * squares[:, g], axis=1)
            found.append(ClassDerivatives(scores=scores, curvature=curvature))
        return tuple(found)

    def begin(self, weights: Tensor) -> Matrix:
        """Return the M-step with equal sigmas."""
        return self._maximised(weights, np.ones((len(weights), self.response.n_classes)))

    def m_step(self, weights: Tensor, own: Matrix) -> Matrix:
        """Return the maximiser; with common coefficients and class sigmas, that of the coefficients, then of sigma."""
        return self._maximised(weights, np.exp(-2 * own[:, self.sigma_places]))

    def simulate(self, own: Vector, classes: Codes, generator: np.random.Generator) -> Vector:
        """Return an outcome for each row, in the user's units, given each subject's class."""
        response = self.response
        of_row = classes[response.panel.subject]
        means = response.predictor(own[None])[0][of_row, np.arange(len(of_row))]
        sigma = np.exp(own[self.sigma_places])[of_row]
        noise = sigma * generator.standard_normal(len(of_row))
        return np.asarray(response.X @ response.pooled + response.scale * (means + noise))

    def of_subjects(self, some: slice) -> "GaussianMoments":
        """Return the density of some subjects only; what it can't do alone is what needs rows: to draw outcomes."""
        return replace(self, n=self.n[some], yy=self.yy[some], Xy=self.Xy[some], XX=self.XX[some])

    def permuted(self, classes: Codes) -> "GaussianMoments":
        """Return the density with its classes in another order."""
        return replace(self, response=self.response.permuted(classes))

    def relabelled(self, own: Matrix, classes: Codes) -> Matrix:
        """Return its own vectors with the classes in another order."""
        sigmas = own[:, self.response.n_coefficients :]
        return np.concatenate(
            [self.response.relabelled(own, classes), sigmas[:, classes] if self.by_class else sigmas], axis=1
        )

    def to_user(self, own: Vector) -> Vector:
        """Return coefficients of raw columns, and sigma."""
        sigmas = self.response.scale * np.exp(own[self.response.n_coefficients :])
        return np.concatenate([self.response.to_user(own), sigmas])

    def from_user(self, values: Vector) -> Vector:
        """Return the own vector of the user's values."""
        at = self.response.n_coefficients
        return np.concatenate([self.response.from_user(values[:at]), np.log(values[at:] / self.response.scale)])

    def user_jacobian(self, own: Vector) -> Matrix:
        """Return d to_user / d own."""
        at = self.response.n_coefficients
        jacobian = np.zeros((self.n_free, self.n_free))
        jacobian[:at, :at] = self.response.user_jacobian()
        sigmas = np.arange(at, self.n_free)
        jacobian[sigmas, sigmas] = self.response.scale * np.exp(own[at:])
        return jacobian

    @cached_property
    def _XX_by_column(self) -> Matrix:  # noqa: N802  # X'X as in the paper
        """X'X with the column that the coefficients multiply first, (Q, Q N)."""
        Q = self.response.X.shape[1]
        return np.ascontiguousarray(self.XX.T.reshape(Q, -1))

    @cached_property
    def _sums(self) -> Matrix:
        """n_i, y'y, X'y, X'X of each subject, (N, 2 + Q + Q^2)."""
        return np.concatenate([self.n[:, None], self.yy[:, None], self.Xy, self.XX], axis=1)

    def _residual_sums(self, beta: Tensor) -> Tensor:
        """Return sum_j (y_ij - x_ij' beta)^2, (S, K, N)."""
        S, K, Q = beta.shape
        squares = (beta[..., :, None] * beta[..., None, :]).reshape(S, K, Q * Q)
        factors = np.concatenate([np.ones((S, K, 1)), -2 * beta, squares], axis=2)
        return np.asarray((factors.reshape(S * K, -1) @ self._sums[:, 1:].T).reshape(S, K, -1))

    def _maximised(self, weights: Tensor, precision: Matrix) -> Matrix:
        S, K, N = weights.shape
        Q = self.response.X.shape[1]
        sums = (weights.reshape(S * K, N) @ self._sums).reshape(S, K, -1)
        rows, yy, Xy, XX = sums[..., 0], sums[..., 1], sums[..., 2 : 2 + Q], sums[..., 2 + Q :].reshape(S, K, Q, Q)
        joint = self.response.n_common > 0
        coefficients = self._jointly(Xy, XX, precision) if joint else self._by_class(Xy, XX)
        beta = self.response.coefficients(coefficients)
        residual = yy - 2 * np.sum(beta * Xy, axis=2) + np.einsum("ska,skab,skb->sk", beta, XX, beta)
        if not self.by_class:
            residual, rows = residual.sum(axis=1, keepdims=True), rows.sum(axis=1, keepdims=True)
        variance = np.maximum(residual / np.maximum(rows, 1e-300), SMALLEST_SIGMA**2)
        return np.concatenate([coefficients, 0.5 * np.log(variance)], axis=1)

    def _by_class(self, Xy: Tensor, XX: Tensor) -> Matrix:
        free = self.response.index >= 0
        Q = free.shape[1]
        # Coefficients that a class does not have get the equation beta = 0.
        normal = np.where(free[:, :, None] & free[:, None, :], XX, 0.0)
        normal += np.eye(Q) * np.where(free, _RIDGE, 1.0)[:, None]
        beta = np.linalg.solve(normal, np.where(free, Xy, 0.0)[..., None])[..., 0]
        return np.asarray(beta[:, free])

    def _jointly(self, Xy: Tensor, XX: Tensor, precision: Matrix) -> Matrix:
        count = self.response.n_coefficients
        normal = np.tile(_RIDGE * np.eye(count), (len(Xy), 1, 1))
        right = np.zeros((len(Xy), count))
        for g in range(self.response.n_classes):
            used = self.response.used(g)
            place = self.response.index[g, used]
            normal[:, place[:, None], place] += precision[:, g, None, None] * XX[:, g, used[:, None], used]
            right[:, place] += precision[:, g, None] * Xy[:, g, used]
        return np.asarray(np.linalg.solve(normal, right[..., None])[..., 0])


def gaussian_moments(response: Response, *, by_class: bool) -> GaussianMoments:
    """Return the density with its sums by subject."""
    X, y, panel = response.X, response.y, response.panel
    products = (X[:, :, None] * X[:, None, :]).reshape(len(y), -1)
    return GaussianMoments(
        response=response,
        by_class=by_class,
        n=read_only(panel.sum(np.ones_like(y))),
        yy=read_only(panel.sum(y**2)),
        Xy=read_only(np.ascontiguousarray(panel.sum((X * y[:, None]).T).T)),
        XX=read_only(np.ascontiguousarray(panel.sum(products.T).T)),
    )
