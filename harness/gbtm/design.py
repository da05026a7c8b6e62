"""From a spec and a cohort to the numbers that a trajectory model needs, or to all reasons why that can't be."""

from dataclasses import dataclass
from math import comb

import numpy as np

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.cohorts.cohort import Cohort
from harness.gbtm.checks import refuse
from harness.gbtm.estimates import power_name
from harness.gbtm.spec import GbtmSpec
from harness.quantities import InputEvidence


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GbtmDesign:
    """The rows with an observed outcome, sorted by subject, and what the likelihood needs of them.

    n rows, N subjects, q = 1 + the highest order.

    Attributes
    ----------
    y, time : (n,)
        In the user's units, sorted by subject (in the order of `subject_labels`), time, outcome.
    subject_starts : (N,)
        First row of each subject.
    basis : (n, q)
        Polynomials of time, of degree 0, 1, ..., orthogonal over the rows: basis' basis = n I. The first is 1, so the
        first coefficient of a class is the mean of its curve over all rows.
    centre, half_range, scaled_from_basis : float, float, (q, q)
        What makes the basis at any time: powers of (time - centre) / half_range, times this upper triangular matrix.
    raw_from_basis : (q, q)
        Upper triangular; coefficients of raw powers of the user's time = raw_from_basis @ coefficients of the basis.
        Its leading block serves a lower order.
    pooled, scale : (q,), float
        Regression of all rows on the basis up to the lowest order, 0 above, and its residual standard deviation, in the
        user's units. The search works on (y - basis @ pooled) / scale, its "working units".
    moments : (N, 2 + q + q^2)
        By subject, in working units: n_i, y'y, X'y, X'X. The gaussian likelihood needs no more of the rows.
    dropped_rows, dropped_subjects : int, labels
        Rows without an outcome, and subjects that had no other row.
    """

    spec: GbtmSpec
    y: Vector
    time: Vector
    subject_starts: Codes
    subject_labels: tuple[str, ...]
    basis: Matrix
    centre: float
    half_range: float
    scaled_from_basis: Matrix
    raw_from_basis: Matrix
    pooled: Vector
    scale: float
    moments: Matrix
    dropped_rows: int
    dropped_subjects: tuple[str, ...]

    @property
    def n_observations(self) -> int:
        """Rows with an observed outcome."""
        return len(self.y)

    @property
    def n_subjects(self) -> int:
        """Subjects with at least one observed outcome."""
        return len(self.subject_labels)

    @property
    def n_classes(self) -> int:
        """How many latent classes the spec asks for."""
        return self.spec.n_classes

    @property
    def n_parameters(self) -> int:
        """Free parameters of the model."""
        n_sigmas = 1 if self.spec.sigma == "shared" else self.n_classes
        return self.n_classes - 1 + sum(order + 1 for order in self.spec.orders) + n_sigmas

    def basis_at(self, times: Vector) -> Matrix:
        """Return the basis at any times in the user's units, without going through raw powers of large numbers."""
        return _powers(times, self.centre, self.half_range, len(self.pooled)) @ self.scaled_from_basis


def build_design(spec: GbtmSpec, cohort: Cohort) -> GbtmDesign:
    """Return the design of a trajectory model on a cohort.

    Rows without an outcome do not exist for the likelihood (missing at random); they are dropped and counted, and so
    is a subject without any other row.

    Raises
    ------
    SpecError
        With all problems at once: unknown or non-numeric columns, an outcome without variation, missing times, orders
        that the times can't support, more classes than subjects, and settings out of range.
    """
    refuse(spec, cohort)
    factor = cohort.factors[spec.subject]
    observed = ~np.isnan(cohort.numeric[spec.outcome])
    codes = factor.codes[observed]
    outcome, times = cohort.numeric[spec.outcome][observed], cohort.numeric[spec.time][observed]
    rows = np.lexsort((outcome, times, codes))
    codes, y, time = codes[rows], outcome[rows], times[rows]
    present, first_rows = np.unique(codes, return_index=True)
    starts = first_rows.astype(np.int64)
    lost = np.setdiff1d(factor.codes[factor.codes >= 0], present)

    centre = float(time.max() + time.min()) / 2
    half_range = float(time.max() - time.min()) / 2 or 1.0
    powers = _powers(time, centre, half_range, max(spec.orders) + 1)
    scaled_from_basis = _orthogonalising(powers)
    basis = powers @ scaled_from_basis
    mean = y.mean()  # taken off first: exact where the outcome has an offset that dwarfs its spread
    pooled = basis.T @ (y - mean) / len(y)
    pooled[min(spec.orders) + 1 :] = 0.0  # else a class of a lower order would not keep its zeros in working units
    residuals = (y - mean) - basis @ pooled
    pooled[0] += mean / basis[0, 0]
    scale = float(np.sqrt(np.mean(residuals**2)))
    return GbtmDesign(
        spec=spec,
        y=read_only(y),
        time=read_only(time),
        subject_starts=read_only(starts),
        subject_labels=tuple(factor.levels[code] for code in present),
        basis=read_only(basis),
        centre=centre,
        half_range=half_range,
        scaled_from_basis=read_only(scaled_from_basis),
        raw_from_basis=read_only(_raw_from_scaled(centre, half_range, len(pooled)) @ scaled_from_basis),
        pooled=read_only(pooled),
        scale=scale,
        moments=read_only(_moments(residuals / scale, basis, starts)),
        dropped_rows=int(np.sum(~observed)),
        dropped_subjects=tuple(factor.levels[code] for code in lost),
    )


def input_evidence(design: GbtmDesign) -> InputEvidence:
    """Return what was used, counted and summed over the rows used; one column per power of time."""
    powers = range(max(design.spec.orders) + 1)
    return InputEvidence(
        n_observations=design.n_observations,
        n_subjects=design.n_subjects,
        outcome_sum=float(design.y.sum()),
        design_sums={power_name(design.spec.time, k): float(np.sum(design.time**k)) for k in powers},
    )


def _powers(time: Vector, centre: float, half_range: float, q: int) -> Matrix:
    return np.vander((time - centre) / half_range, q, increasing=True)


def _orthogonalising(powers: Matrix) -> Matrix:
    """Return the upper triangular T for which (powers T)' (powers T) = n I, with a positive diagonal."""
    R = np.linalg.qr(powers, mode="r")
    return np.asarray(np.triu(np.linalg.inv(R)) * np.sign(np.diag(R)) * np.sqrt(len(powers)))


def _raw_from_scaled(centre: float, half_range: float, q: int) -> Matrix:
    """Return the map of coefficients: ((t - c) / h)^k = sum_j C(k, j) t^j (-c)^(k-j) / h^k."""
    return np.array(
        [[comb(k, j) * (-centre) ** (k - j) / half_range**k if j <= k else 0.0 for k in range(q)] for j in range(q)]
    )


def _moments(y: Vector, X: Matrix, starts: Codes) -> Matrix:
    products = (X[:, :, None] * X[:, None, :]).reshape(len(y), -1)
    by_row = np.column_stack([np.ones_like(y), y**2, X * y[:, None], products])
    return np.asarray(np.add.reduceat(by_row, starts, axis=0))
