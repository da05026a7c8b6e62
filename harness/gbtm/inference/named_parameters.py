"""All parameters of a fit by path, class shares first, with their joint covariance."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Mask, Matrix, Vector
from harness.convergence import Stop
from harness.errors import Problem, nearest
from harness.gbtm.account import GbtmFit
from harness.gbtm.design import GbtmDesign
from harness.gbtm.estimates import path_of
from harness.gbtm.estimation import covariance_refusal
from harness.gbtm.mixture import Mixture
from harness.gbtm.uncertainty import CovarianceKind, free_covariance


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NamedParameters:
    """Class shares 1..K, then the P parameters of a point: m = K + P.

    Attributes
    ----------
    paths : (m,)
        As those of `GbtmEstimates.quantities`, without ".estimate".
    estimates : (m,)
        In the user's units.
    slopes : (m, P)
        d parameter / d free vector.
    covariance : (P, P) or None
        Of the free vector; None where the fit has no standard errors, with the `refusal` that says why.
    without_maximum : (m,)
        Which of them have none, or sit where a variance vanishes: their standard errors mean nothing.
    """

    paths: tuple[str, ...]
    estimates: Vector
    slopes: Matrix
    covariance: Matrix | None
    refusal: str
    without_maximum: Mask

    def place(self, path: str) -> int | None:
        """Return the number of a parameter; None if there is none of that path."""
        return self.paths.index(path) if path in self.paths else None

    def unknown(self, path: object) -> Problem:
        """Return the complaint about a path that no parameter has."""
        expected = f"one of {', '.join(map(repr, self.paths))}"
        return Problem(found=f"parameter {path!r:.60}", expected=expected, advice=nearest(str(path), self.paths))


def named_parameters(
    fit: GbtmFit, design: GbtmDesign, kind: CovarianceKind = "observed information"
) -> NamedParameters:
    """Return the parameters of a fit with the covariance of a kind."""
    mixture = design.mixture_of(fit.class_kinds)
    refusal = covariance_refusal(fit)
    lost = np.zeros(mixture.n_classes + mixture.n_free, dtype=np.bool_)
    for k in fit.best.boundary:
        lost[mixture.n_classes + k] = True
        if mixture.parameters[k].role == "log_odds":
            lost[: mixture.n_classes] = True
    if fit.convergence.stop == Stop.SINGULAR:
        lost[mixture.n_classes :] |= np.array([p.role == "covariance" for p in mixture.parameters])
    return NamedParameters(
        paths=parameter_paths(mixture),
        estimates=parameter_values(fit.vector, mixture),
        slopes=parameter_slopes(fit.vector, mixture),
        covariance=None if refusal else free_covariance(fit.vector, mixture, kind),
        refusal=refusal,
        without_maximum=lost,
    )


def parameter_paths(mixture: Mixture) -> tuple[str, ...]:
    """Return the paths of class shares 1..K and of the parameters of a point."""
    shares = (f"class[{g}].share" for g in range(1, mixture.n_classes + 1))
    return (*shares, *(path_of(parameter) for parameter in mixture.parameters))


def parameter_values(vector: Vector, mixture: Mixture) -> Vector:
    """Return class shares and the parameters of a point, (K + P,)."""
    theta = vector[None, : mixture.membership.n_free]
    return np.concatenate([mixture.membership.shares(theta, mixture.weights)[0], mixture.to_user(vector)])


def parameter_slopes(vector: Vector, mixture: Mixture) -> Matrix:
    """Return d parameter / d free vector, (K + P, P)."""
    membership = mixture.membership
    shares = np.zeros((mixture.n_classes, mixture.n_free))
    shares[:, : membership.n_free] = membership.share_jacobian(vector[: membership.n_free], mixture.weights)
    return np.concatenate([shares, mixture.user_jacobian(vector)])


def parameter_at(place: int, vector: Vector, mixture: Mixture) -> tuple[float, Vector]:
    """Return one of these by its number, and its slopes (P,)."""
    membership, K = mixture.membership, mixture.n_classes
    if place >= K:
        return float(mixture.to_user(vector)[place - K]), mixture.user_jacobian(vector)[place - K]
    theta, slopes = vector[: membership.n_free], np.zeros(mixture.n_free)
    slopes[: membership.n_free] = membership.share_jacobian(theta, mixture.weights)[place]
    return float(membership.shares(theta[None], mixture.weights)[0, place]), slopes
