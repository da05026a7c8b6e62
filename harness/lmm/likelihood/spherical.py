"""The covariance of the random effects as standard deviations and angles, in which profiles are smooth and unbounded.

Row i of the factor of G is sd_i times a unit vector, whose components are sin a_1, cos a_1 sin a_2, ..., the product of
all cosines (Pinheiro and Bates 1996). So each standard deviation is a coordinate; so is, as its arc sine, the
correlation of the first two effects of a block, and any two can be put first. Standard deviation 0 and correlation 1
are no bounds in these coordinates: beyond them the deviance is mirrored.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector


def n_angles(blocks: Sequence[int]) -> int:
    """Return how many angles the blocks have together."""
    return sum(size * (size - 1) // 2 for size in blocks)


@cache
def angle_rows(blocks: tuple[int, ...]) -> tuple[slice, ...]:
    """Return where each random effect's angles lie among all: none for the first of a block, then one more a row."""
    sizes = [row for size in blocks for row in range(size)]
    ends = np.cumsum(sizes).tolist()
    return tuple(slice(end - size, end) for end, size in zip(ends, sizes, strict=True))


@cache
def _places(blocks: tuple[int, ...]) -> tuple[tuple[slice, slice, Codes], ...]:
    """Return for each row of the factor its angles, its columns, and the places of its angles among all derivatives."""
    q, starts = sum(blocks), np.repeat(np.cumsum([0, *blocks[:-1]]), blocks).tolist()
    return tuple(
        (own, slice(start, row + 1), np.arange(q + own.start, q + own.stop))
        for row, (own, start) in enumerate(zip(angle_rows(blocks), starts, strict=True))
    )


def factor(sds: Vector, angles: Vector, blocks: tuple[int, ...]) -> tuple[Matrix, Tensor, Tensor]:
    """Return the lower triangular factor F (q, q) of G = FF', dF (k, q, q) and d2F (k, k, q, q), k = q + all angles.

    Derivatives are in (sds, angles). R: ``t(chol(VarCorr(m)$id))``, up to signs of columns.
    """
    q = len(sds)
    k = q + len(angles)
    F, F_1, F_2 = np.zeros((q, q)), np.zeros((k, q, q)), np.zeros((k, k, q, q))
    for row, (own, at, places) in enumerate(_places(blocks)):
        if len(places) == 0:
            F[row, at], F_1[row, row, at] = sds[row], 1.0
            continue
        unit, unit_1, unit_2 = _unit_vector(angles[own])
        F[row, at] = sds[row] * unit
        F_1[row, row, at] = unit
        F_1[places, row, at] = sds[row] * unit_1
        F_2[row, places, row, at] = F_2[places, row, row, at] = unit_1
        F_2[places[:, None], places, row, at] = sds[row] * unit_2
    return F, F_1, F_2


def spherical(F: Matrix, blocks: Sequence[int]) -> tuple[Vector, Vector]:
    """Return the standard deviations (>= 0) and angles (in [-pi/2, pi/2], if the diagonal is >= 0) of a factor."""
    angles: list[float] = []
    start = 0
    for size in blocks:
        for row in range(size):
            entries = F[start + row, start : start + row + 1]
            rest = np.sqrt(np.cumsum(entries[::-1] ** 2))[::-1]
            rest[-1] = entries[-1]
            angles += np.arctan2(entries[:-1], rest[1:]).tolist()
        start += size
    return np.linalg.norm(F, axis=1), np.array(angles)


def _unit_vector(angles: Vector) -> tuple[Vector, Matrix, Tensor]:
    """Return u (r + 1,) with first (r, r + 1) and second (r, r, r + 1) derivatives in its r angles."""
    r = len(angles)
    component, angle = np.arange(r + 1)[:, None], np.arange(r)
    sine, cosine = np.sin(angles), np.cos(angles)
    own, before = component == angle, component > angle
    factors = np.where(own, sine, np.where(before, cosine, 1.0))
    slopes = np.where(own, cosine, np.where(before, -sine, 0.0))
    unit = factors.prod(axis=1)
    first, second = np.empty((r, r + 1)), np.empty((r, r, r + 1))
    for j in range(r):
        once = factors.copy()
        once[:, j] = slopes[:, j]
        first[j] = once.prod(axis=1)
        for k in range(j):
            twice = once.copy()
            twice[:, k] = slopes[:, k]
            second[j, k] = second[k, j] = twice.prod(axis=1)
        second[j, j] = np.where(component[:, 0] >= j, -unit, 0.0)
    return unit, first, second
