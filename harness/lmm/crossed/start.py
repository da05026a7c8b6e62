"""Where the search starts: the variances that match the sums of squares of all factors at once (MINQUE, Rao 1971).

At Gamma = I in working units the expectations of F[la]'F[lb], summed over levels, and of |Omega r|^2 are linear in the
covariances and sigma^2; solving those equations costs one evaluation and needs no balance.
"""

from collections.abc import Iterator

import numpy as np

from harness.arrays import Vector
from harness.lmm.covariance import lower_triangular, theta_entries, theta_of
from harness.lmm.crossed.evaluation import eliminated
from harness.lmm.crossed.layout import Layout, gamma_parameters
from harness.lmm.crossed.statistics import CrossProducts
from harness.lmm.start import BESIDE, FAR, means_are_fixed

# A column of Lambda that is exactly zero is stationary whatever the data; so is none at the start.
_SMALLEST_VARIANCE = 0.01
_STRETCH = 10.0
_FEW_ROWS = 200
_VERY_FEW_ROWS = 50
# As `FAR` and `BESIDE`, for a level that is a million sigmas.
_FURTHER = (1e6, 1.0)


def starts(cross: CrossProducts) -> tuple[Vector, ...]:
    """Return where searches start, theta (J,) in working units: from the moments, from both sides of them, and far off.

    From both sides with few rows, where the criterion may have several minima; far off with very few, or where
    `means_are_fixed` is not so.
    """
    found = [moment_start(cross)]
    if cross.n_observations < _FEW_ROWS:
        found += [_STRETCH * found[0], found[0] / _STRETCH]
    fixed = means_are_fixed(cross.rows.Z, cross.rows.X @ cross.fixed)
    if cross.n_observations < _VERY_FEW_ROWS or not fixed:
        found += _far_starts(cross.layout, FAR, BESIDE)
    if not fixed:
        found += _far_starts(cross.layout, *_FURTHER)
    return tuple(found)


def _far_starts(layout: Layout, far: float, beside: float) -> Iterator[Vector]:
    """Yield theta with the random effects of each term in turn far larger than all others."""
    for large in layout.blocks:
        sizes = (far if block is large else beside for block in layout.blocks)
        yield np.concatenate(
            [theta_of(size * np.eye(block.size)) for block, size in zip(layout.blocks, sizes, strict=True)]
        )


def moment_start(cross: CrossProducts) -> Vector:
    """Return theta (J,) in working units; eigenvalues are raised to 0.01 of the noise in a level's mean."""
    layout = cross.layout
    found, sums = eliminated([np.eye(factor.n_random) for factor in layout.factors], cross)
    M = sum((one.M for one in found), np.zeros_like(found[0].M))
    v = np.append(-np.linalg.solve(M[:-1, :-1], M[:-1, -1]), 1.0)
    squares = (sums.FF @ v) @ v
    deltas, _ = gamma_parameters(layout)
    identity = np.concatenate([np.eye(factor.n_random).reshape(-1) for factor in layout.factors])
    through = sums.P - sums.PP @ identity  # sums over levels of Z'Omega^2 Z
    trace = cross.residual_df - 2 * identity @ sums.P + identity @ sums.PP @ identity
    left = np.block(
        [
            [deltas @ sums.PP @ deltas.T, (deltas @ through)[:, None]],
            [(deltas @ through)[None], np.array([[trace]])],
        ]
    )
    right = np.append(deltas @ squares, v @ M @ v - identity @ squares)
    solution = np.linalg.lstsq(left, right, rcond=None)[0]
    variance = solution[-1] if solution[-1] > 0 else float(v @ M @ v) / cross.residual_df
    return _raised(solution[:-1] / variance, layout, cross.n_observations)


def _raised(gamma: Vector, layout: Layout, n_observations: int) -> Vector:
    """Return theta of the blocks of Gamma whose lower triangles are given, eigenvalues raised."""
    found, at = [], 0
    for block in layout.blocks:
        rows, columns = theta_entries(block.size)
        Gamma = np.zeros((block.size, block.size))
        Gamma[rows, columns] = Gamma[columns, rows] = gamma[at : at + len(rows)]
        values, axes = np.linalg.eigh(Gamma)
        noise = layout.factors[block.factor].n_levels / n_observations
        roots = np.sqrt(np.maximum(values, _SMALLEST_VARIANCE * noise))
        found.append(theta_of(lower_triangular(axes * roots)))
        at += len(rows)
    return np.concatenate(found)
