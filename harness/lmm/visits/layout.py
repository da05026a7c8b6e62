"""Who was observed when: subjects with the same visits (and random effects) share a pattern, patterns share a block."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only
from harness.lmm.kinds import kinds_of_rows

# A pass of array operations over another block costs about as much as this many multiplications.
_BLOCK_COST = 30_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """K patterns of one level of `by`, padded to n rows: a row that is not there has variance 1 and no covariance.

    `rows` (m, n) are the rows of each subject, -1 where padded, and `pattern` (m,) the pattern, which ascends. `entry`
    (K, n, n) says which of the structure's U entries each covariance is: U is a padded zero, U + 1 a padded one.
    `Z` (K, n, q) are the random effects; `counts` (K,) the subjects.
    """

    level: int
    rows: Codes
    pattern: Codes
    entry: Codes
    Z: Tensor
    counts: Vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Positions:
    """Where each row stands: `place` (n,) is a visit's code, or a time; `starts` (m + 1,) delimit subjects.

    `levels` (m,) codes `by`. `n_visits` is None for times.
    """

    place: Vector
    starts: Codes
    levels: Codes
    n_visits: int | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """The blocks of a data set, U entries; `distances` (U,), ascending, are those between times, None for visits."""

    blocks: tuple[Block, ...]
    n_entries: int
    distances: Vector | None


def lay_out(positions: Positions, Z: Matrix) -> Layout:
    """Return the blocks of rows with random effects Z (n, q); rows of a subject may come in any order."""
    sizes = np.diff(positions.starts)
    order = np.lexsort([positions.place, np.repeat(np.arange(len(sizes)), sizes)])
    stacks = [
        _stack(positions, Z, order, np.flatnonzero((positions.levels == level) & (sizes == size)), size)
        for level in np.unique(positions.levels).tolist()
        for size in np.unique(sizes[positions.levels == level])[::-1].tolist()
    ]
    joined: list[list[_Stack]] = []
    for stack in stacks:
        largest = joined[-1][0] if joined else None
        if largest is not None and largest.level == stack.level and _cheap_to_pad(stack, largest.size):
            joined[-1].append(stack)
        else:
            joined.append([stack])
    if positions.n_visits is not None:
        N = positions.n_visits
        return Layout(blocks=tuple(_block(beside, N) for beside in joined), n_entries=N**2, distances=None)
    gaps = [np.abs(stack.places[:, :, None] - stack.places[:, None, :]) for stack in stacks]
    distances = np.unique(np.concatenate([gap.reshape(-1) for gap in gaps]))
    blocks = tuple(_block(beside, distances) for beside in joined)
    return Layout(blocks=blocks, n_entries=len(distances), distances=read_only(distances))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Stack:
    """K patterns of `size` rows: `places` (K, size), `Z` (K, size, q); subjects' `rows` (m, size), `pattern` (m,)."""

    level: int
    size: int
    places: Matrix
    Z: Tensor
    rows: Codes
    pattern: Codes


def _stack(positions: Positions, Z: Matrix, order: Codes, members: Codes, size: int) -> _Stack:
    rows = order[positions.starts[members, None] + np.arange(size)]
    places = positions.place[rows]
    if positions.n_visits is None:
        places = places - places[:, :1]  # only distances matter
    first, pattern = kinds_of_rows(np.concatenate([places, Z[rows].reshape(len(rows), -1)], axis=1))
    sorting = np.argsort(pattern, kind="stable")
    return _Stack(
        level=int(positions.levels[members[0]]),
        size=size,
        places=places[first],
        Z=Z[rows[first]],
        rows=rows[sorting],
        pattern=pattern[sorting],
    )


def _cheap_to_pad(stack: _Stack, size: int) -> bool:
    return len(stack.places) * (size**3 - stack.size**3) < _BLOCK_COST


def _block(stacks: list[_Stack], entries: int | Vector) -> Block:
    """Return stacks as one, padded to the largest; `entries` is the number of visits, or the distances (U,)."""
    n, q = stacks[0].size, stacks[0].Z.shape[2]
    K, m = (sum(len(getattr(stack, name)) for stack in stacks) for name in ("places", "rows"))
    U = entries**2 if isinstance(entries, int) else len(entries)
    rows = np.full((m, n), -1)
    pattern = np.empty(m, dtype=np.int64)
    entry = np.full((K, n, n), U)
    entry[:, np.arange(n), np.arange(n)] = U + 1
    Z = np.zeros((K, n, q))
    k = i = 0
    for stack in stacks:
        own, members = slice(k, k + len(stack.places)), slice(i, i + len(stack.rows))
        rows[members, : stack.size] = stack.rows
        pattern[members] = stack.pattern + k
        entry[own, : stack.size, : stack.size] = _entries(stack.places, entries)
        Z[own, : stack.size] = stack.Z
        k, i = own.stop, members.stop
    return Block(
        level=stacks[0].level,
        rows=read_only(rows),
        pattern=read_only(pattern),
        entry=read_only(entry),
        Z=read_only(Z),
        counts=read_only(np.bincount(pattern, minlength=K).astype(float)),
    )


def _entries(places: Matrix, entries: int | Vector) -> Codes:
    if isinstance(entries, int):
        codes = places.astype(np.int64)
        return np.asarray(codes[:, :, None] * entries + codes[:, None, :])
    return np.asarray(np.searchsorted(entries, np.abs(places[:, :, None] - places[:, None, :])))
