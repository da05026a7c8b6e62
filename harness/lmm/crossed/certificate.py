"""What was reached with several grouping factors, with the evidence; directions are named with their grouping."""

from collections.abc import Iterator

import numpy as np
from scipy.linalg import block_diag

from harness.arrays import Vector
from harness.lmm.certificate import (
    SINGULAR_SD,
    Certificate,
    certificate,
    end_of_search,
    short_step,
    smallest_scaled,
    without_variance,
)
from harness.lmm.covariance import diagonal_blocks, relative_factor
from harness.lmm.crossed.newton import Descent, Place

# A change of this share of the largest is part of the direction that is named.
_SHARE = 0.1


def certify(descent: Descent) -> Certificate:
    """Return how near the descent came to an optimum, from the exact gradient and Hessian there."""
    at = descent.place
    local = at.curvature()
    least_sd = min(float(np.linalg.svd(Lambda, compute_uv=False)[-1]) for Lambda in at.blocks)
    end = end_of_search(
        local,
        finished=descent.finished,
        least_sd=least_sd,
        singular=lambda: "; ".join(_singular_directions(at)),
        flat=lambda: _flat_direction(at, local.descending_direction),
    )
    smallest = smallest_scaled(at.here.hessian)
    return certificate(local, smallest, iterations=descent.iterations, end=end, least_sd=least_sd)


def _singular_directions(at: Place) -> Iterator[str]:
    """Yield in words, for each block that has one, the combination of random effects that does not vary."""
    layout = at.cross.layout
    for block, Lambda in zip(layout.blocks, at.user_order_blocks, strict=True):
        if np.linalg.svd(Lambda, compute_uv=False)[-1] >= SINGULAR_SD:
            continue
        # The columns' own root mean squares, since working columns are orthonormal times sqrt(n).
        sizes = np.linalg.norm(np.linalg.inv(block.units), axis=0)
        words = without_variance(block.names, sizes[:, None] * (block.units @ Lambda), 1 / sizes, (block.size,))
        yield f"for {layout.factors[block.factor].grouping}, {words}"


def _flat_direction(at: Place, axis: Vector) -> str:
    """Return in words which covariances the flattest axis moves."""
    layout = at.cross.layout
    steps = diagonal_blocks(short_step(relative_factor(axis, layout.sizes), block_diag(*at.blocks)), layout.sizes)
    changes: list[tuple[str, float]] = []
    for block, Lambda, step, order in zip(layout.blocks, at.blocks, steps, at.where.orders, strict=True):
        change = np.abs(step @ Lambda.T + Lambda @ step.T + step @ step.T)
        grouping = layout.factors[block.factor].grouping
        for i, j in zip(*np.tril_indices(block.size), strict=True):
            a, b = block.names[order[i]], block.names[order[j]]
            what = f"the variance of {a}" if i == j else f"the covariance of {b} and {a}"
            changes.append((f"{what} for {grouping}", float(change[i, j])))
    largest = max(size for _, size in changes)
    return " together with ".join(name for name, size in changes if size > _SHARE * largest)
