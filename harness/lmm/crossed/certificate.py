"""What was reached with several grouping factors, with the evidence; directions are named with their grouping."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Vector
from harness.convergence import Convergence, Stop
from harness.lmm.certificate import SINGULAR_SD
from harness.lmm.covariance import relative_factor
from harness.lmm.crossed.layout import Block
from harness.lmm.crossed.newton import Descent, Place
from harness.lmm.curvature import Curvature

# A change of this share of the largest is part of the direction that is named.
_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Certificate:
    """The evidence that a descent ended at an optimum; see `CrossedFit` for the fields."""

    convergence: Convergence
    decrement: float
    eigenvalues: Vector
    least_sd: float


def certify(descent: Descent) -> Certificate:
    """Return how near the descent came to an optimum, from the exact gradient and Hessian there."""
    at = descent.place
    local = at.curvature()
    least_sd = min(float(np.linalg.svd(Lambda, compute_uv=False)[-1]) for Lambda in at.blocks)
    stop, finding = _finding(descent, local, least_sd)
    diagonal = np.sqrt(np.abs(np.diag(at.here.hessian)))
    diagonal = np.where(diagonal > 0, diagonal, 1.0)
    smallest = float(np.linalg.eigvalsh(at.here.hessian / np.outer(diagonal, diagonal))[0])
    evidence = (
        f"After {descent.iterations} iterations, {local.distance:.1e} standard errors from the optimum, "
        f"largest gradient {local.gradient_in_standard_errors:.1e}, smallest curvature {smallest:.2g}."
    )
    return Certificate(
        convergence=Convergence(
            stop=stop,
            message=f"{finding} {evidence}",
            iterations=descent.iterations,
            gradient=local.gradient_in_standard_errors,
            distance=local.distance,
            smallest_eigenvalue=smallest,
        ),
        decrement=local.decrement,
        eigenvalues=local.values,
        least_sd=least_sd,
    )


def _finding(descent: Descent, local: Curvature, least_sd: float) -> tuple[Stop, str]:
    if not descent.finished:
        return Stop.ITERATION_LIMIT, "Stopped at the iteration limit."
    if local.descending:
        return Stop.SADDLE, "Stopped on a saddle: the likelihood rises in some direction."
    if least_sd < SINGULAR_SD:
        return Stop.SINGULAR, f"Singular fit: {'; '.join(singular_directions(descent.place))}."
    if local.flat:
        return Stop.FLAT, f"The data do not determine {_flat_direction(descent.place, local.descending_direction)}."
    return Stop.OPTIMUM, "Converged."


def singular_directions(at: Place) -> Iterator[str]:
    """Yield in words, for each block that has one, the combination of random effects that does not vary."""
    layout = at.cross.layout
    for block, Lambda in zip(layout.blocks, at.user_order_blocks, strict=True):
        if np.linalg.svd(Lambda, compute_uv=False)[-1] >= SINGULAR_SD:
            continue
        yield f"for {layout.factors[block.factor].grouping}, {_combination(block, Lambda)}"


def _combination(block: Block, Lambda: Matrix) -> str:
    """Return which combination of a block's random effects has no variance; each in root mean squares of its column."""
    scale = np.linalg.norm(np.linalg.inv(block.units), axis=0)  # the columns' own root mean squares
    factor = scale[:, None] * (block.units @ Lambda)
    sds = np.linalg.norm(factor, axis=1)
    zero = [name for name, sd in zip(block.names, sds, strict=True) if sd < SINGULAR_SD]
    if zero:
        return f"the variance of {' and of '.join(zero)} is zero"
    if block.size == 2:
        sign = "positively" if factor[0] @ factor[1] > 0 else "negatively"
        return f"{block.names[0]} and {block.names[1]} are perfectly {sign} correlated"
    _, _, axes = np.linalg.svd((factor / sds[:, None]).T)
    weights = axes[-1] / sds * scale
    weights /= np.abs(weights).max()
    parts = (f"{weight:+.2g} {name}" for weight, name in zip(weights, block.names, strict=True))
    return f"the combination {' '.join(parts)} has no variance"


def _flat_direction(at: Place, axis: Vector) -> str:
    """Return in words which covariances the flattest axis moves."""
    layout, at_entry = at.cross.layout, 0
    changes: list[tuple[str, float]] = []
    for block, Lambda, order in zip(layout.blocks, at.blocks, at.where.orders, strict=True):
        length = block.size * (block.size + 1) // 2
        step = relative_factor(axis[at_entry : at_entry + length], block.size)
        at_entry += length
        change = np.abs(step @ Lambda.T + Lambda @ step.T + step @ step.T)
        grouping = layout.factors[block.factor].grouping
        for i, j in zip(*np.tril_indices(block.size), strict=True):
            a, b = block.names[order[i]], block.names[order[j]]
            what = f"the variance of {a}" if i == j else f"the covariance of {b} and {a}"
            changes.append((f"{what} for {grouping}", float(change[i, j])))
    largest = max(size for _, size in changes)
    return " together with ".join(name for name, size in changes if size > _SHARE * largest)
