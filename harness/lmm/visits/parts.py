"""What inference needs of a fit over visits: derivatives of V, in the parameters of SAS, and both informations."""

from dataclasses import replace

import numpy as np

from harness.arrays import Mask, Matrix, Tensor, Vector, read_only
from harness.lmm.inference.parts import KenwardRogerParts, SatterthwaiteParts
from harness.lmm.visits.coordinates import Coordinates
from harness.lmm.visits.likelihood import Evaluation, VisitModel, evaluate, solve
from harness.lmm.visits.model import Prepared

# Of the largest eigenvalue of the scaled information: less is rounding.
_DETERMINED = 1e-10


def satterthwaite_parts(prepared: Prepared, coordinates: Coordinates, x: Vector) -> SatterthwaiteParts:
    """Return the covariance of the fixed effects and its derivatives in the coordinates of the search.

    The degrees of freedom do not depend on the coordinates. R: ``mmrm(f, d, method = "Satterthwaite")``.
    """
    here = _at(coordinates.gamma(x), prepared.model)
    first, second = coordinates.derivatives(x, here.gradient)
    C, variance = here.inverse, prepared.unit**2
    slopes = -variance * C @ here.cross_1 @ C
    free = x > coordinates.floor
    return SatterthwaiteParts(
        fixed=prepared.fixed,
        phi=read_only(variance * C),
        phi_1=read_only(np.tensordot(first.T, slopes, 1)[free]),
        hessian=read_only((first.T @ here.hessian @ first + second)[np.ix_(free, free)]),
    )


def kenward_roger_parts(prepared: Prepared, gamma: Vector, free: Mask) -> KenwardRogerParts:
    """Return the pieces of Kenward and Roger's adjustment in gamma, which is that of SAS but for units.

    Parameters that are not `free` (r,), at a bound of zero, count as known. Covariances are in units of
    `prepared.unit`^2, on which nothing depends; of Q and R only the part symmetric in the fixed effects is given, which
    is all that the adjustment sees. R: ``mmrm(f, d, method = "Kenward-Roger", vcov = "Kenward-Roger-Linear")``; without
    "-Linear" it takes second derivatives in parameters of its own.
    """
    model = prepared.model
    restricted = _restricted(model)
    here = _at(gamma, restricted)
    Q, R = _second_products(gamma, restricted)
    P, variance = here.cross_1, prepared.unit**2
    if R is not None and model.structure.n_visits is None:
        R = _in_unit_time(R, P, gamma, prepared)
    pairs = np.ix_(free, free)
    return KenwardRogerParts(
        fixed=prepared.fixed,
        phi=read_only(variance * here.inverse),
        P=read_only(P[free] / variance),
        Q=read_only(Q[pairs] / variance),
        R=None if R is None else read_only(R[pairs] / variance),
        expected=read_only(here.expected[pairs]),
        observed=read_only(here.hessian[pairs]),
        parameters=tuple(name for name, counts in zip(prepared.names, free, strict=True) if counts),
    )


def parameter_covariance(prepared: Prepared, gamma: Vector) -> Matrix:
    """Return the asymptotic covariance (r, r) of gamma in the user's units, twice the inverse observed information.

    Directions that the data do not determine have no variance here. SAS: ``ASYCOV``.
    """
    hessian = _at(gamma, prepared.model).hessian
    scale = np.sqrt(np.abs(np.diag(hessian)))
    scale = np.where(scale > 0, scale, 1.0)
    values, axes = np.linalg.eigh(hessian / np.outer(scale, scale))
    known = values > _DETERMINED * values[-1]
    inverse = (axes[:, known] / values[known]) @ axes[:, known].T
    change = prepared.user_derivatives(gamma) / scale
    return read_only(np.asarray(2 * inverse * np.outer(change, change)))


def _restricted(model: VisitModel) -> VisitModel:
    """Return the model with the restricted likelihood, whose information Kenward and Roger use, but for constants."""
    return model if model.criterion == "REML" else replace(model, criterion="REML")


def _at(gamma: Vector, model: VisitModel) -> Evaluation:
    here = evaluate(gamma, model)
    if here is None:
        raise ValueError("no positive definite covariance at these parameters")
    return here


def _second_products(gamma: Vector, model: VisitModel) -> tuple[Tensor, Tensor | None]:
    """Return Q_rs = X'V^-1 V_r V^-1 V_s V^-1 X, symmetrised, and R_rs = X'V^-1 V_rs V^-1 X, both (r, r, p, p)."""
    r, p = model.n_parameters, model.n_fixed
    Q = np.zeros((r, r, p, p))
    R: Tensor | None = None
    for part in solve(gamma, model) or []:
        block, inverse = part.block, part.inverse
        sandwiches = part.ratio @ inverse  # V^-1 V_s V^-1
        for k, own in enumerate(part.own.tolist()):
            weights = part.ratio[k] @ sandwiches[k:]
            sums = block.data.weighted((weights + weights.swapaxes(-1, -2)) / 2)[:, :-1, :-1]
            Q[own, part.own[k:]] += sums
            Q[part.own[k + 1 :], own] += sums[1:]
        second = part.entries.second
        if second is not None:
            R = np.zeros((r, r, p, p)) if R is None else R
            s = len(second)
            place = model.level_slice(block.level)
            for k in range(s):
                weights = inverse @ block.spread(second[k]) @ inverse
                R[place.start + k, place] += block.data.weighted(weights)[:, :-1, :-1]
    return Q, R


def _in_unit_time(R: Tensor, P: Tensor, gamma: Vector, prepared: Prepared) -> Tensor:
    """Return R for the correlation of times 1 apart instead of those `gap` apart, which is its gap-th power.

    The new parameter is scaled to change as fast as the old one here, which leaves everything but R as it is.
    """
    R = R.copy()
    for level in range(prepared.model.n_levels):
        place = prepared.model.level_slice(level).stop - 1
        R[place, place] -= P[place] * (prepared.gap - 1) / (prepared.gap * gamma[place])
    return R
