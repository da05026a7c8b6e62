"""Rows at which an outcome is measured, or could be, as arrays; and how they fall into independent blocks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from harness.arrays import Codes, Mask, Matrix, Vector, read_only
from harness.errors import Problem, SpecError

# A dense covariance of more rows would fill the memory: 5,000 rows are 200 MB.
LARGEST_BLOCK = 5_000
_CHUNK = 2_000_000  # numbers in one batch of covariance matrices


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RandomRows:
    """What rows (n,) have of one random part: Z (n, q_t), and the level of its grouping factor by `codes` (n,).

    Codes of levels that the fit has not seen are beyond those of the ones that it has.
    """

    Z: Matrix
    codes: Codes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Occasions:
    """n rows: design X (n, p), random parts, `outcome` (n,) with NaN where there is none, prior `weights` (n,).

    Where residuals covary, `residual_subject` (n,) are codes of the subjects within which they do, `residual_level`
    (n,) those of the factor by which their covariance differs, and `visit` (n,) is the visit's code, or the time; else
    all three are zero.
    """

    X: Matrix
    random: tuple[RandomRows, ...]
    outcome: Vector
    weights: Vector
    residual_subject: Codes
    residual_level: Codes
    visit: Vector
    has_residual_structure: bool = False

    @property
    def n_rows(self) -> int:
        """How many rows."""
        return len(self.outcome)

    @property
    def measured(self) -> Mask:
        """Which rows have an outcome (n,)."""
        return ~np.isnan(self.outcome)

    def without_outcomes(self) -> "Occasions":
        """Return the same rows, nothing measured."""
        return replace(self, outcome=read_only(np.full(self.n_rows, np.nan)))

    def rows(self, index: Codes) -> "Occasions":
        """Return some of the rows."""
        return Occasions(
            X=self.X[index],
            random=tuple(RandomRows(Z=part.Z[index], codes=part.codes[index]) for part in self.random),
            outcome=self.outcome[index],
            weights=self.weights[index],
            residual_subject=self.residual_subject[index],
            residual_level=self.residual_level[index],
            visit=self.visit[index],
            has_residual_structure=self.has_residual_structure,
        )

    def blocks(self) -> Codes:
        """Return the block (n,) of each row: rows of different blocks are independent.

        Rows that share a level of any grouping factor are in one block, and so are rows that both share one with a
        third: with crossed factors usually all of them.
        """
        keys = [part.codes for part in self.random if part.Z.shape[1]]
        if self.has_residual_structure:
            keys.append(self.residual_subject)
        if not keys:
            return np.arange(self.n_rows)
        distinct = [np.unique(key, return_inverse=True)[1].astype(np.int64) for key in keys]
        if len(distinct) == 1:
            return distinct[0]
        offsets = np.cumsum([self.n_rows, *(int(key.max(initial=-1)) + 1 for key in distinct)])
        nodes = np.concatenate([key + offset for key, offset in zip(distinct, offsets[:-1], strict=True)])
        rows = np.tile(np.arange(self.n_rows), len(distinct))
        graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, nodes)), shape=(offsets[-1], offsets[-1]))
        return connected_components(graph, directed=False)[1][: self.n_rows].astype(np.int64)


def joined(first: Occasions, second: Occasions) -> Occasions:
    """Return the rows of both, one below the other; equal codes mean equal levels."""
    parts = (
        RandomRows(Z=np.concatenate([a.Z, b.Z]), codes=np.concatenate([a.codes, b.codes]))
        for a, b in zip(first.random, second.random, strict=True)
    )
    return Occasions(
        X=np.concatenate([first.X, second.X]),
        random=tuple(parts),
        outcome=np.concatenate([first.outcome, second.outcome]),
        weights=np.concatenate([first.weights, second.weights]),
        residual_subject=np.concatenate([first.residual_subject, second.residual_subject]),
        residual_level=np.concatenate([first.residual_level, second.residual_level]),
        visit=np.concatenate([first.visit, second.visit]),
        has_residual_structure=first.has_residual_structure,
    )


def batches(block: Codes, kinds: Sequence[Mask], largest_block: float = LARGEST_BLOCK) -> Iterator[tuple[Codes, ...]]:
    """Yield rows (g, n_kind) of g blocks at a time that have equally many rows of each kind, those in the masks.

    Every row of a mask comes once; blocks without any row of the last kind are left out.

    Raises
    ------
    SpecError
        If a block has more rows than `largest_block`, by default so many that their covariance can't be held.
    """
    n_blocks = int(block.max(initial=-1)) + 1
    sorted_rows, starts, counts = [], [], []
    for kind in kinds:
        rows = np.flatnonzero(kind)
        sorted_rows.append(rows[np.argsort(block[rows], kind="stable")])
        counts.append(np.bincount(block[rows], minlength=n_blocks))
        starts.append(np.concatenate([[0], np.cumsum(counts[-1])[:-1]]))
    sizes = np.column_stack(counts)
    if (largest := int(sizes.max(initial=0))) > largest_block:
        found = f"{largest} rows that all depend on each other through their grouping factors"
        problem = Problem(found=found, expected=f"at most {LARGEST_BLOCK}, for their covariance is held at once")
        raise SpecError("covariance of the outcomes", [problem])
    # One number for each combination of counts: sorting rows of several would be slow.
    key = sizes @ np.cumprod([1, *(sizes.max(axis=0, initial=0) + 1)])[:-1]
    _, first, shape_of = np.unique(key, return_index=True, return_inverse=True)
    for k, shape in enumerate(sizes[first].tolist()):
        if shape[-1] == 0:
            continue
        members = np.flatnonzero(shape_of.reshape(-1) == k)
        step = max(1, _CHUNK // (sum(shape) ** 2))
        for at in range(0, len(members), step):
            own = members[at : at + step]
            yield tuple(
                rows[start[own, None] + np.arange(size)]
                for rows, start, size in zip(sorted_rows, starts, shape, strict=True)
            )
