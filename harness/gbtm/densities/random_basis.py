"""The columns that random effects multiply: powers of time, in a basis that an optimiser likes."""

from dataclasses import dataclass
from math import comb

import numpy as np

from harness.arrays import Matrix, Vector, read_only
from harness.gbtm.response_building import power_name
from harness.gbtm.spec import RandomCovariance


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RandomBasis:
    """q columns over n rows; q = 0 where there are no random effects.

    Attributes
    ----------
    Z : (n, q)
        Working columns = powers of the user's time @ W. Each has mean square 1 over the rows.
    W : (q, q)
        Upper triangular, diagonal if the covariance is: random effects in the user's basis = scale * W @ working ones.
    names : (q,)
        Of the powers.
    """

    Z: Matrix
    W: Matrix
    names: tuple[str, ...]

    @property
    def n_random(self) -> int:
        """q, random effects of a subject."""
        return int(self.Z.shape[1])


def random_basis(time: Vector, order: int | None, covariance: RandomCovariance, time_name: str) -> RandomBasis:
    """Return the columns up to a power of time; none for None.

    Those of an unrestricted covariance are orthogonal over the rows, which any change of basis leaves unrestricted. A
    diagonal covariance belongs to the user's own powers: these are only scaled.
    """
    q = 0 if order is None else order + 1
    names = tuple(power_name(time_name, k) for k in range(q))
    if covariance == "diagonal":
        powers = np.vander(time, q, increasing=True)
        W = np.diag(1 / np.sqrt(np.mean(powers**2, axis=0)))
        return RandomBasis(Z=read_only(powers @ W), W=read_only(W), names=names)
    centre, half_range = _centre_and_half_range(time)
    powers = np.vander((time - centre) / half_range, q, increasing=True)
    R = np.linalg.qr(powers, mode="r")
    orthogonal = np.triu(np.linalg.inv(R)) * np.sign(np.diag(R)) * np.sqrt(len(time))
    W = _raw_from_scaled(centre, half_range, q) @ orthogonal
    return RandomBasis(Z=read_only(powers @ orthogonal), W=read_only(W), names=names)


def _centre_and_half_range(time: Vector) -> tuple[float, float]:
    first, last = float(time.min()), float(time.max())
    return (first + last) / 2, (last - first) / 2 or 1.0


def _raw_from_scaled(centre: float, half_range: float, q: int) -> Matrix:
    """Return the map of coefficients: ((t - c) / h)^k = sum_j C(k, j) t^j (-c)^(k-j) / h^k."""
    return np.array(
        [[comb(k, j) * (-centre) ** (k - j) / half_range**k if j <= k else 0.0 for k in range(q)] for j in range(q)]
    ).reshape(q, q)
