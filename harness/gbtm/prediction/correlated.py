"""The covariance of any visits of a patient within a class, of models with random effects or a process in the errors.

In the user's units, at many parameters at once: w_g^2 Z V Z' + sigma_g^2 I + process.
"""

import numpy as np

from harness.arrays import Matrix, Tensor, Vector
from harness.gbtm.densities.random_effects import RandomEffectsDensity


def visit_covariance(density: RandomEffectsDensity, own: Matrix, times: Vector) -> Tensor:
    """Return the covariance (S, K, m, m) of outcomes at m times of a patient, given its class.

    Parameters
    ----------
    density
        Of the outcome.
    own
        Own vectors, (S, n_free).
    times
        (m,); equal ones are different measurements.
    """
    within, scale = density.covariance, density.response.scale
    layout, basis, process = density.layout, within.factor.basis, within.process
    S, K, m = len(own), density.response.n_classes, len(times)
    Z = np.vander(times, basis.n_random, increasing=True) @ basis.W
    found = np.empty((S, K, m, m))
    for s, vector in enumerate(own):
        D = within.random_covariance(vector)
        found[s] = scale**2 * (Z @ D @ Z.T) if basis.n_random else 0.0
    diagonal = np.arange(m)
    for g in range(K):
        sigma = scale * np.exp(own[:, layout.sigma_places(g)])
        by_visit = layout.sigma == "visit"
        of_time = np.searchsorted(within.panel.visit_times, times) if by_visit else np.zeros(m, dtype=np.int64)
        found[:, g, diagonal, diagonal] += sigma[:, of_time] ** 2
    if process.n_parameters:
        user = process.units * np.exp(process.powers * own[:, layout.processes])
        found += _process(process.kind, user, times)[:, None]
    return found


def _process(kind: str, user: Matrix, times: Vector) -> Tensor:
    variance = user[:, -1][:, None, None]
    if kind == "brownian":
        return np.asarray(variance * np.minimum(times[:, None], times))
    return np.asarray(variance * np.exp(-user[:, 0][:, None, None] * np.abs(times[:, None] - times)))
