"""What the model says at parameters that need not be its optimum: standard errors there, and where it hardly bends."""

import numpy as np

from harness.arrays import Matrix, Vector
from harness.lmm.covariance import layout
from harness.lmm.design import LmmDesign
from harness.lmm.engine import engine_of
from harness.lmm.estimates import LmmEstimates

_STEP = 1e-3  # in units of the parameters: differences of a criterion near 1e3 keep 7 digits of its curvature


def estimates_at(point: Vector, design: LmmDesign) -> LmmEstimates:
    """Return the estimates at a point of the engine's own parameters, without a step from it.

    Beta, sigma and their covariance are those given the point; there is no covariance of the variance parameters.

    Raises
    ------
    SpecError
        If the point is no covariance.
    """
    engine = engine_of(design)
    found: LmmEstimates = engine.estimate(engine.fit(design, np.asarray(point, dtype=float), 0), design)
    return found


def flattest_direction(point: Vector, design: LmmDesign) -> tuple[Vector, float]:
    """Return how far each parameter moves along the direction of least information, and that information.

    The information is that of the profiled criterion by central differences, in units of the random effects over sigma
    (of the parameters themselves beside a residual structure). NaN where the criterion can't be evaluated around.
    """
    units = _units(np.asarray(point, dtype=float), design)
    information = _information(np.asarray(point, dtype=float), units, design)
    if not np.isfinite(information).all():
        return np.full(len(point), np.nan), float("nan")
    values, vectors = np.linalg.eigh(information)
    return vectors[:, 0], float(values[0])


def parameter_names(estimates: LmmEstimates, design: LmmDesign) -> tuple[str, ...]:
    """Return a name for each parameter: the entries of the relative factor, then residual parameters."""
    if design.residual is not None:
        own = len(estimates.theta) - len(estimates.residual_parameters)
        return (*(f"random effects {k + 1}" for k in range(own)), *estimates.residual_parameters)
    effects = [f"{term.grouping};{name}" if _several(design) else name for term in design.random for name in term.names]
    places = layout(design.blocks)
    pairs = zip(places.rows.tolist(), places.columns.tolist(), strict=True)
    return tuple(f"theta[{effects[row]},{effects[column]}]" for row, column in pairs)


def _several(design: LmmDesign) -> bool:
    return len({term.grouping for term in design.random}) > 1


def _units(point: Vector, design: LmmDesign) -> Vector:
    """Return what a step of one means in each parameter."""
    if design.residual is not None:
        return np.maximum(np.abs(point), 1e-8)
    sizes = np.sqrt(np.mean(design.Z**2, axis=0))
    return np.asarray(1 / sizes[layout(design.blocks).rows])


def _information(point: Vector, units: Vector, design: LmmDesign) -> Matrix:
    deviance = engine_of(design).deviance
    J = len(point)
    steps = _STEP * np.diag(units)
    hessian = np.empty((J, J))
    with np.errstate(all="ignore"):
        for j in range(J):
            for k in range(j + 1):
                corners = (
                    sign_j * sign_k * deviance(point + sign_j * steps[j] + sign_k * steps[k], design)
                    for sign_j in (1, -1)
                    for sign_k in (1, -1)
                )
                hessian[j, k] = hessian[k, j] = sum(corners) / (4 * _STEP**2)
    return hessian / 2
