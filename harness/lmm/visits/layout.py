"""Who was observed when: subjects with the same visits (and random effects) share a pattern, patterns share a block."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only

_HASH_SEED = 20
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
    groups = [
        _size_class(positions, Z, order, np.flatnonzero((positions.levels == level) & (sizes == size)), size)
        for level in np.unique(positions.levels).tolist()
        for size in np.unique(sizes[positions.levels == level])[::-1].tolist()
    ]
    joined: list[list[_SizeClass]] = []
    for group in groups:
        largest = joined[-1][0] if joined else None
        if largest is not None and largest.level == group.level and _cheap_to_pad(group, largest.size):
            joined[-1].append(group)
        else:
            joined.append([group])
    if positions.n_visits is not None:
        N = positions.n_visits
        return Layout(blocks=tuple(_block(classes, N) for classes in joined), n_entries=N**2, distances=None)
    gaps = [np.abs(group.places[:, :, None] - group.places[:, None, :]) for group in groups]
    distances = np.unique(np.concatenate([gap.reshape(-1) for gap in gaps]))
    blocks = tuple(_block(classes, distances) for classes in joined)
    return Layout(blocks=blocks, n_entries=len(distances), distances=read_only(distances))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _SizeClass:
    """Patterns of `size` rows: their places (K, size) and random effects, the subjects' rows and patterns."""

    level: int
    size: int
    places: Matrix
    Z: Tensor
    rows: Codes
    pattern: Codes


def _size_class(positions: Positions, Z: Matrix, order: Codes, members: Codes, size: int) -> _SizeClass:
    rows = order[positions.starts[members, None] + np.arange(size)]
    places = positions.place[rows]
    if positions.n_visits is None:
        places = places - places[:, :1]  # only distances matter
    marks = np.concatenate([places, Z[rows].reshape(len(rows), -1)], axis=1)
    first, pattern = _distinct(marks)
    sorting = np.argsort(pattern, kind="stable")
    return _SizeClass(
        level=int(positions.levels[members[0]]),
        size=size,
        places=places[first],
        Z=Z[rows[first]],
        rows=rows[sorting],
        pattern=pattern[sorting],
    )


def _distinct(marks: Matrix) -> tuple[Codes, Codes]:
    """Return the first of each kind of rows, compared bit by bit, and the kind of each row."""
    weights = np.random.default_rng(_HASH_SEED).standard_normal(marks.shape[1])
    hashes = (marks * weights).sum(axis=1)  # not by BLAS, whose kernels may round equal rows differently
    _, first, kind = np.unique(hashes, return_index=True, return_inverse=True)
    if not np.array_equal(marks[first][kind], marks):  # a collision: two patterns with one hash
        _, first, kind = np.unique(marks, axis=0, return_index=True, return_inverse=True)
    return first, kind.reshape(-1)


def _cheap_to_pad(group: _SizeClass, size: int) -> bool:
    return len(group.places) * (size**3 - group.size**3) < _BLOCK_COST


def _block(classes: list[_SizeClass], entries: int | Vector) -> Block:
    """Return classes padded to the largest; `entries` is the number of visits, or the distances (U,)."""
    n, q = classes[0].size, classes[0].Z.shape[2]
    K, m = (sum(len(getattr(group, name)) for group in classes) for name in ("places", "rows"))
    U = entries**2 if isinstance(entries, int) else len(entries)
    rows = np.full((m, n), -1)
    pattern = np.empty(m, dtype=np.int64)
    entry = np.full((K, n, n), U)
    entry[:, np.arange(n), np.arange(n)] = U + 1
    Z = np.zeros((K, n, q))
    k = i = 0
    for group in classes:
        own, members = slice(k, k + len(group.places)), slice(i, i + len(group.rows))
        rows[members, : group.size] = group.rows
        pattern[members] = group.pattern + k
        entry[own, : group.size, : group.size] = _entries(group.places, entries)
        Z[own, : group.size] = group.Z
        k, i = own.stop, members.stop
    return Block(
        level=classes[0].level,
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
