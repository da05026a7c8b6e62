"""Rows of any family, independent within class: log f_ig = sum_j log f(y_ij; eta_ijg, zeta_ijg)."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only
from harness.gbtm.densities.complete import newton_m_step
from harness.gbtm.densities.second_predictor import SecondPredictor, build_second
from harness.gbtm.families.build import row_family
from harness.gbtm.families.censored_normal import CensoredNormal
from harness.gbtm.families.gaussian import Gaussian
from harness.gbtm.families.rows import RowDerivatives, RowFamily, second
from harness.gbtm.model import ClassDerivatives
from harness.gbtm.named import Parameter
from harness.gbtm.response import Response
from harness.gbtm.rows import Rows
from harness.gbtm.spec import GbtmSpec

_FIRST_STEPS = 3
_AT_ONCE = 150_000  # rows times classes times starts: more leave the cache, and memory is fetched anew for each term
_OF_ALL = 1e-6  # weight of all subjects in the beginning of every class, so that an empty class has one


@dataclass(frozen=True, kw_only=True, eq=False)
class RowsDensity:
    """S starts, K classes, N subjects, n rows, Q columns; own vector: coefficients, then those of `second`.

    `log_scale` (N,) is the logarithm of the unit of the outcome, summed over the rows that have a density in that unit.
    `limits` of what is observed are in the user's units, infinite where there are none.
    """

    response: Response
    family: RowFamily
    second: SecondPredictor
    log_scale: Vector
    limits: tuple[float, float]

    @property
    def n_free(self) -> int:
        """Coefficients of both predictors."""
        return self.response.n_coefficients + self.second.n_free

    @cached_property
    def places(self) -> tuple[Codes, ...]:
        """Coefficients of the class, then those of its second predictor."""
        shifted = np.where(self.second.index >= 0, self.second.index + self.response.n_coefficients, -1)
        return tuple(places[places >= 0] for places in np.concatenate([self.response.index, shifted], axis=1))

    @property
    def lower(self) -> Vector:
        """Log sigma has a floor, and the logarithm of the precision a ceiling."""
        bounds = np.full(self.n_free, -np.inf)
        bounds[self.response.n_coefficients :] = self.second.floor
        return bounds

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Coefficients, then what the family adds."""
        return (*self.response.parameters, *self.second.parameters)

    def predictors(self, own: Matrix) -> tuple[Tensor, Tensor]:
        """Return eta (S, K, n) in working units, and zeta (S, K, n) or (S, K, 1)."""
        return self.response.predictor(own), self.second.values(self._of_second(own))

    def log_density(self, own: Matrix) -> Tensor:
        """Return log f_ig, (S, K, N), with all constants and in the user's units."""
        found = np.empty((len(own), self.response.n_classes, self.response.panel.n_subjects))
        for part in self._batches(len(own)):
            found[part] = self.response.panel.sum(self.family.log_density(*self.predictors(own[part])))
        found -= self.log_scale
        return found

    def derivatives(self, own: Matrix, weights: Tensor) -> tuple[ClassDerivatives, ...]:
        """Return the derivatives class by class."""
        batches = [self._by_class(own[part], weights[part]) for part in self._batches(len(own))]
        return tuple(_joined(parts) for parts in zip(*batches, strict=True))

    def begin(self, weights: Tensor) -> Matrix:
        """Return least squares on the roughly gaussian outcome of each family, followed by a few M-steps."""
        return np.concatenate([self._begin(weights[part] + _OF_ALL) for part in self._batches(len(weights))])

    def _begin(self, weights: Tensor) -> Matrix:
        own = np.zeros((len(weights), self.n_free))
        own[:, : self.response.n_coefficients] = self._least_squares(weights)
        rows = weights[..., self.response.panel.subject]
        zeta = self.family.rough_second(self.response.predictor(own), rows)
        own[:, self.response.n_coefficients :] = self.second.constant(zeta)
        own = np.maximum(own, self.lower)
        for _ in range(_FIRST_STEPS):
            own = self.m_step(weights, own)
        return own

    def m_step(self, weights: Tensor, own: Matrix) -> Matrix:
        """Return the parameters after one damped Newton step."""
        return newton_m_step(self, weights, own)

    def simulate(self, own: Vector, classes: Codes, generator: np.random.Generator) -> Vector:
        """Return an outcome for each row, in the user's units, given each subject's class (N,)."""
        response = self.response
        eta, zeta = (
            np.broadcast_to(part[0], (response.n_classes, len(response.y))) for part in self.predictors(own[None])
        )
        chosen = classes[response.panel.subject], np.arange(len(response.y))
        # Limits are put on in the user's units: a limit that went there and back would no longer be one exactly.
        family = Gaussian(y=response.y) if isinstance(self.family, CensoredNormal) else self.family
        draws = family.simulate(eta[chosen], zeta[chosen], generator)
        return np.clip(response.X @ response.pooled + response.scale * draws, *self.limits)

    def permuted(self, classes: Codes) -> "RowsDensity":
        """Return the density with its classes in another order."""
        return replace(self, response=self.response.permuted(classes), second=self.second.permuted(classes))

    def relabelled(self, own: Matrix, classes: Codes) -> Matrix:
        """Return its own vectors with the classes in another order."""
        second = self.second.relabelled(self._of_second(own), classes)
        return np.concatenate([self.response.relabelled(own, classes), second], axis=1)

    def to_user(self, own: Vector) -> Vector:
        """Return coefficients of raw columns, then sigma, zero-inflation coefficients or precision."""
        return np.concatenate([self.response.to_user(own), self.second.to_user(own[self.response.n_coefficients :])])

    def from_user(self, values: Vector) -> Vector:
        """Return the own vector of the user's values."""
        at = self.response.n_coefficients
        return np.concatenate([self.response.from_user(values[:at]), self.second.from_user(values[at:])])

    def user_jacobian(self, own: Vector) -> Matrix:
        """Return d to_user / d own."""
        at = self.response.n_coefficients
        jacobian = np.zeros((self.n_free, self.n_free))
        jacobian[:at, :at] = self.response.user_jacobian()
        jacobian[at:, at:] = self.second.user_jacobian(own[at:])
        return jacobian

    def _batches(self, S: int) -> list[slice]:
        size = max(1, _AT_ONCE // (self.response.n_classes * len(self.response.y)))
        return [slice(first, first + size) for first in range(0, S, size)]

    def _by_class(self, own: Matrix, weights: Tensor) -> list[ClassDerivatives]:
        eta, zeta = self.predictors(own)
        return [
            self._of_class(g, self.family.derivatives(eta[:, g], zeta[:, g]), weights[:, g])
            for g in range(self.response.n_classes)
        ]

    def _of_second(self, own: Matrix) -> Matrix:
        return own[:, self.response.n_coefficients :]

    def _of_class(self, g: int, by_row: RowDerivatives, weights: Matrix) -> ClassDerivatives:
        """Return the derivatives of class g from those of its rows, by the chain rule."""
        S, N = weights.shape
        panel, used, also = self.response.panel, self.response.used(g), self.second.used(g)
        q, r = len(used), len(also)
        scores, curvature = np.empty((S, q + r, N)), np.empty((S, q + r, q + r))
        for place, column in enumerate(used):
            scores[:, place] = panel.sum(by_row.d_eta * self._columns[column])
        rows = weights[:, panel.subject]
        Q = len(self._columns)
        curvature[:, :q, :q] = _square((rows * by_row.d2_eta) @ self._XX, Q, Q)[:, used[:, None], used]
        if r == 0:
            return ClassDerivatives(scores=scores, curvature=curvature)
        Z = self.second.Z
        for place, column in enumerate(also):
            scores[:, q + place] = panel.sum(second(by_row.d_zeta) * Z[:, column])
        cross = _square((rows * second(by_row.d_eta_zeta)) @ self._XZ, Q, Z.shape[1])[:, used[:, None], also]
        curvature[:, :q, q:], curvature[:, q:, :q] = cross, cross.transpose(0, 2, 1)
        first, other, products = self._ZZ
        ZZ = np.zeros((S, Z.shape[1], Z.shape[1]))
        ZZ[:, first, other] = ZZ[:, other, first] = (rows * second(by_row.d2_zeta)) @ products
        curvature[:, q:, q:] = ZZ[:, also[:, None], also]
        return ClassDerivatives(scores=scores, curvature=curvature)

    @cached_property
    def _columns(self) -> Matrix:
        return np.ascontiguousarray(self.response.X.T)

    @cached_property
    def _XX(self) -> Matrix:  # noqa: N802  # X'X as in the paper
        X = self.response.X
        return np.asarray((X[:, :, None] * X[:, None, :]).reshape(len(X), -1))

    @cached_property
    def _XZ(self) -> Matrix:  # noqa: N802
        X, Z = self.response.X, self.second.Z
        return np.asarray((X[:, :, None] * Z[:, None, :]).reshape(len(X), -1))

    @cached_property
    def _ZZ(self) -> tuple[Codes, Codes, Matrix]:  # noqa: N802
        """Pairs of columns whose product is not 0 in every row (of visits, none but the squares), and the products."""
        Z = self.second.Z
        first, other = np.nonzero(np.triu(np.abs(Z).T @ np.abs(Z)))
        products = Z[:, first] * Z[:, other]
        return first, other, np.broadcast_to(products, (len(self.response.y), len(first)))

    def _least_squares(self, weights: Tensor) -> Matrix:
        """Return the coefficients (S, n_coefficients) that fit the rough outcome with these weights of subjects."""
        S, Q, count = len(weights), len(self._columns), self.response.n_coefficients
        rows = weights[..., self.response.panel.subject]
        XX = (rows @ self._XX).reshape(S, -1, Q, Q)
        Xy = (rows * (self.family.working_outcome() - self.response.offset)) @ self.response.X
        normal, right = np.zeros((S, count, count)), np.zeros((S, count))
        for g in range(self.response.n_classes):
            used = self.response.used(g)
            place = self.response.index[g, used]
            normal[:, place[:, None], place] += XX[:, g, used[:, None], used]
            right[:, place] += Xy[:, g, used]
        return np.asarray(np.linalg.solve(normal, right[..., None])[..., 0])


def build_rows_density(response: Response, spec: GbtmSpec, rows: Rows) -> RowsDensity:
    """Return the density of the family of a spec."""
    y, panel = response.y, response.panel
    has_unit = np.zeros(len(y))
    lower, upper, limits = -np.inf, np.inf, None
    if spec.family == "gaussian":
        has_unit[:] = 1.0
    if spec.family == "censored_normal":
        lower, upper = (lower, upper) if spec.limits is None else spec.limits
        pooled = response.X @ response.pooled
        # A row at a limit must stay there in working units, whatever the rounding.
        limits = (
            np.where(rows.y <= lower, y, (lower - pooled) / response.scale),
            np.where(rows.y >= upper, y, (upper - pooled) / response.scale),
        )
        has_unit = ((rows.y > lower) & (rows.y < upper)).astype(np.float64)
    return RowsDensity(
        response=response,
        family=row_family(spec.family, y, limits, rows.trials),
        second=build_second(spec, rows, response),
        log_scale=read_only(panel.sum(has_unit * np.log(response.scale))),
        limits=(lower, upper),
    )


def _joined(parts: tuple[ClassDerivatives, ...]) -> ClassDerivatives:
    """Return the derivatives of all batches of starts."""
    if len(parts) == 1:
        return parts[0]
    return ClassDerivatives(
        scores=np.concatenate([part.scores for part in parts]),
        curvature=np.concatenate([part.curvature for part in parts]),
    )


def _square(flat: Matrix, height: int, width: int) -> Tensor:
    return flat.reshape(len(flat), height, width)
