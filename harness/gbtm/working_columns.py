"""From time and covariates to columns that an optimiser likes, and how the user's columns follow from them.

Time is centred and scaled to -1 .. 1, covariates are centred and scaled to unit variance; then everything with
coefficients by class is made orthogonal over the rows, in the order intercept, covariates, time.
"""

from dataclasses import dataclass
from math import comb

import numpy as np

from harness.arrays import Matrix, Vector, read_only


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorkingColumns:
    """What makes the working columns of any rows.

    Attributes
    ----------
    centre, half_range, knots
        Of time in the user's units; `knots` are empty for a polynomial, else those of a natural spline with its
        boundary knots first and last.
    n_time : int
        Columns of time besides the intercept.
    means, deviations : (c + v,)
        Of the covariates by class, then of the common ones.
    n_covariates : int
        How many of those are by class, c.
    orthogonal : (1 + c + n_time,) square
        Upper triangular; makes scaled columns orthogonal over the rows of the fit.
    """

    centre: float
    half_range: float
    knots: tuple[float, ...]
    n_time: int
    means: Vector
    deviations: Vector
    n_covariates: int
    orthogonal: Matrix

    def at(self, times: Vector, covariates: Matrix | None = None, common: Matrix | None = None) -> Matrix:
        """Return the working columns (n, Q) at any times, covariates at their means where not given."""
        n, c = len(times), self.n_covariates
        by_class = np.zeros((n, c)) if covariates is None else (covariates - self.means[:c]) / self.deviations[:c]
        shared = (
            np.zeros((n, len(self.means) - c)) if common is None else (common - self.means[c:]) / self.deviations[c:]
        )
        scaled = np.column_stack([np.ones(n), by_class, self._scaled_time(times)])
        return np.column_stack([scaled @ self.orthogonal, shared])

    def raw_from_working(self) -> Matrix:
        """Return T (Q, Q), upper triangular: working columns = raw columns @ T."""
        c, total = self.n_covariates, 1 + self.n_time + len(self.means)
        first_common = 1 + c + self.n_time
        place = np.concatenate([np.arange(1, 1 + c), np.arange(first_common, total)])
        T = np.eye(total)
        T[0, place] = -self.means / self.deviations
        T[place, place] = 1 / self.deviations
        time = np.concatenate([[0], np.arange(1 + c, first_common)])
        T[np.ix_(time, time)] = self._raw_from_scaled_time()
        T[:first_common, :first_common] = T[:first_common, :first_common] @ self.orthogonal
        return T

    def _scaled_time(self, times: Vector) -> Matrix:
        scaled = (times - self.centre) / self.half_range
        if not self.knots:
            return np.vander(scaled, self.n_time + 1, increasing=True)[:, 1:]
        knots = (np.array(self.knots) - self.centre) / self.half_range
        return natural_spline(scaled, knots)[:, : self.n_time]

    def _raw_from_scaled_time(self) -> Matrix:
        """Return the map for 1 and the columns of time: of powers, or of a natural spline (which scale by h^-3)."""
        c, h, m = self.centre, self.half_range, self.n_time
        if not self.knots:
            return np.array(
                [[comb(k, j) * (-c) ** (k - j) / h**k if j <= k else 0.0 for k in range(m + 1)] for j in range(m + 1)]
            )
        T = np.eye(m + 1)
        if m:
            T[0, 1], T[1, 1] = -c / h, 1 / h
        T[range(2, m + 1), range(2, m + 1)] = h**-2.0
        return T


def natural_spline(times: Vector, knots: Vector) -> Matrix:
    """Return t and the further columns of a natural cubic spline, (n, len(knots) - 1).

    With knots k_1 < ... < k_m, d_j(t) = ((t - k_j)^3_+ - (t - k_m)^3_+) / (k_m - k_j) and columns t, d_1 - d_(m-1),
    ..., d_(m-2) - d_(m-1) (Hastie, Tibshirani & Friedman 2009, section 5.2.1). The span is that of R's
    ``splines::ns(t, knots = k[2..m-1], Boundary.knots = k[c(1, m)], intercept = TRUE)``.
    """
    cubes = np.maximum(times[:, None] - knots, 0.0) ** 3
    d = (cubes[:, :-1] - cubes[:, -1:]) / (knots[-1] - knots[:-1])
    return np.column_stack([times, d[:, :-1] - d[:, -1:]])


def train_columns(
    times: Vector, covariates: Matrix, common: Matrix, n_time: int, knots: tuple[float, ...]
) -> WorkingColumns:
    """Return the working columns of the rows of a fit; `knots` are the interior ones."""
    centre = float(times.max() + times.min()) / 2
    half_range = float(times.max() - times.min()) / 2 or 1.0
    both = np.column_stack([covariates, common])
    means, deviations = both.mean(axis=0), both.std(axis=0)
    plain = WorkingColumns(
        centre=centre,
        half_range=half_range,
        knots=(float(times.min()), *knots, float(times.max())) if knots else (),
        n_time=n_time,
        means=read_only(means),
        deviations=read_only(np.where(deviations > 0, deviations, 1.0)),
        n_covariates=covariates.shape[1],
        orthogonal=np.eye(1 + covariates.shape[1] + n_time),
    )
    by_class = plain.at(times, covariates)[:, : 1 + covariates.shape[1] + n_time]
    return WorkingColumns(
        centre=plain.centre,
        half_range=plain.half_range,
        knots=plain.knots,
        n_time=n_time,
        means=plain.means,
        deviations=plain.deviations,
        n_covariates=plain.n_covariates,
        orthogonal=read_only(_orthogonalising(by_class)),
    )


def _orthogonalising(columns: Matrix) -> Matrix:
    """Return the upper triangular T for which (columns T)' (columns T) = n I, with a positive diagonal."""
    R = np.linalg.qr(columns, mode="r")
    return np.asarray(np.triu(np.linalg.inv(R)) * np.sign(np.diag(R)) * np.sqrt(len(columns)))
