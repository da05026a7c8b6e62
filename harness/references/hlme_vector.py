"""hlme's vector of parameters, `$best`, as the parameters of a `Point` in the same order of classes.

K classes, log-odds against class K; columns of time up to the highest order and covariates, each with the coefficients
of all classes (a power above a class's order is fixed at zero); common coefficients; V of the random effects; w_1 ..
w_(K-1); the process; sigma. The covariance that hlme gives belongs to U, V = U'U, in place of V, and to s in place of
s^2; the signs of U, w, s and sigma are free.
"""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Vector
from harness.gbtm.spec import GbtmSpec


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HlmeVector:
    """`best` (p,) and `cholesky`, U by columns, of a model with so many risk factors, covariates and common columns."""

    best: Vector
    cholesky: Vector
    spec: GbtmSpec
    n_membership: int
    n_covariates: int
    n_common: int

    @property
    def n_odds(self) -> int:
        """How many log-odds there are."""
        return (self.spec.n_classes - 1) * (1 + self.n_membership)

    @property
    def membership(self) -> Matrix:
        """Coefficients in each class's predictor, (1 + risk factors, K); 0 for the last class."""
        odds = self.best[: self.n_odds].reshape(1 + self.n_membership, -1)
        return np.column_stack([odds, np.zeros(len(odds))])

    def values(self) -> Vector:
        """Return all parameters but the log-odds, as in a `Point`."""
        found = self.best[self._places()[self.n_odds :]]
        at = self._blocks(len(found))
        found[at["sigma"]] = abs(found[at["sigma"]])
        found[at["scale"]] = abs(found[at["scale"]])
        found[at["variance"]] **= 2
        return np.asarray(found)

    def jacobian(self) -> Matrix:
        """Return d Point / d hlme's vector with U in place of V, (P, p)."""
        places = self._places()
        slopes = np.ones(len(places))
        own = slopes[self.n_odds :]
        at = self._blocks(len(own))
        for name in ("sigma", "scale"):
            own[at[name]] = np.where(self.best[places[self.n_odds :][at[name]]] < 0, -1.0, 1.0)
        own[at["variance"]] = 2 * self.best[places[self.n_odds :][at["variance"]]]
        jacobian = np.zeros((len(places), len(self.best)))
        jacobian[np.arange(len(places)), places] = slopes
        rows = self.n_odds + np.arange(len(own))[at["covariance"]]
        jacobian[np.ix_(rows, places[rows])] = self._by_cholesky()
        return jacobian

    def _by_cholesky(self) -> Matrix:
        """Return d V / d U, both upper triangles by columns, or diagonals."""
        q = 0 if self.spec.random is None else self.spec.random + 1
        # Columns of the upper triangle are rows of the lower one.
        columns, rows = np.tril_indices(q)
        U = np.zeros((q, q))
        U[rows, columns] = self.cholesky
        if self.spec.random_covariance == "diagonal":
            return np.diag(2 * np.diag(U))
        k, c = rows, columns  # dV_ab / dU_kc = [a = c] U_kb + [b = c] U_ka
        a, b = rows[:, None], columns[:, None]
        return np.asarray((a == c) * U[k, b] + (b == c) * U[k, a])

    def _places(self) -> Codes:
        """Return where each parameter of a `Point` stands in hlme's vector."""
        spec = self.spec
        K, highest = spec.n_classes, max(spec.orders)
        effects = [
            self.n_odds + column * K + g
            for g, order in enumerate(spec.orders)
            for column in (*range(order + 1), *range(highest + 1, highest + 1 + self.n_covariates))
        ]
        first_common = self.n_odds + K * (highest + 1 + self.n_covariates)
        last = len(self.best) - 1
        common = range(first_common, first_common + self.n_common)
        return np.array([*range(self.n_odds), *effects, *common, last, *range(first_common + self.n_common, last)])

    def _blocks(self, n_values: int) -> dict[str, slice]:
        """Return where the last parameters stand among those after the log-odds."""
        spec = self.spec
        q = 0 if spec.random is None else spec.random + 1
        n_covariance = q if spec.random_covariance == "diagonal" else q * (q + 1) // 2
        n_scale = spec.n_classes - 1 if spec.random_scale == "class" else 0
        process = {"independent": 0, "brownian": 1, "ar1": 2}[spec.errors]
        scale = n_values - process - n_scale
        return {
            "sigma": slice(scale - n_covariance - 1, scale - n_covariance),
            "covariance": slice(scale - n_covariance, scale),
            "scale": slice(scale, scale + n_scale),
            "variance": slice(n_values - min(process, 1), n_values),
        }
