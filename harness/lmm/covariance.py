"""The relative factor Lambda of the random effects' covariance G = sigma^2 Lambda Lambda' (Bates et al. 2015, 2.2).

No entry is bounded below: the likelihood knows Gamma = Lambda Lambda' only, and the sign of a column is free.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import cast

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only

# A leading variance below this share of the largest makes the minimum a curved valley in Lambda; then pivot.
PIVOT_SHARE = 0.1

Positions = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """Where theta stands in Lambda (q, q): in the lower triangles of its blocks, block after block, by columns.

    Random effects of different blocks are independent. `blocks` holds the positions of each block's random effects, in
    the order of its triangle; `rows` and `columns` (J,) are those of theta's entries.
    """

    blocks: tuple[Positions, ...]
    rows: Codes
    columns: Codes

    @property
    def n_random(self) -> int:
        """How many random effects a subject has, q."""
        return sum(map(len, self.blocks))

    @property
    def n_theta(self) -> int:
        """How many entries theta has, J."""
        return len(self.rows)

    def factor(self, theta: Vector) -> Matrix:
        """Return Lambda with these entries."""
        if np.shape(theta) != self.rows.shape:
            raise ValueError(f"theta has shape {np.shape(theta)}; expected {self.rows.shape}")
        Lambda = np.zeros((self.n_random, self.n_random))
        Lambda[self.rows, self.columns] = theta
        return Lambda

    def theta(self, Lambda: Matrix) -> Vector:
        """Return the entries of Lambda."""
        return Lambda[self.rows, self.columns]

    def gamma_derivatives(self, Lambda: Matrix) -> Tensor:
        """Return dGamma (J, q, q): E_j Lambda' + Lambda E_j', E_j with a 1 where theta_j stands."""
        half = np.zeros((self.n_theta, *Lambda.shape))
        half[np.arange(self.n_theta), self.rows] = Lambda.T[self.columns]
        return half + half.transpose(0, 2, 1)

    def sides(self) -> Iterator[tuple[Positions, Positions]]:
        """Yield the positions of each block in the user's order, where blocks follow one another, and here."""
        return zip(layout(tuple(map(len, self.blocks))).blocks, self.blocks, strict=True)

    def reordered(self, order: Sequence[int]) -> "Layout":
        """Return the layout after the random effects were put in another order; each triangle keeps its own."""
        place = {old: new for new, old in enumerate(order)}
        return _layout(tuple(tuple(place[old] for old in block) for block in self.blocks))


@cache
def layout(blocks: tuple[int, ...]) -> Layout:
    """Return the layout of blocks of these sizes, one after the other: (2,) for `|`, (1, 1) for `||`."""
    return _layout(tuple(tuple(range(end - size, end)) for end, size in zip(accumulate(blocks), blocks, strict=True)))


@cache
def _layout(blocks: tuple[Positions, ...]) -> Layout:
    entries = [(row, column) for block in blocks for j, column in enumerate(block) for row in block[j:]]
    rows, columns = np.array(entries, dtype=np.int64).reshape(-1, 2).T
    return Layout(blocks=blocks, rows=read_only(rows.copy()), columns=read_only(columns.copy()))


def relative_factor(theta: Vector, blocks: tuple[int, ...]) -> Matrix:
    """Return Lambda (q, q), lower triangular, from theta in lme4's order: ``getME(m, "Lambda")`` for one subject."""
    return layout(blocks).factor(theta)


def theta_of(Lambda: Matrix, blocks: tuple[int, ...] | None = None) -> Vector:
    """Return theta, in lme4's order, of a lower triangular Lambda; of one block if none are given."""
    return layout(blocks or (len(Lambda),)).theta(Lambda)


def theta_entries(size: int) -> tuple[Codes, Codes]:
    """Return rows and columns of the entries of theta in one block: its lower triangle, by columns."""
    found = layout((size,))
    return found.rows, found.columns


def diagonal_blocks(whole: Matrix, sizes: Sequence[int]) -> tuple[Matrix, ...]:
    """Return the squares of these sizes along the diagonal of a block-diagonal matrix."""
    return tuple(whole[end - size : end, end - size : end] for end, size in zip(accumulate(sizes), sizes, strict=True))


def upper_factor(array: Matrix) -> Matrix:
    """Return C (..., q, q), upper triangular, with C'C = array'array, by QR; for a stack of matrices too."""
    return cast("Matrix", np.linalg.qr(array, mode="r"))


def lower_triangular(factor: Matrix) -> Matrix:
    """Return the lower triangular Lambda >= 0 on its diagonal with Lambda Lambda' = factor factor'.

    By QR of the transpose: squaring to Gamma would lose half of the digits of a small variance.
    """
    Lambda = upper_factor(factor.T).T
    return Lambda * np.where(Lambda.diagonal() < 0, -1.0, 1.0)


def pivot_order(Lambda: Matrix, blocks: Sequence[Positions] | None = None) -> Positions:
    """Return the order of random effects in which no pivot of a block of Gamma is far smaller than a later one.

    The given order is kept as long as each pivot of the Cholesky factorisation is at least a tenth of the largest left.
    """
    left = Lambda @ Lambda.T
    order = list(range(len(Lambda)))
    for block in (tuple(order),) if blocks is None else blocks:
        for j, place in enumerate(block[:-1]):
            pivots = [left[order[later], order[later]] for later in block[j:]]
            if pivots[0] < PIVOT_SHARE * max(pivots):
                best = block[j + int(np.argmax(pivots))]
                order[place], order[best] = order[best], order[place]
            chosen = order[place]
            if left[chosen, chosen] > 0:
                left = left - np.outer(left[:, chosen], left[chosen]) / left[chosen, chosen]
    return tuple(order)
