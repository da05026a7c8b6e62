"""What makes a subject differ from the mean of its class: how to guess it from the rows, and how to draw it."""

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector
from harness.gbtm.densities.marginal_normal import residuals
from harness.gbtm.densities.within_class_covariance import WithinClassCovariance
from harness.gbtm.response import Response


def conditional_modes(beta: Matrix, own: Vector, covariance: WithinClassCovariance) -> Tensor:
    """Return u_ig = V_g Z_i' Sigma_ig^-1 (y_i - X_i beta_g), (K, N, q), of powers of the user's time.

    Parameters
    ----------
    beta
        Coefficients by class, (K, Q).
    own
        The own vector, (n_free,).
    covariance
        Within class.
    """
    panel, at = covariance.panel, covariance.at(own[None])
    D = covariance.random_covariance(own)
    W = covariance.factor.scale * covariance.factor.basis.W
    modes = np.empty((len(beta), len(panel.rest), len(W)))
    for g, coefficients in enumerate(beta):
        found = residuals(coefficients[None], at.inverse[:, min(g, at.inverse.shape[1] - 1)], panel)
        projected = np.einsum("acn,an->nc", panel.by_subject(panel.Z), found.a[0])
        modes[g] = projected @ D[g] @ W.T
    return modes


def correlated_errors(
    own: Vector, classes: Codes, generator: np.random.Generator, response: Response, covariance: WithinClassCovariance
) -> Vector:
    """Return a draw of y - X beta for each row, (n,), in working units, given the class of each subject (N,)."""
    layout, factor, process = covariance.layout, covariance.factor, covariance.process
    subject, sizes = response.panel.subject, response.panel.sizes
    N = len(sizes)
    if layout.sigma == "visit":
        of_row = np.searchsorted(covariance.panel.visit_times, response.time)
    else:
        of_row = classes[subject] if layout.sigma == "class" else np.zeros(len(subject), dtype=np.int64)
    errors = np.exp(own[layout.sigmas])[of_row] * generator.standard_normal(len(subject))
    if factor.n_entries:
        L = factor.lower(own[layout.factors])
        scales = np.exp(layout.log_scales(own[None])[0])[classes]
        effects = generator.standard_normal((N, len(L))) @ L.T * scales[:, None]
        errors += np.sum(factor.basis.Z * effects[subject], axis=1)
    if process.n_parameters:
        place = np.arange(len(subject)) - (np.cumsum(sizes) - sizes)[subject]
        values, vectors = np.linalg.eigh(process.covariance(own[None, layout.processes])[0].transpose(2, 0, 1))
        roots = vectors * np.sqrt(np.maximum(values, 0.0))[:, None]  # of a variance that is 0 at time 0, too
        noise = generator.standard_normal((N, roots.shape[1]))
        errors += np.einsum("nab,nb->na", roots[covariance.panel.pattern], noise)[subject, place]
    return np.asarray(errors)
