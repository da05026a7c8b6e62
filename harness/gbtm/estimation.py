"""From the best optimum to estimates with their uncertainty; and how far any parameters are from an optimum."""

import numpy as np
from scipy.special import log_softmax, softmax

from harness.arrays import Matrix, Vector, read_only
from harness.convergence import Stop
from harness.gbtm.account import GbtmFit
from harness.gbtm.adequacy import average_posterior, entropy
from harness.gbtm.density import class_log_densities
from harness.gbtm.design import ClassKind, GbtmDesign
from harness.gbtm.estimates import GbtmEstimates, reported
from harness.gbtm.mixture import Derivatives, Mixture, derivatives, e_step
from harness.gbtm.point import from_point
from harness.gbtm.uncertainty import CovarianceKind, free_covariance
from harness.quantities import Point

LARGEST_GRADIENT = 1e-8
"""In standard-error units; above it the curvature is not that of an optimum, and no standard error is given."""

SMALLEST_EIGENVALUE = 1e-7
"""Of the information scaled to a unit diagonal; below it the information does not count as positive definite."""


def estimate(fit: GbtmFit, design: GbtmDesign, kind: CovarianceKind = "observed information") -> GbtmEstimates:
    """Return the estimates of a fit, in the user's units, classes in the fit's order.

    The covariance is the inverse of the observed information (analytic), or the sandwich, carried to (class shares;
    parameters) by the delta method. It is None where `covariance_refusal` gives a reason. AIC is -2L + 2p, the BICs
    -2L + p log N (lcmm's) and -2L + p log n_obs (flexmix's), p as lcmm counts it.
    """
    mixture = design.mixture_of(fit.class_kinds)
    covariance = None if covariance_refusal(fit) else reported_covariance(fit, design, kind)
    posterior = e_step(fit.vector[None], mixture)[0][0].T
    return _estimates(fit.point, design, mixture, (posterior, fit.log_likelihood), (covariance, kind))


def estimates_at(
    point: Point, design: GbtmDesign, kinds: tuple[ClassKind, ...], covariance: Matrix | None = None
) -> GbtmEstimates:
    """Return everything that follows from parameters alone: shares, posterior, criteria; the covariance as given."""
    joint = class_log_densities(point, design, kinds)
    log_likelihood = float((joint[:, 0] - log_softmax(joint, axis=1)[:, 0]) @ design.subjects.weights)
    at_point = (softmax(joint, axis=1), log_likelihood)
    return _estimates(point, design, design.mixture_of(kinds), at_point, (covariance, "observed information"))


def _estimates(
    point: Point,
    design: GbtmDesign,
    mixture: Mixture,
    at_point: tuple[Matrix, float],
    uncertainty: tuple[Matrix | None, CovarianceKind],
) -> GbtmEstimates:
    values, (posterior, log_likelihood) = np.array(point), at_point
    covariance, kind = uncertainty
    membership = mixture.membership
    theta = membership.from_user(values[: membership.n_free])
    p, N, n = design.n_parameters, design.n_subjects, design.n_observations
    return GbtmEstimates(
        family=design.spec.family,
        sigma_kind=design.spec.sigma,
        time=str(design.spec.time),
        parameters=mixture.parameters,
        point=read_only(values),
        class_shares=read_only(membership.shares(theta[None], mixture.weights)[0]),
        covariance=None if covariance is None else read_only(covariance),
        covariance_kind=kind,
        log_likelihood=log_likelihood,
        aic=-2 * log_likelihood + 2 * p,
        bic_subjects=-2 * log_likelihood + p * float(np.log(N)),
        bic_observations=-2 * log_likelihood + p * float(np.log(n)),
        n_observations=n,
        n_subjects=N,
        n_parameters=p,
        subject_labels=design.subject_labels,
        posterior=read_only(posterior),
        entropy=entropy(posterior),
        average_posterior=read_only(average_posterior(posterior)),
    )


def covariance_refusal(fit: GbtmFit) -> str:
    """Return why this fit has no standard errors at all, in a sentence; empty if it has them."""
    convergence = fit.convergence
    best = fit.best
    if best.collapsed:
        return "No standard errors: sigma of a class has collapsed, and the likelihood has no maximum there."
    if convergence.stop in {Stop.BOUNDARY, Stop.SINGULAR}:
        return ""  # those of the parameters at the boundary are refused one by one
    eigenvalue = convergence.smallest_eigenvalue
    if eigenvalue is None or eigenvalue <= SMALLEST_EIGENVALUE:
        found = "unknown" if eigenvalue is None else f"{eigenvalue:.2g}"
        return f"No standard errors: the information is not positive definite (smallest eigenvalue {found})."
    if convergence.gradient is None or convergence.gradient > LARGEST_GRADIENT:
        return f"No standard errors: the gradient is {convergence.gradient} standard errors, not below 1e-8."
    return ""


def reported_covariance(fit: GbtmFit, design: GbtmDesign, kind: CovarianceKind) -> Matrix:
    """Return the covariance of (class shares 1..K; reported parameters), NaN for those at a boundary."""
    mixture = design.mixture_of(fit.class_kinds)
    jacobian = reported_jacobian(fit.vector, mixture)
    covariance = jacobian @ free_covariance(fit.vector, mixture, kind) @ jacobian.T
    covariance = (covariance + covariance.T) / 2
    kept = reported(mixture.parameters, mixture.n_classes)
    singular = [k for k, p in enumerate(mixture.parameters) if p.role == "covariance"]
    lost = set(fit.best.boundary) | (set(singular) if fit.convergence.stop == Stop.SINGULAR else set())
    at = [mixture.n_classes + kept.index(k) for k in lost if k in kept]
    if any(mixture.parameters[k].role == "log_odds" for k in lost):
        at += range(mixture.n_classes)  # where risk factors tell the class, no curvature tells how far shares can move
    covariance[at] = np.nan
    covariance[:, at] = np.nan
    return np.asarray(covariance)


def reported_jacobian(vector: Vector, mixture: Mixture) -> Matrix:
    """Return d(class shares 1..K; reported parameters) / d(free vector), user's units by working units."""
    membership = mixture.membership
    shares = np.zeros((mixture.n_classes, mixture.n_free))
    shares[:, : membership.n_free] = membership.share_jacobian(vector[: membership.n_free], mixture.weights)
    kept = list(reported(mixture.parameters, mixture.n_classes))
    return np.concatenate([shares, mixture.user_jacobian(vector)[kept]])


def score_distance(point: Point, design: GbtmDesign, kinds: tuple[ClassKind, ...] | None = None) -> float:
    """Return sqrt(g' I^-1 g): how far, in standard errors, the gradient says that an optimum is.

    I is the observed information at the point itself. Where that is not positive definite, the point is no optimum's
    neighbour, and the sum of outer products of subject scores takes its place, which always is at least semidefinite.
    The same number for any units of outcome and time, and for any order of the classes.
    """
    mixture = design.mixture_of(kinds)
    found = derivatives(from_point(point, mixture)[None], mixture)
    return distance_of(found, found.score[0], mixture)


def distance_of(found: Derivatives, equations: Vector, mixture: Mixture) -> float:
    """Return `score_distance` of equations that are the score, or are solved near where it vanishes."""
    information, scores = found.information[0], found.scores[0]
    eigenvalues, along = _scaled_eigen(information, equations)
    if eigenvalues[0] <= SMALLEST_EIGENVALUE:
        eigenvalues, along = _scaled_eigen(mixture.weighted(scores) @ scores.T, equations)
    kept = eigenvalues > SMALLEST_EIGENVALUE
    return float(np.sqrt(np.sum(along[kept] ** 2 / eigenvalues[kept])))


def _scaled_eigen(information: Matrix, score: Vector) -> tuple[Vector, Vector]:
    scale = np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-300))
    eigenvalues, Q = np.linalg.eigh(information / np.outer(scale, scale))
    return eigenvalues, Q.T @ (score / scale)
