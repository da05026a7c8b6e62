"""One pass over the data: visit patterns, rotation, and the statistics that carry the whole likelihood.

Subjects with bit-identical Z_i share a pattern. A full QR of each pattern's Z splits the rows of its subjects into
q rows U that see the random effects and the rest W that never does, so that

    M(theta) = D'(V/sigma^2)^-1 D = S + sum_k <H_k, T_k>,    H_k = (I + R_k Gamma R_k')^-1,

where only positive semidefinite terms are added. (The usual Z'Z form subtracts; that is where digits are lost.)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only
from harness.lmm.coordinates import Coordinates, plain_coordinates
from harness.lmm.covariance import Layout, upper_factor
from harness.lmm.design import LmmDesign
from harness.lmm.kinds import kinds_of_rows
from harness.lmm.rotation import rotated_rows, taken
from harness.lmm.spec import Criterion

# Subjects with unequally many rows are padded to the longest as long as this is how much the work grows by.
_MOST_PADDING = 1.5
_CHUNK = 1_000  # subjects at a time, whose products stay in the cache
_FEW = 200  # patterns, that are worth no distinction
_SMALL = 500_000  # products of single subjects, summed at once before a loop over patterns would have begun


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SufficientStatistics:
    """All that the likelihood needs: K patterns, q random effects, c = p + 1 columns of D in some coordinates.

    `S` (c, c); `T` (K q(q+1)/2, c(c+1)/2) holds, for a <= b, the upper triangle of the symmetrised block of rows a and
    b of U; `R` (K, q, q) belongs to Z in those coordinates. `counts` (K,) are subjects, `ranks` (K,) the rows
    min(q, n_k) of U that are real, not padding. `U` (m, q, c) and `pattern` (m,) serve the conditional modes.
    `spread` (q, q) is the upper triangular root of Z'Z/n and `skew` its condition number. Rows are those that were
    multiplied by the roots of their weights; `log_weights` is the sum of the logarithms.
    """

    criterion: Criterion
    S: Matrix
    T: Matrix
    R: Tensor
    counts: Vector
    ranks: Codes
    U: Tensor
    pattern: Codes
    coordinates: Coordinates
    spread: Matrix
    skew: float
    n_observations: int
    log_weights: float

    @property
    def n_fixed(self) -> int:
        """How many fixed effects."""
        return len(self.S) - 1

    @property
    def n_random(self) -> int:
        """How many random effects a subject has."""
        return int(self.R.shape[-1])

    @property
    def layout(self) -> Layout:
        """Where theta stands in Lambda."""
        return self.coordinates.layout

    @property
    def residual_df(self) -> int:
        """The divisor of sigma^2: n under ML, n - p under REML."""
        return self.n_observations - (self.n_fixed if self.criterion == "REML" else 0)

    def reordered(self, order: Sequence[int]) -> "SufficientStatistics":
        """Return the same statistics with the random effects of each block in another order; U and T stay."""
        index = list(order)
        return replace(self, R=read_only(self.R[:, :, index]), coordinates=self.coordinates.reordered(index))


@cache
def upper_triangle(size: int) -> tuple[Codes, Codes]:
    """Return rows and columns of the upper triangle."""
    rows, columns = np.triu_indices(size)
    return read_only(rows), read_only(columns)


@cache
def symmetric_index(size: int) -> Codes:
    """Return the (size, size) index that unfolds an upper triangle into a symmetric matrix."""
    index = np.empty((size, size), dtype=np.int64)
    rows, columns = upper_triangle(size)
    index[rows, columns] = index[columns, rows] = np.arange(len(rows))
    return read_only(index)


def sufficient_statistics(design: LmmDesign, coordinates: Coordinates | None = None) -> SufficientStatistics:
    """Return the statistics in the plain coordinates of the design, or in others; one pass, then n does not matter."""
    if coordinates is None:
        coordinates = plain_coordinates(design)
    q, c = design.n_random, design.n_fixed + 1
    U = np.zeros((design.n_subjects, q, c))
    pattern = np.empty(design.n_subjects, dtype=np.int64)
    S = np.zeros((c, c))
    triangles: list[Tensor] = []
    ranks: list[Codes] = []
    K = 0
    for members, rows in _blocks_of_rows(design):
        sizes = (rows >= 0).sum(axis=1)
        # By size too, which tells rows that are zero from rows that are not there.
        blocks = taken(design.scaled.Z, rows).reshape(len(rows), -1)
        first, shared = kinds_of_rows(np.column_stack([sizes, blocks]))
        own, W, R = rotated_rows(design, coordinates, rows, first, shared)
        U[members, : own.shape[1]] = own
        W = W.reshape(-1, c)
        S += W.T @ W
        pattern[members] = shared + K
        padded = np.zeros((len(R), q, q))
        padded[:, : R.shape[1]] = R
        triangles.append(padded)
        ranks.append(np.minimum(q, sizes[first]))
        K += len(R)
    counts = np.bincount(pattern, minlength=K)
    R = np.concatenate(triangles)
    spread = _spread(R, counts, design.n_observations)
    return SufficientStatistics(
        criterion=design.criterion,
        S=read_only(S),
        T=read_only(_outer_products(U, pattern, counts)),
        R=read_only(R),
        counts=read_only(counts.astype(float)),
        ranks=read_only(np.concatenate(ranks)),
        U=read_only(U),
        pattern=read_only(pattern),
        coordinates=coordinates,
        spread=read_only(spread),
        skew=float(np.linalg.cond(spread)),
        n_observations=design.n_observations,
        log_weights=design.log_weights,
    )


def _spread(R: Tensor, counts: Codes, n_observations: int) -> Matrix:
    weighted = np.sqrt(counts / n_observations)[:, None, None] * R
    return upper_factor(weighted.reshape(-1, R.shape[-1]))


def _blocks_of_rows(design: LmmDesign) -> Iterator[tuple[Codes, Codes]]:
    """Yield subjects (g,) and their rows (g, size) of the design, -1 beyond a subject's last.

    All subjects at once where that does not double the work, else those with equally many rows.
    """
    sizes = np.diff(design.starts)
    longest = int(sizes.max())
    together = longest * len(sizes) <= _MOST_PADDING * design.n_observations
    for size in [longest] if together else np.unique(sizes).tolist():
        members = np.flatnonzero(sizes == size) if not together else np.arange(len(sizes))
        at = np.arange(size)
        rows = design.starts[members, None] + at
        yield members, np.where(at < sizes[members, None], rows, -1) if together else rows


def _outer_products(U: Tensor, pattern: Codes, counts: Codes) -> Matrix:
    """Return T: for each pattern, the sum over its subjects of the products of rows a <= b of U, as upper triangles."""
    m, q, c = U.shape
    T = np.empty((len(counts), q * (q + 1) // 2, c * (c + 1) // 2))
    order = np.argsort(pattern, kind="stable")
    ends = np.cumsum(counts)
    if T[0].size * m <= _SMALL:
        return np.add.reduceat(_own_products(U[order]), ends - counts, axis=0).reshape(-1, T.shape[-1])
    alone = np.flatnonzero(counts == 1) if len(counts) > _FEW else np.empty(0, dtype=np.int64)
    for at in range(0, len(alone), _CHUNK):
        own = alone[at : at + _CHUNK]
        T[own] = _own_products(U[order[ends[own] - 1]])
    shared = np.setdiff1d(np.arange(len(counts)), alone, assume_unique=True)
    flat = U[order].reshape(m, -1)
    products = np.empty((len(shared), q * c, q * c))
    for place, k in enumerate(shared.tolist()):
        rows = flat[ends[k] - counts[k] : ends[k]]
        products[place] = rows.T @ rows
    T[shared] = _folded(products.reshape(-1, q, c, q, c))
    return T.reshape(-1, T.shape[-1])


def _own_products(U: Tensor) -> Tensor:
    """Return the products (g, q(q+1)/2, c(c+1)/2) of single subjects."""
    a, b = upper_triangle(U.shape[1])
    rows, columns = upper_triangle(U.shape[2])
    left, right, off = U[:, a], U[:, b], a < b
    found = left.take(rows, axis=2) * right.take(columns, axis=2)
    found[:, off] += right[:, off].take(rows, axis=2) * left[:, off].take(columns, axis=2)
    return found


def _folded(blocks: Tensor) -> Tensor:
    """Return, of products (k, q, c, q, c), the upper triangles of the symmetrised blocks a <= b."""
    a, b = upper_triangle(blocks.shape[1])
    rows, columns = upper_triangle(blocks.shape[2])
    above = blocks[:, a[:, None], rows, b[:, None], columns]
    return above + np.where((a < b)[:, None], blocks[:, a[:, None], columns, b[:, None], rows], 0.0)
