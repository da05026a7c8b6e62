"""From the best optimum to estimates with their uncertainty; and how far any parameters are from an optimum."""

import numpy as np
from scipy.special import log_softmax, softmax

from harness.arrays import Matrix, Vector, read_only
from harness.gbtm.adequacy import average_posterior, entropy
from harness.gbtm.density import class_log_densities
from harness.gbtm.derivatives import derivatives
from harness.gbtm.design import GbtmDesign
from harness.gbtm.em import e_step
from harness.gbtm.estimates import GbtmEstimates
from harness.gbtm.fit import GbtmFit
from harness.gbtm.parameters import Layout, from_point, layout_of, point_jacobian, unpack
from harness.quantities import Point

LARGEST_GRADIENT = 1e-8
"""In standard-error units; above it the curvature is not that of an optimum, and no standard error is given."""

SMALLEST_EIGENVALUE = 1e-7
"""Of the information scaled to a unit diagonal; below it the information does not count as positive definite."""


def estimate(fit: GbtmFit, design: GbtmDesign) -> GbtmEstimates:
    """Return the estimates of a fit, in the user's units, classes in the fit's order.

    The covariance is the inverse of the observed information (analytic), carried to (class shares; beta; sigma) by
    the delta method. It is None where `covariance_refusal` gives a reason. AIC is -2L + 2p, the BICs -2L + p log N
    (lcmm's) and -2L + p log n_obs (flexmix's), p as lcmm counts it.
    """
    layout = layout_of(design, fit.orders)
    covariance = None if covariance_refusal(fit) else _delta_covariance(fit.vector, design, layout)
    posterior = e_step(unpack(fit.vector[None], layout), design.moments)[0][0].T
    return _estimates(fit.point, design, layout, covariance, (posterior, fit.log_likelihood))


def estimates_at(
    point: Point, design: GbtmDesign, orders: tuple[int, ...], covariance: Matrix | None = None
) -> GbtmEstimates:
    """Return everything that follows from parameters alone: shares, posterior, criteria; the covariance as given."""
    joint = class_log_densities(point, design, orders)
    log_likelihood = float(np.sum(joint[:, 0] - log_softmax(joint, axis=1)[:, 0]))
    return _estimates(point, design, layout_of(design, orders), covariance, (softmax(joint, axis=1), log_likelihood))


def _estimates(
    point: Point, design: GbtmDesign, layout: Layout, covariance: Matrix | None, at_point: tuple[Matrix, float]
) -> GbtmEstimates:
    values, (posterior, log_likelihood) = np.array(point), at_point
    log_odds = values[: layout.n_classes - 1]
    p, N, n = design.n_parameters, design.n_subjects, design.n_observations
    return GbtmEstimates(
        family=design.spec.family,
        sigma_kind=design.spec.sigma,
        time=design.spec.time,
        class_shares=read_only(softmax(np.append(log_odds, 0.0))),
        log_odds=read_only(log_odds.copy()),
        beta=tuple(read_only(values[block].copy()) for block in layout.blocks()),
        sigma=read_only(values[-layout.n_sigmas :].copy()),
        covariance=None if covariance is None else read_only(covariance),
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
    """Return why this fit has no standard errors, in a sentence; empty if it has them."""
    convergence = fit.convergence
    best = fit.optima[fit.chosen]
    if best.collapsed:
        return "No standard errors: sigma of a class has collapsed, and the likelihood has no maximum there."
    eigenvalue = convergence.smallest_eigenvalue
    if eigenvalue is None or eigenvalue <= SMALLEST_EIGENVALUE:
        found = "unknown" if eigenvalue is None else f"{eigenvalue:.2g}"
        return f"No standard errors: the information is not positive definite (smallest eigenvalue {found})."
    if convergence.gradient is None or convergence.gradient > LARGEST_GRADIENT:
        return f"No standard errors: the gradient is {convergence.gradient} standard errors, not below 1e-8."
    return ""


def free_covariance(vector: Vector, design: GbtmDesign, layout: Layout) -> Matrix:
    """Return the inverse observed information of a free vector in working units (see `Layout`)."""
    information = derivatives(vector[None], design.moments, layout).information[0]
    scale = np.sqrt(np.diag(information))
    inverse = np.linalg.inv(information / np.outer(scale, scale)) / np.outer(scale, scale)
    return np.asarray((inverse + inverse.T) / 2)


def score_distance(point: Point, design: GbtmDesign, orders: tuple[int, ...] | None = None) -> float:
    """Return sqrt(g' I^-1 g): how far, in standard errors, the gradient says that an optimum is.

    I is the observed information at the point itself. Where that is not positive definite, the point is no optimum's
    neighbour, and the sum of outer products of subject scores takes its place, which always is at least semidefinite.
    The same number for any units of outcome and time, and for any order of the classes.
    """
    layout = layout_of(design, orders)
    found = derivatives(from_point(point, design, layout)[None], design.moments, layout)
    information, scores, score = found.information[0], found.scores[0], found.score[0]
    eigenvalues, along = _scaled_eigen(information, score)
    if eigenvalues[0] <= SMALLEST_EIGENVALUE:
        eigenvalues, along = _scaled_eigen(scores @ scores.T, score)
    kept = eigenvalues > SMALLEST_EIGENVALUE
    return float(np.sqrt(np.sum(along[kept] ** 2 / eigenvalues[kept])))


def _scaled_eigen(information: Matrix, score: Vector) -> tuple[Vector, Vector]:
    scale = np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-300))
    eigenvalues, Q = np.linalg.eigh(information / np.outer(scale, scale))
    return eigenvalues, Q.T @ (score / scale)


def _delta_covariance(vector: Vector, design: GbtmDesign, layout: Layout) -> Matrix:
    jacobian = point_jacobian(vector, design, layout)
    covariance = jacobian @ free_covariance(vector, design, layout) @ jacobian.T
    return np.asarray((covariance + covariance.T) / 2)
