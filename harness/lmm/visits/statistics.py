"""What the likelihood needs of the data: cross products of rows by pattern, after which n does not matter."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only
from harness.lmm.patterns import symmetric_index, upper_triangle
from harness.lmm.visits.layout import Block, Layout

# Elements of products that are not folded: more than this are not worth their memory if few subjects share them.
_LARGE = 40_000_000


class Data(Protocol):
    """The rows D_i (n, c) of K patterns, T_k[a, b] = sum over subjects i of D_i[a]' D_i[b]."""

    def weighted(self, weights: Tensor) -> Tensor:
        """Return sum over k, a, b of weights (s, K, n, n), symmetric in a and b, times T_k[a, b]: (s, c, c)."""
        ...

    def contracted(self, form: Matrix) -> Tensor:
        """Return <form, T_k[a, b]> (K, n, n) for a symmetric form (c, c)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossProducts:
    """T itself, `folded` (K n(n+1)/2, c(c+1)/2): T[a, b] + T[b, a] for a < b, T[a, a], of each the upper triangle."""

    folded: Matrix
    n: int
    c: int

    def weighted(self, weights: Tensor) -> Tensor:
        """See `Data`."""
        a, b = upper_triangle(self.n)
        sums = weights[:, :, a, b].reshape(len(weights), -1) @ self.folded
        return np.asarray(sums[:, symmetric_index(self.c)])

    def contracted(self, form: Matrix) -> Tensor:
        """See `Data`."""
        i, j = upper_triangle(self.c)
        a, b = upper_triangle(self.n)
        values = (self.folded @ (form[i, j] * np.where(i < j, 2.0, 1.0))).reshape(-1, len(a))
        return np.asarray((values * np.where(a < b, 0.5, 1.0))[:, symmetric_index(self.n)])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SubjectRows:
    """The rows (K, n, c) themselves, where almost every subject is a pattern of its own."""

    D: Tensor

    def weighted(self, weights: Tensor) -> Tensor:
        """See `Data`."""
        rows = self.D.reshape(-1, self.D.shape[2]).T
        return np.stack([rows @ (own @ self.D).reshape(rows.shape[1], -1) for own in weights])

    def contracted(self, form: Matrix) -> Tensor:
        """See `Data`."""
        return np.asarray((self.D @ form) @ self.D.transpose(0, 2, 1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockStatistics:
    """A block's patterns with their data; the fields are those of `Block`, U is the structure's number of entries.

    Beside random effects, rows are turned by `rotation` (K, n, n), whose last q columns span those of Z_k: the large
    variance of random effects then stands in few rows, and takes no digits from the others. `Z` is turned already.
    """

    level: int
    entry: Codes
    U: int
    Z: Tensor
    rotation: Tensor | None
    counts: Vector
    data: Data

    def spread(self, values: Matrix, padding: float = 0.0) -> Tensor:
        """Return entries of the structure (..., U) as covariances of the patterns' rows (..., K, n, n).

        `padding` is the variance of rows that are not there.
        """
        ends = np.broadcast_to([0.0, padding], (*values.shape[:-1], 2))
        found = np.concatenate([values, ends], axis=-1)[..., self.entry]
        if self.rotation is None:
            return np.asarray(found)
        return np.asarray(self.rotation.transpose(0, 2, 1) @ found @ self.rotation)

    def summed(self, values: Tensor) -> Vector:
        """Return sums of products of rows (K, n, n) by entry of the structure (U,)."""
        if self.rotation is not None:
            values = self.rotation @ values @ self.rotation.transpose(0, 2, 1)
        return self._by_entry(values)

    def pairs(self) -> Vector:
        """Return how many pairs of rows there are of each entry (U,)."""
        return self._by_entry(np.broadcast_to(self.counts[:, None, None], self.entry.shape))

    def _by_entry(self, values: Tensor) -> Vector:
        sums = np.bincount(self.entry.reshape(-1), weights=values.reshape(-1), minlength=self.U + 2)
        return np.asarray(sums[: self.U])


def block_statistics(layout: Layout, D: Matrix) -> tuple[BlockStatistics, ...]:
    """Return the statistics of rows D (n, c), one pass over them."""
    extended = np.concatenate([D, np.zeros((1, D.shape[1]))])  # row -1, for padding
    return tuple(_statistics(block, layout.n_entries, extended) for block in layout.blocks)


def _statistics(block: Block, U: int, D: Matrix) -> BlockStatistics:
    rows: Tensor = D[block.rows]
    (m, n, c), K = rows.shape, len(block.counts)
    Z, rotation = block.Z, None
    if Z.shape[2]:
        Z, rotation = _turned(Z)
        rows = rotation[block.pattern].transpose(0, 2, 1) @ rows
    # Multiplications of a weighted sum over n (n + 1) / 2 products of c (c + 1) / 2, against those over rows.
    if K * n * c > 4 * m * (n + c) or (m < 2 * K and (n * c) ** 2 * K > _LARGE):
        own = block.pattern
        return BlockStatistics(
            level=block.level,
            entry=block.entry[own],
            U=U,
            Z=Z[own],
            rotation=None if rotation is None else rotation[own],
            counts=read_only(np.ones(m)),
            data=SubjectRows(D=read_only(rows)),
        )
    folded = np.empty((K, n * (n + 1) // 2, c * (c + 1) // 2))
    alone = block.counts == 1
    single = alone[block.pattern]
    folded[alone] = _folded(rows[single][:, :, :, None], rows[single][:, :, None, :])
    starts = np.searchsorted(block.pattern, np.arange(K + 1))
    for k in np.flatnonzero(~alone).tolist():
        members: Tensor = rows[starts[k] : starts[k + 1]]
        folded[k] = _folded(members.transpose(1, 2, 0), members.transpose(1, 0, 2))
    data = CrossProducts(folded=read_only(folded.reshape(-1, folded.shape[2])), n=n, c=c)
    return BlockStatistics(
        level=block.level, entry=block.entry, U=U, Z=Z, rotation=rotation, counts=block.counts, data=data
    )


def _turned(Z: Tensor) -> tuple[Tensor, Tensor]:
    """Return Q'Z (K, n, q) and Q (K, n, n), orthogonal, such that only the last q rows of Q'Z are not zero."""
    q = Z.shape[2]
    Q, R = np.linalg.qr(Z, mode="complete")
    turned = np.zeros_like(Z)
    last = min(q, Z.shape[1])
    turned[:, Z.shape[1] - last :] = R[:, :last]
    return read_only(turned), read_only(np.concatenate([Q[:, :, last:], Q[:, :, :last]], axis=2))


def _folded(left: Tensor, right: Tensor) -> Tensor:
    """Return left[..., a] @ right[..., b] (..., n, c, c) for pairs a <= b, folded as `CrossProducts` says."""
    n, c = left.shape[-3:-1]
    a, b = upper_triangle(n)
    i, j = upper_triangle(c)
    pairs = left[..., a, :, :] @ right[..., b, :, :]
    mixed = a < b
    pairs[..., mixed, :, :] += pairs[..., mixed, :, :].swapaxes(-1, -2)
    return np.asarray(pairs[..., i, j])
