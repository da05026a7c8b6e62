"""One outcome over the visits: its rows, the columns of its predictor, and the map to the user's coefficients.

The search never sees the user's units. Columns are centred, scaled and made orthogonal over the rows; the outcome of a
gaussian family is standardised. Internally a class's columns come in the order intercept, covariates, time: so that a
class of a lower order uses the leading columns, and the triangular change of basis keeps its zeros.
"""

from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only
from harness.gbtm.named import Parameter
from harness.gbtm.panel import Panel


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Response:
    """n rows, N subjects, Q columns, K classes.

    Attributes
    ----------
    y, time, offset : (n,)
        The outcome in working units: (outcome - X @ pooled) / scale. Time in the user's units; what is added to the
        linear predictor (log exposure; 0).
    X : (n, Q)
        Working columns: 1, the `n_covariates` with coefficients by class, the `n_time` columns of time, then the
        `n_common` columns with one coefficient for all classes. All but the last kind are orthogonal: X' X = n I.
    index : (K, Q)
        Place of each column's coefficient in the own vector of the density; -1 where a class does not have it.
    T : (Q, Q)
        Upper triangular: X = raw columns @ T.
    scale, pooled : float, (Q,)
        User's coefficients = T @ (scale * working coefficients + pooled). 1 and 0 for families other than the gaussian.
    names : (Q,)
        Of the raw columns.
    orders : (K,)
        How many columns of time each class has.
    """

    y: Vector
    time: Vector
    offset: Vector
    panel: Panel
    X: Matrix
    index: Codes
    T: Matrix
    scale: float
    pooled: Vector
    names: tuple[str, ...]
    orders: tuple[int, ...]
    n_covariates: int
    n_common: int

    @property
    def n_classes(self) -> int:
        """K."""
        return len(self.orders)

    @property
    def n_coefficients(self) -> int:
        """How many free coefficients: the first entries of the own vector."""
        return int(self.index.max()) + 1

    @property
    def n_time(self) -> int:
        """Columns of time besides the intercept."""
        return len(self.names) - 1 - self.n_covariates - self.n_common

    def used(self, g: int) -> Codes:
        """Return the columns of class g (from 0)."""
        return np.flatnonzero(self.index[g] >= 0)

    def coefficients(self, own: Matrix) -> Tensor:
        """Return the working coefficients (S, K, Q) of own vectors (S, ...), 0 where a class has none."""
        padded = np.concatenate([own[:, : self.n_coefficients], np.zeros((len(own), 1))], axis=1)
        return padded[:, self.index]

    def predictor(self, own: Matrix) -> Tensor:
        """Return the linear predictors (S, K, n), offset included, in working units."""
        return np.asarray(self.coefficients(own) @ self.X.T + self.offset)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What the coefficients are, in the user's order: class by class time first, then covariates; then common."""
        by_class = [
            Parameter(role="beta", name=self.names[k], latent_class=g + 1)
            for g in range(self.n_classes)
            for k in self._user_columns(g)
        ]
        shared = [Parameter(role="common", name=name, latent_class=0) for name in self.names[self._first_common :]]
        return (*by_class, *shared)

    def to_user(self, own: Vector) -> Vector:
        """Return the coefficients (n_coefficients,) of raw columns, in the order of `parameters`."""
        raw = (self.scale * self.coefficients(own[None])[0] + self.pooled) @ self.T.T
        parts = [raw[g, self._user_columns(g)] for g in range(self.n_classes)]
        return np.concatenate([*parts, raw[0, self._first_common :]])

    def from_user(self, values: Vector) -> Vector:
        """Return the working coefficients (n_coefficients,) of the user's."""
        own = np.empty(self.n_coefficients)
        common = values[len(values) - self.n_common :]
        at = 0
        for g in range(self.n_classes):
            columns = self._user_columns(g)
            raw = np.zeros(len(self.names))
            raw[columns] = values[at : at + len(columns)]
            raw[self._first_common :] = common
            at += len(columns)
            used = self.used(g)
            working = np.linalg.solve(self.T[np.ix_(used, used)], raw[used])
            own[self.index[g, used]] = (working - self.pooled[used]) / self.scale
        return own

    def user_jacobian(self) -> Matrix:
        """Return d to_user / d own coefficients, (n_coefficients, n_coefficients)."""
        jacobian = np.zeros((self.n_coefficients, self.n_coefficients))
        row = 0
        for g in range(self.n_classes):
            for k in self._user_columns(g):
                used = self.used(g)
                jacobian[row, self.index[g, used]] = self.scale * self.T[k, used]
                row += 1
        for k in range(self._first_common, len(self.names)):
            jacobian[row, self.index[0, self._first_common :]] = self.scale * self.T[k, self._first_common :]
            row += 1
        return jacobian

    def permuted(self, classes: Codes) -> "Response":
        """Return the response whose class g is class classes[g] of this one."""
        orders = tuple(self.orders[g] for g in classes)
        index = coefficient_index(orders, self.n_covariates, self.n_time, self.n_common)
        return replace(self, orders=orders, index=index)

    def relabelled(self, own: Matrix, classes: Codes) -> Matrix:
        """Return the coefficients (S, n_coefficients) that `permuted(classes)` needs for the same predictors."""
        other = self.permuted(classes)
        moved = np.empty((len(own), self.n_coefficients))
        beta = self.coefficients(own)[:, classes]
        free = other.index >= 0
        moved[:, other.index[free]] = beta[:, free]
        return moved

    @property
    def _first_common(self) -> int:
        return len(self.names) - self.n_common

    def _user_columns(self, g: int) -> Codes:
        covariates = np.arange(1, 1 + self.n_covariates)
        time = np.arange(1 + self.n_covariates, 1 + self.n_covariates + self.orders[g])
        return np.concatenate([[0], time, covariates]).astype(np.int64)


def coefficient_index(orders: tuple[int, ...], n_covariates: int, n_time: int, n_common: int) -> Codes:
    """Return the places of the coefficients, (K, Q): class by class, then those of all classes; -1 for none."""
    K = len(orders)
    index = np.full((K, 1 + n_covariates + n_time + n_common), -1, dtype=np.int64)
    at = 0
    for g, order in enumerate(orders):
        width = 1 + n_covariates + order
        index[g, :width] = np.arange(at, at + width)
        at += width
    if n_common:
        index[:, -n_common:] = np.arange(at, at + n_common)
    return read_only(index)
