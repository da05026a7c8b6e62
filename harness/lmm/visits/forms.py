"""Residual covariance structures as functions of their parameters, with first and second derivatives.

A structure gives the values of U entries: those of Sigma (visits x visits, by rows), or covariances at U distances in
time. All structures but the linear ones are products of powers, entry_u = prod_r gamma_r^E[r, u], which differentiate
themselves; so one form serves them all. Parametrisations are those of SAS PROC MIXED.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from harness.arrays import Codes, Mask, Matrix, Tensor, Vector

Search = Literal["factor", "roots", "parameters"]

# A correlation of exactly zero would have to be divided by; this one differs from zero in no entry.
_LEAST_CORRELATION = 1e-100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entries:
    """Values (U,) with derivatives (r, U) and (r, r, U), None where it is linear in the parameters."""

    values: Vector
    first: Matrix
    second: Tensor | None


class Structure(Protocol):
    """A covariance structure of r parameters over U entries.

    `n_visits` is None for covariances of distances. `variances` (r,) marks parameters in squared units of the outcome;
    the others are correlations. `search` names the coordinates of the optimiser: a factor of Sigma, whose elements the
    parameters are; the roots of variances; or the parameters themselves.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters (r,)."""
        ...

    @property
    def variances(self) -> Mask:
        """Which parameters are variances or covariances (r,)."""
        ...

    @property
    def n_visits(self) -> int | None:
        """How many visits Sigma has."""
        ...

    @property
    def diagonal(self) -> Codes:
        """Which entries are variances."""
        ...

    @property
    def n_entries(self) -> int:
        """How many entries there are, U."""
        ...

    @property
    def search(self) -> Search:
        """In which coordinates to search."""
        ...

    def entries(self, gamma: Vector) -> Entries:
        """Return the covariance and its derivatives at gamma (r,), which must be valid."""
        ...

    def valid(self, gamma: Vector) -> bool:
        """Whether gamma (r,) gives a positive definite covariance."""
        ...

    def independent(self, gamma: Vector) -> Vector:
        """Return gamma (r,) with the same variances and no correlation."""
        ...

    def start(self, moments: Vector, counts: Vector) -> Vector:
        """Return a valid gamma (r,) near the mean products of residuals (U,), of `counts` (U,) pairs of them each."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linear:
    """Sigma = sum_r gamma_r B_r, `basis` (r, U): unstructured, compound symmetry, Toeplitz."""

    names: tuple[str, ...]
    basis: Matrix
    n_visits: int
    search: Search

    @property
    def variances(self) -> Mask:
        """All parameters are covariances."""
        return np.ones(len(self.names), dtype=bool)

    @property
    def diagonal(self) -> Codes:
        """Which entries are variances."""
        return np.arange(self.n_visits) * (self.n_visits + 1)

    @property
    def n_entries(self) -> int:
        """The elements of Sigma."""
        return self.n_visits * self.n_visits

    def entries(self, gamma: Vector) -> Entries:
        """Return the covariance and its derivatives."""
        return Entries(values=gamma @ self.basis, first=self.basis, second=None)

    def valid(self, gamma: Vector) -> bool:
        """Whether Sigma is positive definite."""
        return _positive_definite((gamma @ self.basis).reshape(self.n_visits, -1))

    def independent(self, gamma: Vector) -> Vector:
        """Return the parameters of Sigma's diagonal."""
        values = np.zeros(self.n_entries)
        values[self.diagonal] = (gamma @ self.basis)[self.diagonal]
        return np.asarray(np.linalg.lstsq(self.basis.T, values, rcond=None)[0])

    def start(self, moments: Vector, counts: Vector) -> Vector:
        """Return the projection of the moments, with covariances shrunk until Sigma is positive definite."""
        own = self.basis * counts
        normal = own @ self.basis.T
        # An element that no subject shows has no moment.
        gamma = np.linalg.lstsq(normal, own @ moments, rcond=None)[0]
        Sigma = (gamma @ self.basis).reshape(self.n_visits, -1)
        shrunk = _shrunk_to_regular(Sigma, moments, counts)
        return np.asarray(np.linalg.lstsq(self.basis.T, shrunk.reshape(-1), rcond=None)[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Powers:
    """entry_u = prod_r gamma_r^E[r, u], `exponents` (r, U): variances first, then correlations."""

    names: tuple[str, ...]
    exponents: Matrix
    n_variances: int
    n_visits: int | None
    search: Search = "roots"

    @property
    def variances(self) -> Mask:
        """The first parameters are variances."""
        return np.arange(len(self.names)) < self.n_variances

    @property
    def diagonal(self) -> Codes:
        """Which entries are variances: those without a correlation."""
        return np.flatnonzero(~np.any(self.exponents[self.n_variances :] != 0, axis=0))

    @property
    def n_entries(self) -> int:
        """Elements of Sigma, or distances."""
        return int(self.exponents.shape[1])

    def entries(self, gamma: Vector) -> Entries:
        """Return the covariance and its derivatives."""
        E = self.exponents
        base = np.where(np.abs(gamma) < _LEAST_CORRELATION, _LEAST_CORRELATION, gamma)
        values = np.prod(base[:, None] ** E, axis=0)
        slopes = E / base[:, None]  # of the logarithm
        second = slopes[:, None] * slopes
        diagonal = np.arange(len(E))
        second[diagonal, diagonal] -= slopes / base[:, None]
        return Entries(values=values, first=values * slopes, second=values * second)

    def valid(self, gamma: Vector) -> bool:
        """Whether all variances are positive and Sigma, or the covariance at any distance, is positive definite."""
        correlations = gamma[self.n_variances :]
        if not (gamma[: self.n_variances] > 0).all() or not (np.abs(correlations) < 1).all():
            return False
        if self.n_visits is None:
            return bool((correlations > 0).all())
        return _positive_definite(np.prod(gamma[:, None] ** self.exponents, axis=0).reshape(self.n_visits, -1))

    def independent(self, gamma: Vector) -> Vector:
        """Return the variances, and no correlation; a small one where it must be positive."""
        correlation = 0.0 if self.n_visits is not None else _LEAST_POSITIVE
        return np.where(self.variances, gamma, correlation)

    def start(self, moments: Vector, counts: Vector) -> Vector:
        """Return variances and correlations of the moments, the latter shrunk until Sigma is positive definite."""
        E, k = self.exponents, self.n_variances
        diagonal = self.diagonal
        typical = float(np.average(moments[diagonal], weights=counts[diagonal]))
        variances = np.full(k, typical)
        for j in range(k):
            own = diagonal[E[j, diagonal] == 1]
            if counts[own].sum() > 0:
                variances[j] = np.average(moments[own], weights=counts[own])
        variances = np.maximum(variances, _LEAST_SHARE * typical)
        if self.n_visits is None:
            return np.append(variances, _decay(E[k], moments / typical, counts))
        own = np.where(counts[diagonal] > 0, np.maximum(moments[diagonal], _LEAST_SHARE * typical), typical)
        scaled = moments / np.sqrt(np.outer(own, own)).reshape(-1)
        correlations = np.array([_mean_correlation(E[k:], j, scaled, counts) for j in range(len(E) - k)])
        gamma = np.concatenate([variances, correlations])
        share = _FIRST_SHRINKAGE
        while not self.valid(gamma):
            gamma[k:] *= 1 - share
            share = min(2 * share, 0.5)
        return gamma


_LEAST_SHARE = 1e-3
_LEAST_POSITIVE = 0.1
_LARGEST_START = 0.99
_UNKNOWN_START = 0.3
_TRIED_CORRELATIONS = np.array([0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97])
_FIRST_SHRINKAGE = 1e-4


def _decay(distances: Vector, scaled: Vector, counts: Vector) -> float:
    """Return phi with phi^d nearest to the moments at distances d, of a few in unit distance."""
    typical = float(np.average(distances, weights=counts * (distances > 0))) if np.any(distances > 0) else 1.0
    tried = _TRIED_CORRELATIONS ** (1 / typical)
    misfit = counts @ (scaled[:, None] - tried ** distances[:, None]) ** 2
    return float(tried[np.argmin(misfit)])


def _mean_correlation(exponents: Matrix, j: int, scaled: Vector, counts: Vector) -> float:
    """Return the mean over entries that no other correlation takes part in, at about the first power."""
    others = np.any(np.delete(exponents, j, axis=0) != 0, axis=0)
    own = (exponents[j] > 0.5) & (exponents[j] < 1.5) & ~others
    if counts[own].sum() == 0:
        return _UNKNOWN_START
    return float(np.clip(np.average(scaled[own], weights=counts[own]), -_LARGEST_START, _LARGEST_START))


def _shrunk_to_regular(Sigma: Matrix, moments: Vector, counts: Vector) -> Matrix:
    """Return Sigma with positive variances, and its correlations shrunk until none of its eigenvalues is small."""
    diagonal = np.arange(len(Sigma)) * (len(Sigma) + 1)
    typical = float(np.average(moments[diagonal], weights=counts[diagonal]))
    variances = np.diag(Sigma).copy()
    variances[counts[diagonal] == 0] = typical
    variances = np.maximum(variances, _LEAST_SHARE * typical)
    sds = np.sqrt(variances)
    correlations = Sigma / np.outer(sds, sds)
    np.fill_diagonal(correlations, 1.0)
    share = _FIRST_SHRINKAGE
    while np.linalg.eigvalsh(correlations)[0] < share / 2:
        correlations *= 1 - share
        np.fill_diagonal(correlations, 1.0)
        share = min(2 * share, 0.5)
    return np.asarray(correlations * np.outer(sds, sds))


def _positive_definite(Sigma: Matrix) -> bool:
    try:
        np.linalg.cholesky(Sigma)
    except np.linalg.LinAlgError:
        return False
    return True
