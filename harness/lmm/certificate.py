"""What was reached: an optimum, a singular one, a flat direction or a saddle, with the evidence and in words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from harness.arrays import Matrix, Vector
from harness.convergence import Convergence, Stop
from harness.lmm.covariance import layout
from harness.lmm.curvature import Curvature, curvature
from harness.lmm.design import LmmDesign
from harness.lmm.evaluation import evaluate
from harness.lmm.newton import Descent

# Free of units, of the order of columns and of the origin of time; for (1 | id) it is lme4's own rule.
SINGULAR_SD = 1e-4
# In standard errors: its square is what the criterion has in excess of its minimum.
FAR = 1e-5
_SHORT = 1e-3
# Relative to residuals; where none is so large, the residual variance is far from zero.
_LARGE_SD = 1e3
# Of -2 log-likelihood: with rows left for a residual, the criterion rises by a number of the order of their count.
_EQUAL = 1e-6


class Quadratic(Protocol):
    """What is told of the local quadratic of a criterion, in whichever coordinates its engine has searched."""

    @property
    def values(self) -> Vector:
        """Eigenvalues of the Hessian, the lowest first."""
        ...

    @property
    def decrement(self) -> float:
        """Twice by how much the criterion should fall."""
        ...

    @property
    def distance(self) -> float:
        """How far the minimum is, in standard errors."""
        ...

    @property
    def gradient_in_standard_errors(self) -> float:
        """The largest gradient of the log-likelihood times the standard error of its parameter."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Certificate:
    """The evidence that a descent ended at an optimum, of any engine; see `LmmFit` for the fields."""

    convergence: Convergence
    decrement: float
    eigenvalues: Vector
    least_sd: float


def certify(descent: Descent, design: LmmDesign) -> Certificate:
    """Return how near the descent came to an optimum, from the exact gradient and Hessian there."""
    local = curvature(descent.evaluation, descent.Lambda, descent.statistics.layout)
    least_sd = _least_sd(descent)
    end = end_of_search(
        local,
        finished=descent.finished,
        least_sd=least_sd,
        singular=lambda: singular_direction(descent, design),
        flat=lambda: _flat_direction(descent, design, local.descending_direction),
    )
    if end[0] is Stop.OPTIMUM and _residual_vanishes(descent):
        end = Stop.BOUNDARY, "At the bound of zero: the residual variance, beside that of the random effects."
    smallest = smallest_scaled(descent.evaluation.hessian)
    return certificate(local, smallest, iterations=descent.iterations, end=end, least_sd=least_sd)


def certificate(
    local: Quadratic, smallest: float, *, iterations: int, end: tuple[Stop, str], least_sd: float
) -> Certificate:
    """Return the certificate of a search that ended with this local quadratic, why it ended, and that in words.

    `smallest` is the least eigenvalue of the Hessian scaled to a unit diagonal.
    """
    stop, finding = end
    evidence = (
        f"After {iterations} iterations, {local.distance:.1e} standard errors from the optimum, "
        f"largest gradient {local.gradient_in_standard_errors:.1e}, smallest curvature {smallest:.2g}."
    )
    return Certificate(
        convergence=Convergence(
            stop=stop,
            message=f"{finding} {evidence}",
            iterations=iterations,
            gradient=local.gradient_in_standard_errors,
            distance=local.distance,
            smallest_eigenvalue=smallest,
        ),
        decrement=local.decrement,
        eigenvalues=local.values,
        least_sd=least_sd,
    )


def end_of_search(
    local: Curvature, *, finished: bool, least_sd: float, singular: Callable[[], str], flat: Callable[[], str]
) -> tuple[Stop, str]:
    """Return how a search on Lambda ended, and that in words; `singular` and `flat` name the directions."""
    if not finished or local.distance > FAR:
        return Stop.ITERATION_LIMIT, "Stopped at the iteration limit, or where rounding hides the way."
    if local.descending:
        return Stop.SADDLE, "Stopped on a saddle: the likelihood rises in some direction."
    if least_sd < SINGULAR_SD:
        return Stop.SINGULAR, f"Singular fit: {singular()}."
    if local.flat:
        return Stop.FLAT, f"The data do not determine {flat()}."
    return Stop.OPTIMUM, "Converged."


def singular_direction(descent: Descent, design: LmmDesign) -> str:
    """Return in words which combination of the random effects does not vary."""
    scale = 1 / np.sqrt(np.mean(design.scaled.Z**2, axis=0))
    Lambda = descent.statistics.coordinates.user_factor(descent.Lambda) / scale[:, None]
    return without_variance(design.random_names, Lambda, scale, design.blocks)


def without_variance(names: Sequence[str], Lambda: Matrix, scale: Vector, blocks: tuple[int, ...]) -> str:
    """Return in words which combination of random effects does not vary, of blocks of these sizes.

    `Lambda` (q, k) is any factor of their covariance in root mean squares of their columns, relative to the residual;
    `scale` (q,) is one over those, so that the combination is told in the user's units.
    """
    sds = np.linalg.norm(Lambda, axis=1)
    zero = [name for name, sd in zip(names, sds, strict=True) if sd < SINGULAR_SD]
    if zero:
        return f"the variance of {' and of '.join(zero)} is zero"
    # Of the block that varies least; random effects of different blocks are independent.
    turned = [list(block) for block in layout(blocks).blocks]
    own = min(turned, key=lambda each: np.linalg.svd(Lambda[each] / sds[each, None], compute_uv=False)[-1])
    return _dependence([names[j] for j in own], Lambda[own], sds[own], scale[own])


def _dependence(names: Sequence[str], Lambda: Matrix, sds: Vector, scale: Vector) -> str:
    if len(names) == 2:
        sign = "positively" if Lambda[0] @ Lambda[1] > 0 else "negatively"
        return f"{names[0]} and {names[1]} are perfectly {sign} correlated"
    weights = np.linalg.svd((Lambda / sds[:, None]).T)[2][-1] / sds * scale
    weights /= np.abs(weights).max()
    parts = (f"{weight:+.2g} {name}" for weight, name in zip(weights, names, strict=True))
    return f"the combination {' '.join(parts)} has no variance"


def _flat_direction(descent: Descent, design: LmmDesign, axis: Vector) -> str:
    """Return in words which entries of the covariance the flattest axis moves."""
    names, coordinates = design.random_names, descent.statistics.coordinates
    step = short_step(coordinates.layout.factor(axis), descent.Lambda)
    change = step @ descent.Lambda.T + descent.Lambda @ step.T + step @ step.T
    scale = np.sqrt(np.mean(design.scaled.Z**2, axis=0))
    change = np.abs(scale[:, None] * (coordinates.random @ change @ coordinates.random.T) * scale)
    parts = (
        f"the variance of {names[i]}" if i == j else f"the covariance of {names[j]} and {names[i]}"
        for i, j in np.argwhere(np.tril(change > 0.1 * change.max())).tolist()
    )
    return " together with ".join(parts)


def _residual_vanishes(descent: Descent) -> bool:
    """Whether random effects ten times as large beside residuals are as likely: the optimum is at infinity then."""
    largest = float(np.linalg.svd(descent.statistics.spread @ descent.Lambda, compute_uv=False)[0])
    if largest < _LARGE_SD:
        return False
    return evaluate(10 * descent.Lambda, descent.statistics).value <= descent.evaluation.value + _EQUAL


def short_step(step: Matrix, Lambda: Matrix) -> Matrix:
    """Return a step along a direction of Lambda, so short that slopes decide which entries of Gamma move."""
    length = float(np.linalg.norm(step))
    return _SHORT * max(1.0, float(np.linalg.norm(Lambda))) / length * step if length > 0 else step


def _least_sd(descent: Descent) -> float:
    """Return the root of the smallest eigenvalue of Lambda'(Z'Z/n)Lambda, by singular values, not by squares."""
    return float(np.linalg.svd(descent.statistics.spread @ descent.Lambda, compute_uv=False)[-1])


def smallest_scaled(hessian: Matrix) -> float:
    """Return the least eigenvalue of a Hessian scaled to a unit diagonal."""
    scale = np.sqrt(np.abs(np.diag(hessian)))
    scale = np.where(scale > 0, scale, 1.0)
    return float(np.linalg.eigvalsh(hessian / np.outer(scale, scale))[0])
