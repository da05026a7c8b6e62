"""Where a density with correlated rows begins, from weights of the classes alone."""

import numpy as np

from harness.arrays import Matrix, Tensor, Vector
from harness.gbtm.densities.moments import SMALLEST_SIGMA
from harness.gbtm.densities.within_class_covariance import WithinClassCovariance
from harness.gbtm.response import Response

_MOST = 100.0  # times the variance of random effects of all classes together, either way
_OF_ALL = 1e-6  # weight of all subjects in every class, so that an empty class has a beginning


def first_values(weights: Tensor, response: Response, covariance: WithinClassCovariance) -> Matrix:
    """Return own vectors (S, n_free) from weights of the classes (S, K, N).

    Coefficients are those of weighted least squares. Their residual variance is shared out in equal parts between
    the independent errors, the random effects (evenly among them), and the process. Where classes have scales of their
    own, these follow the variance of subjects' mean residuals in each class.
    """
    layout = covariance.layout
    coefficients, variance = _least_squares(weights + _OF_ALL, response)
    own = np.zeros((len(weights), layout.n_free))
    own[:, : layout.n_coefficients] = coefficients
    q = covariance.factor.basis.n_random
    part = variance / (1 + (q > 0) + (layout.n_process > 0))
    own[:, layout.sigmas] = 0.5 * np.log(part)[:, None]
    diagonal = [p for p, (c, d) in enumerate(covariance.factor.pairs) if c == d]
    spread = part
    if layout.n_scales:
        least, most = part[:, None] / _MOST, part[:, None] * _MOST
        between = np.clip(_between_subjects(weights + _OF_ALL, coefficients, part, response), least, most)
        spread = between[:, -1]
        own[:, layout.scales] = 0.5 * np.log(between[:, :-1] / between[:, -1:])
    own[:, layout.factors.start + np.array(diagonal, dtype=np.int64)] = np.sqrt(spread / max(q, 1))[:, None]
    if layout.n_process:
        own[:, layout.processes] = covariance.process.begin(part)
    return own


def _between_subjects(weights: Tensor, coefficients: Matrix, within: Vector, response: Response) -> Matrix:
    """Return the variance of subjects' mean residuals in each class, less what errors within subjects give, (S, K)."""
    panel, beta = response.panel, response.coefficients(coefficients)
    sizes = np.maximum(panel.sizes, 1)
    means = (panel.sum(response.y - response.offset) - beta @ panel.sum(response.X.T)) / sizes
    total = weights.sum(axis=2)
    variance = np.sum(weights * means**2, axis=2) / total
    return np.asarray(variance - within[:, None] * np.sum(weights / sizes, axis=2) / total)


def _least_squares(weights: Tensor, response: Response) -> tuple[Matrix, Vector]:
    """Return the coefficients (S, n_coefficients) and the residual variance (S,)."""
    S, K, N = weights.shape
    X, y, panel = response.X, response.y - response.offset, response.panel
    Q, count = X.shape[1], response.n_coefficients
    XX = panel.sum((X[:, :, None] * X[:, None, :]).reshape(len(y), -1).T)
    sums = weights.reshape(S * K, N) @ np.concatenate([XX, panel.sum((X * y[:, None]).T), panel.sum(y**2)[None]]).T
    XX, Xy, yy = np.split(sums.reshape(S, K, -1), [Q * Q, Q * Q + Q], axis=2)
    XX = XX.reshape(S, K, Q, Q)
    normal, right = np.zeros((S, count, count)), np.zeros((S, count))
    for g in range(K):
        used = response.used(g)
        place = response.index[g, used]
        normal[:, place[:, None], place] += XX[:, g, used[:, None], used]
        right[:, place] += Xy[:, g, used]
    coefficients: Matrix = np.asarray(np.linalg.solve(normal, right[..., None])[..., 0], dtype=np.float64)
    beta = response.coefficients(coefficients)
    squares = yy[..., 0] - 2 * np.sum(beta * Xy, axis=2) + np.einsum("ska,skab,skb->sk", beta, XX, beta)
    rows = weights.sum(axis=1) @ panel.sizes
    return coefficients, np.asarray(np.maximum(squares.sum(axis=1) / rows, SMALLEST_SIGMA**2))
