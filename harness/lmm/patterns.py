"""One pass over the data: visit patterns, rotation, and the statistics that carry the whole likelihood.

Subjects with bit-identical Z_i share a pattern. A full QR of each pattern's Z splits the rows of its subjects into
q rows U that see the random effects and the rest W that never does, so that

    M(theta) = D'(V/sigma^2)^-1 D = S + sum_k <H_k, T_k>,    H_k = (I + R_k Gamma R_k')^-1,

where only positive semidefinite terms are added. (The usual Z'Z form subtracts; that is where digits are lost.)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only
from harness.lmm.coordinates import Coordinates, plain_coordinates
from harness.lmm.covariance import Layout, upper_factor
from harness.lmm.design import LmmDesign
from harness.lmm.rotation import rotated_rows
from harness.lmm.spec import Criterion

# Any fixed numbers do: equal hashes are compared exactly before two subjects share a pattern.
_HASH_SEED = 20150


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
    def correlated(self) -> bool:
        """Whether all random effects are in one block."""
        return len(self.layout.blocks) <= 1

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
    sizes = np.diff(design.starts)
    U = np.zeros((design.n_subjects, q, c))
    pattern = np.empty(design.n_subjects, dtype=np.int64)
    S = np.zeros((c, c))
    triangles: list[Tensor] = []
    ranks: list[int] = []
    for size in np.unique(sizes).tolist():
        members = np.flatnonzero(sizes == size)
        rows = design.starts[members, None] + np.arange(size)
        Z_own, shared = _distinct(design.scaled.Z[rows])
        rank = min(q, size)
        U[members, :rank], W, R = rotated_rows(design, coordinates, rows, Z_own, shared)
        W = W.reshape(-1, c)
        S += W.T @ W
        pattern[members] = shared + len(ranks)
        padded = np.zeros((len(R), q, q))
        padded[:, :rank] = R
        triangles.append(padded)
        ranks += [rank] * len(R)
    counts = np.bincount(pattern, minlength=len(ranks))
    R = np.concatenate(triangles)
    spread = _spread(R, counts, design.n_observations)
    return SufficientStatistics(
        criterion=design.criterion,
        S=read_only(S),
        T=read_only(_folded(_cross_products(U.reshape(len(U), -1), pattern, counts), q)),
        R=read_only(R),
        counts=read_only(counts.astype(float)),
        ranks=read_only(np.array(ranks)),
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


def _distinct(blocks: Tensor) -> tuple[Tensor, Codes]:
    """Return the distinct blocks of (g, size, q), compared bit by bit, and which of them each block is."""
    flat = blocks.reshape(len(blocks), -1)
    weights = np.random.default_rng(_HASH_SEED).standard_normal(flat.shape[1])
    hashes = (flat * weights).sum(axis=1)  # not by BLAS, whose kernels may round equal rows differently
    _, first, shared = np.unique(hashes, return_index=True, return_inverse=True)
    if not np.array_equal(flat[first][shared], flat):  # a collision: two patterns with one hash
        distinct, shared = np.unique(flat, axis=0, return_inverse=True)
        return distinct.reshape(-1, *blocks.shape[1:]), shared.reshape(-1)
    return blocks[first], shared


def _cross_products(rows: Matrix, pattern: Codes, counts: Codes) -> Tensor:
    """Return, for each pattern, the sum of the outer products of its subjects' rows."""
    rows = rows[np.argsort(pattern, kind="stable")]
    ends = np.cumsum(counts)
    products = np.empty((len(counts), rows.shape[1], rows.shape[1]))
    alone = counts == 1
    single = rows[ends[alone] - 1]
    products[alone] = single[:, :, None] * single[:, None, :]
    for k in np.flatnonzero(~alone).tolist():
        own = rows[ends[k] - counts[k] : ends[k]]
        products[k] = own.T @ own
    return products


def _folded(products: Tensor, q: int) -> Matrix:
    """Return T: of each symmetrised block of U rows (a, b), a <= b, the upper triangle."""
    K, width = products.shape[0], products.shape[1]
    c = width // q
    blocks = products.reshape(K, q, c, q, c)
    a, b = upper_triangle(q)
    pairs = blocks[:, a, :, b, :]  # (pairs, K, c, c): numpy puts split index axes first
    pairs = np.where((a < b)[:, None, None, None], pairs + pairs.transpose(0, 1, 3, 2), pairs)
    rows, columns = upper_triangle(c)
    return pairs[:, :, rows, columns].transpose(1, 0, 2).reshape(K * len(a), len(rows))
