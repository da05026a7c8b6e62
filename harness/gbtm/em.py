"""Expectation-maximisation for many starts at once, on sums by subject.

S starts, K classes, N subjects, q coefficients. Because the gaussian likelihood depends on the rows only through the
moments n_i, y'y, X'y, X'X of each subject, a step is two matrix products, whatever the number of visits.
All in working units (see `GbtmDesign`).
"""

import numpy as np

from harness.arrays import Matrix, Tensor, Vector
from harness.gbtm.parameters import Layout, Parameters

LOG_2_PI = float(np.log(2 * np.pi))
SMALLEST_SIGMA = 1e-3
"""In working units: a class whose sigma falls here, a thousandth of the residual spread, has collapsed onto few rows
and its likelihood has no upper bound."""

_RIDGE = 1e-9  # an empty class stays solvable; for any other it is far below what Newton removes


def residual_sums(beta: Tensor, moments: Matrix) -> Tensor:
    """Return sum_j (y_ij - x_ij' beta)^2, (S, K, N)."""
    S, K, q = beta.shape
    squares = (beta[..., :, None] * beta[..., None, :]).reshape(S, K, q * q)
    weights = np.concatenate([np.ones((S, K, 1)), -2 * beta, squares], axis=2)
    return np.asarray((weights.reshape(S * K, -1) @ moments[:, 1:].T).reshape(S, K, -1))


def e_step(parameters: Parameters, moments: Matrix) -> tuple[Tensor, Vector]:
    """Return the posterior class probabilities (S, K, N) and the log-likelihoods (S,), all constants included."""
    log_sigma = parameters.log_sigma
    joint = residual_sums(parameters.beta, moments)
    joint *= -0.5 * np.exp(-2 * log_sigma)[:, :, None]
    joint -= log_sigma[:, :, None] * moments[:, 0]
    joint += parameters.log_shares[:, :, None]
    largest = joint.max(axis=1, keepdims=True)
    joint -= largest
    posterior = np.exp(joint, out=joint)
    total = posterior.sum(axis=1, keepdims=True)
    posterior /= total
    constant = 0.5 * LOG_2_PI * float(moments[:, 0].sum())
    return posterior, (np.log(total) + largest).sum(axis=(1, 2)) - constant


def m_step(posterior: Tensor, moments: Matrix, layout: Layout) -> Parameters:
    """Return the parameters that maximise the expected complete-data log-likelihood, sigma not below its floor."""
    S, K, N = posterior.shape
    q = layout.is_free.shape[1]
    sums = (posterior.reshape(S * K, N) @ moments).reshape(S, K, -1)
    rows, yy, Xy = sums[..., 0], sums[..., 1], sums[..., 2 : 2 + q]
    XX = sums[..., 2 + q :].reshape(S, K, q, q)
    free = layout.is_free
    # Coefficients above a class's order get the equation beta = 0.
    normal = np.where(free[:, :, None] & free[:, None, :], XX, 0.0) + np.eye(q) * np.where(free, _RIDGE, 1.0)[:, None]
    beta: Tensor = np.asarray(np.linalg.solve(normal, np.where(free, Xy, 0.0)[..., None])[..., 0], dtype=np.float64)
    residual = yy - 2 * np.sum(beta * Xy, axis=2) + np.einsum("ska,skab,skb->sk", beta, XX, beta)
    if layout.sigma == "shared":
        residual, rows = residual.sum(axis=1, keepdims=True), rows.sum(axis=1, keepdims=True)
    variance = np.maximum(residual / np.maximum(rows, 1e-300), SMALLEST_SIGMA**2)
    shares = np.maximum(posterior.mean(axis=2), 1e-300)
    return Parameters(log_shares=np.log(shares), beta=beta, log_sigma=np.broadcast_to(0.5 * np.log(variance), (S, K)))


def run_em(posterior: Tensor, moments: Matrix, layout: Layout, steps: int) -> Parameters:
    """Return the parameters after a number of EM steps from given class probabilities (S, K, N)."""
    parameters = m_step(posterior, moments, layout)
    for _ in range(steps - 1):
        posterior, _ = e_step(parameters, moments)
        parameters = m_step(posterior, moments, layout)
    return parameters
