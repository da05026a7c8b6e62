"""The predictor of a family's second parameter: log sigma, the log-odds of an extra zero, minus the log precision.

The sign of the last is such that its search, too, is bounded from below: a class of nearly equal outcomes has no
largest likelihood, whether its sigma falls or its precision rises.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from harness.arrays import Codes, Mask, Matrix, Tensor, Vector, read_only
from harness.gbtm.densities.moments import SMALLEST_SIGMA
from harness.gbtm.named import Parameter
from harness.gbtm.response import Response
from harness.gbtm.response_building import power_name
from harness.gbtm.rows import Rows
from harness.gbtm.spec import GbtmSpec
from harness.gbtm.working_columns import WorkingColumns, train_columns


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SecondPredictor:
    """zeta = Z @ coefficients, K classes, r columns; its vector is the last part of the own vector of a density.

    A family without a second parameter has one without columns.

    Attributes
    ----------
    Z : (n, r), or (1, r) if it does not differ by row
        Working columns.
    index : (K, r)
        Place of each coefficient in the vector; -1 for none. A class without any has zeta = -inf: no extra zeros.
    T : (r, r)
        Of "zero": upper triangular, raw columns @ T = Z; the user's coefficients are T @ coefficients. The others are
        reported as scale * exp(sign * coefficient), with the sign that Z has.
    by_class : bool
        Whether each class has coefficients of its own; if not, all classes share all of them.
    floor : float
        Lower bound of each coefficient.
    columns : WorkingColumns or None, visits : (V,)
        What makes Z at other times: of "zero"; of a sigma by visit, the times of its columns.
    """

    role: Literal["sigma", "zero", "precision"]
    names: tuple[str, ...]
    Z: Matrix
    index: Codes
    T: Matrix
    by_class: bool
    scale: float
    floor: float
    columns: WorkingColumns | None
    visits: Vector

    @property
    def n_free(self) -> int:
        """Length of its vector."""
        return int(self.index.max(initial=-1)) + 1

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What the coefficients are in the user's units, class by class."""
        if not self.by_class:
            return tuple(Parameter(role=self.role, name=name, latent_class=0) for name in self.names)
        return tuple(
            Parameter(role=self.role, name=self.names[k], latent_class=g + 1)
            for g in range(len(self.index))
            for k in self.used(g)
        )

    def used(self, g: int) -> Codes:
        """Return the columns of class g (from 0)."""
        return np.flatnonzero(self.index[g] >= 0)

    def values(self, vectors: Matrix, Z: Matrix | None = None) -> Tensor:
        """Return zeta (S, K, n), or (S, K, 1) if it does not differ by row; Z of other rows if they are given."""
        zeta = self._coefficients(vectors) @ (self.Z if Z is None else Z).T
        zeta[:, (self.index < 0).all(axis=1)] = -np.inf
        return zeta

    def constant(self, zeta: Matrix) -> Matrix:
        """Return vectors (S, n_free) with this zeta (S, K) in all rows of a class; its mean where classes share it."""
        vectors = np.zeros((len(zeta), self.n_free))
        if not self.by_class:
            # One column, or one for each visit: either way each row has a single coefficient, times 1.
            return np.asarray(vectors + zeta.mean(axis=1, keepdims=True))
        for g, places in enumerate(self.index):
            if len(places) and places[0] >= 0:
                vectors[:, places[0]] = zeta[:, g] / self.Z[0, 0]
        return vectors

    def to_user(self, vector: Vector) -> Vector:
        """Return the parameters in the user's units."""
        if self.role == "zero":
            raw = self._coefficients(vector[None])[0] @ self.T.T
            return np.asarray(raw[self.index >= 0])
        return np.asarray(self.scale * np.exp(self._sign * vector))

    def from_user(self, values: Vector) -> Vector:
        """Return the vector of values in the user's units."""
        if self.role != "zero":
            return np.asarray(self._sign * np.log(values / self.scale))
        vector = np.empty(self.n_free)
        for places in self.index:
            own = places[places >= 0]
            vector[own] = np.linalg.solve(self.T[: len(own), : len(own)], values[own])
        return vector

    def user_jacobian(self, vector: Vector) -> Matrix:
        """Return d to_user / d vector, (n_free, n_free)."""
        if self.role != "zero":
            return np.diag(self._sign * self.to_user(vector))
        jacobian = np.zeros((self.n_free, self.n_free))
        for places in self.index:
            own = places[places >= 0]
            jacobian[own[:, None], own] = self.T[: len(own), : len(own)]
        return jacobian

    def permuted(self, classes: Codes) -> "SecondPredictor":
        """Return the predictor whose class g is class classes[g] of this one."""
        return replace(self, index=_class_by_class(self.index[classes] >= 0)) if self.by_class else self

    def relabelled(self, vectors: Matrix, classes: Codes) -> Matrix:
        """Return the vectors (S, n_free) that `permuted(classes)` needs for the same zeta."""
        if not self.by_class:
            return vectors
        return np.asarray(self._coefficients(vectors)[:, classes][:, self.index[classes] >= 0])

    def at(self, times: Vector) -> Matrix:
        """Return Z at other times; a ValueError where sigma goes by visit and a time is none of the visits."""
        if self.columns is not None:
            return self.columns.at(times)
        if len(self.visits) == 0:
            return self.Z
        if not np.isin(times, self.visits).all():
            raise ValueError(f"sigma is known at the times {self.visits.tolist()} only")
        return _one_hot(times, self.visits)

    @property
    def _sign(self) -> float:
        return -1.0 if self.role == "precision" else 1.0

    def _coefficients(self, vectors: Matrix) -> Tensor:
        padded = np.concatenate([vectors, np.zeros((len(vectors), 1))], axis=1)
        return padded[:, self.index]


def build_second(spec: GbtmSpec, rows: Rows, response: Response) -> SecondPredictor:
    """Return the second predictor of a family."""
    match spec.family:
        case "gaussian" | "censored_normal":
            return _sigma(spec, rows, response)
        case "zip":
            return _zero(spec, rows)
        case "beta":
            return _precision(spec, rows)
        case "logit" | "poisson":
            return _zero(replace(spec, zero_orders=(-1,) * spec.n_classes), rows)


def _sigma(spec: GbtmSpec, rows: Rows, response: Response) -> SecondPredictor:
    visits = np.unique(rows.time) if spec.sigma == "visit" else np.empty(0)
    names = tuple(f"sigma[{visit:g}]" for visit in visits) or ("sigma",)
    by_class = spec.sigma == "class"
    shared = np.tile(np.arange(len(names)), (spec.n_classes, 1))
    return SecondPredictor(
        role="sigma",
        names=names,
        Z=read_only(_one_hot(rows.time, visits) if len(visits) else np.ones((1, 1))),
        index=_class_by_class(np.ones((spec.n_classes, 1), dtype=np.bool_)) if by_class else read_only(shared),
        T=read_only(np.eye(len(names))),
        by_class=by_class,
        scale=response.scale,
        floor=float(np.log(SMALLEST_SIGMA)),
        columns=None,
        visits=read_only(visits),
    )


def _zero(spec: GbtmSpec, rows: Rows) -> SecondPredictor:
    orders = (0,) * spec.n_classes if spec.zero_orders is None else spec.zero_orders
    n, highest = len(rows.y), max(orders)
    columns = train_columns(rows.time, np.empty((n, 0)), np.empty((n, 0)), max(highest, 0), ())
    width = highest + 1
    return SecondPredictor(
        role="zero",
        names=tuple(power_name(str(spec.time), power) for power in range(width)),
        Z=read_only(columns.at(rows.time if highest > 0 else rows.time[:1])[:, :width]),
        index=_class_by_class(np.arange(width) <= np.array(orders)[:, None]),
        T=read_only(columns.raw_from_working()[:width, :width]),
        by_class=True,
        scale=1.0,
        floor=-np.inf,
        columns=columns if highest > 0 else None,
        visits=np.empty(0),
    )


def _precision(spec: GbtmSpec, rows: Rows) -> SecondPredictor:
    mean, variance = rows.y.mean(), rows.y.var()
    # What the floor of sigma is to a gaussian: a precision at which the spread is a thousandth of the overall one.
    highest = mean * (1 - mean) / variance / SMALLEST_SIGMA**2
    return SecondPredictor(
        role="precision",
        names=("precision",),
        Z=read_only(-np.ones((1, 1))),
        index=_class_by_class(np.ones((spec.n_classes, 1), dtype=np.bool_)),
        T=read_only(np.eye(1)),
        by_class=True,
        scale=1.0,
        floor=-float(np.log(highest)),
        columns=None,
        visits=np.empty(0),
    )


def _class_by_class(free: Mask) -> Codes:
    """Return places in the order of classes, (K, r); -1 where not free."""
    index = np.full(free.shape, -1, dtype=np.int64)
    index[free] = np.arange(free.sum())
    return read_only(index)


def _one_hot(times: Vector, visits: Vector) -> Matrix:
    return np.asarray((times[:, None] == visits).astype(np.float64))
