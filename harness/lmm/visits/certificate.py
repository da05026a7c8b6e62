"""What was reached: an optimum, a bound, a singular fit, a flat direction or a saddle, with the evidence in words."""

from collections.abc import Callable, Sequence

import numpy as np

from harness.arrays import Matrix, Vector
from harness.convergence import Stop
from harness.lmm.certificate import SINGULAR_SD, Certificate, certificate, without_variance
from harness.lmm.design import LmmDesign
from harness.lmm.visits.likelihood import VisitModel, evaluate
from harness.lmm.visits.model import Prepared
from harness.lmm.visits.newton import Descent, Local

# Of the largest eigenvalue of a correlation matrix: below it, the matrix over all visits is on the edge.
_EDGE = 1e-8
# Of the largest eigenvalue of the expected information, scaled: below it a direction changes no covariance.
_DEPENDENT = 1e-10
# Of the largest part in a direction: parameters with so much of it are named.
_MUCH = 0.05
# Of the largest variance of a visit: below it there is none.
_NOTHING = 1e-10
# A decrement with which a search along the edge, where rounding is large, is at its end.
_NEAR = 1e-6
# Of -2 log-likelihood by a factor of e; a subject with nothing left of its variance gives 2.
_FALLS = 1e-3
UNBOUNDED = "as the covariance of the visits of some subject becomes singular"


def certify(descent: Descent, start: Vector, prepared: Prepared, design: LmmDesign) -> Certificate:
    """Return how near the descent from `start` came to an optimum, from the exact gradient and Hessian there.

    What the data do not determine is judged at the start, where no covariance is near its edge.
    """
    local, model = descent.local, prepared.model
    gamma = descent.coordinates.gamma(descent.x)
    least_sd, singular = _least_varying(gamma, prepared, design)
    dependent = undetermined(start, model, prepared.names)
    if dependent:
        end = Stop.FLAT, f"The data do not determine {dependent}."
    else:
        end = _end(descent, prepared, singular if least_sd < SINGULAR_SD else None)
    # Its Hessian is scaled already.
    smallest = float(local.values[0]) if len(local.values) else 0.0
    return certificate(local, smallest, iterations=descent.iterations, end=end, least_sd=least_sd)


def _end(descent: Descent, prepared: Prepared, singular: str | None) -> tuple[Stop, str]:
    local, model, names = descent.local, prepared.model, prepared.names
    gamma = descent.coordinates.gamma(descent.x)
    held = [name for name, free in zip(names, local.free, strict=True) if not free]
    edge = "the covariance over all visits is singular, some visits determine another"
    on_edge = _edges(gamma, model)
    vanished = [] if descent.finished else _vanished(gamma, prepared)
    findings: tuple[tuple[bool, Stop, Callable[[], str]], ...] = (
        (
            bool(vanished),
            Stop.FLAT,
            lambda: f"The likelihood grows without bound as the variance at {' and '.join(vanished)} goes to zero.",
        ),
        (
            not descent.finished and descent.vanishing,
            Stop.FLAT,
            lambda: f"The likelihood grows until rounding hides the way, {UNBOUNDED}.",
        ),
        (not descent.finished and on_edge and local.decrement < _NEAR, Stop.BOUNDARY, lambda: f"On the edge: {edge}."),
        (not descent.finished, Stop.ITERATION_LIMIT, lambda: "Stopped where rounding or a limit hides the way."),
        (local.descending, Stop.SADDLE, lambda: "Stopped on a saddle: the likelihood rises in some direction."),
        (on_edge, Stop.BOUNDARY, lambda: f"On the edge: {edge}."),
        (local.flat, Stop.FLAT, lambda: f"The data hardly determine {_flattest(local, gamma, model, names)}."),
        (
            bool(held) and _falls_for_ever(descent),
            Stop.FLAT,
            lambda: f"The likelihood grows without bound as {' and '.join(held)} goes to zero.",
        ),
        (bool(held), Stop.BOUNDARY, lambda: f"At the bound of zero: {' and '.join(held)}."),
        (singular is not None, Stop.SINGULAR, lambda: f"Singular fit: {singular}."),
    )
    return next(((stop, words()) for holds, stop, words in findings if holds), (Stop.OPTIMUM, "Converged."))


def _falls_for_ever(descent: Descent) -> bool:
    """Whether the criterion falls with the logarithm of a parameter at its bound, as it does without a maximum."""
    slopes = descent.local.jacobian.T @ descent.evaluation.gradient
    return bool(np.any((slopes * descent.x)[~descent.local.free] > _FALLS))


def undetermined(gamma: Vector, model: VisitModel, names: Sequence[str]) -> str:
    """Return the parameters of which V does not depend on some combination near gamma; nothing where there is none."""
    here = evaluate(gamma, model)
    if here is None:
        return ""
    expected = here.expected
    diagonal = np.diag(expected)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    values, axes = np.linalg.eigh(expected / np.outer(scale, scale))
    return _moving((axes / scale[:, None])[:, values < _DEPENDENT * values[-1]], gamma, model, names)


def _flattest(local: Local, gamma: Vector, model: VisitModel, names: Sequence[str]) -> str:
    moves = local.jacobian @ local.widened(local.axes[:, 0])
    return _moving(moves[:, None], gamma, model, names)


def _moving(moves: Matrix, gamma: Vector, model: VisitModel, names: Sequence[str]) -> str:
    """Return the names of parameters that move much in any of the directions (r, k)."""
    if not moves.size:
        return ""
    variances = np.concatenate(
        [np.ones(model.n_random_parameters, dtype=bool), np.tile(model.structure.variances, model.n_levels)]
    )
    moved = np.abs(moves / np.where(variances, np.abs(gamma[variances]).max(), 1.0)[:, None])
    much = (moved > _MUCH * moved.max(axis=0)).any(axis=1)
    return " together with ".join(name for name, moves_much in zip(names, much, strict=True) if moves_much)


def _vanished(gamma: Vector, prepared: Prepared) -> list[str]:
    """Return the visits whose variance is nothing beside that of others."""
    model, found = prepared.model, []
    for level in range(model.n_levels if model.structure.n_visits is not None else 0):
        variances = model.structure.entries(gamma[model.level_slice(level)]).values[model.structure.diagonal]
        found += [prepared.visits[k] for k in np.flatnonzero(variances < _NOTHING * variances.max()).tolist()]
    return list(dict.fromkeys(found))


def _edges(gamma: Vector, model: VisitModel) -> bool:
    """Whether Sigma of some level is singular to rounding, over all visits."""
    N = model.structure.n_visits
    if N is None:
        return False
    for level in range(model.n_levels):
        Sigma = model.structure.entries(gamma[model.level_slice(level)]).values.reshape(N, N)
        sds = np.sqrt(np.maximum(np.diag(Sigma), np.finfo(float).tiny))
        values = np.linalg.eigvalsh(Sigma / np.outer(sds, sds))
        if values[0] < _EDGE * values[-1]:
            return True
    return False


def _least_varying(gamma: Vector, prepared: Prepared, design: LmmDesign) -> tuple[float, str]:
    """Return the least standard deviation of a combination of random effects, relative to residuals, and its name."""
    model = prepared.model
    if not model.n_random_parameters:
        return float("inf"), ""
    residual = np.mean([residual_variance(gamma, model, level) for level in range(model.n_levels)])
    G = model.random_cov(gamma) / residual
    values, axes = np.linalg.eigh(G)
    factor = axes * np.sqrt(np.maximum(values, 0.0))
    least = float(np.linalg.eigvalsh(model.random_spread.T @ G @ model.random_spread)[0])
    words = without_variance(design.random_names, factor, 1 / prepared.random_scale, design.blocks)
    return float(np.sqrt(max(least, 0.0))), words


def residual_variance(gamma: Vector, model: VisitModel, level: int) -> float:
    """Return the mean residual variance over the visits of one level, in the units of gamma."""
    structure = model.structure
    values = structure.entries(gamma[model.level_slice(level)]).values
    return float(np.mean(values[structure.diagonal]))
