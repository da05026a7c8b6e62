"""Score and observed information of many starts at once, analytic.

With a_ig = log pi_g + log f_ig, p_ig the posterior and s_i = sum_g p_ig da_ig the score of subject i (Louis 1982;
McLachlan & Peel 2000, section 2.15)::

    dL   = sum_i s_i
    d2L  = sum_i [ sum_g p_ig (d2a_ig + da_ig da_ig') - s_i s_i' ]

Rows and columns as in the free vector of `Layout`, working units.
"""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Tensor, Vector
from harness.gbtm.em import e_step, residual_sums
from harness.gbtm.parameters import Layout, unpack


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Derivatives:
    """S starts, N subjects, P free parameters: the log-likelihood and its derivatives."""

    log_likelihood: Vector  # (S,)
    scores: Tensor  # (S, P, N), by subject
    score: Matrix  # (S, P)
    information: Tensor  # (S, P, P), minus the second derivative


def derivatives(vectors: Matrix, moments: Matrix, layout: Layout) -> Derivatives:
    """Return the log-likelihood, the score of each subject and the observed information at free vectors (S, P)."""
    parameters = unpack(vectors, layout)
    posterior, log_likelihood = e_step(parameters, moments)
    S, K, N = posterior.shape
    q = layout.is_free.shape[1]
    n_i, Xy, XX = moments[:, 0], moments[:, 2 : 2 + q], moments[:, 2 + q :]
    precision = np.exp(-2 * parameters.log_sigma)
    shares = np.exp(parameters.log_shares)

    # Class-wise derivatives of log f_ig: u by beta (S, K, q, N), v by log sigma (S, K, N).
    fitted = np.einsum("skb,nab->skan", parameters.beta, XX.reshape(N, q, q), optimize=True)
    u = (Xy.T - fitted) * precision[:, :, None, None]
    squares = residual_sums(parameters.beta, moments) * precision[:, :, None]
    v = squares - n_i

    odds = slice(0, K - 1)
    sigmas = [layout.n_free - layout.n_sigmas + (0 if layout.n_sigmas == 1 else g) for g in range(K)]
    scores = np.zeros((S, layout.n_free, N))
    scores[:, odds] = (posterior - shares[:, :, None])[:, : K - 1]
    weighted_u, weighted_v = posterior[:, :, None] * u, posterior * v
    second = np.zeros((S, layout.n_free, layout.n_free))
    second[:, odds, odds] = -N * (np.eye(K)[: K - 1, : K - 1] * shares[:, None, : K - 1])
    second[:, odds, odds] += N * shares[:, : K - 1, None] * shares[:, None, : K - 1]
    weighted_XX = (posterior.reshape(S * K, N) @ XX).reshape(S, K, q, q)
    for g, block in enumerate(layout.blocks()):
        width, sigma = block.stop - block.start, sigmas[g]
        by_beta, by_sigma = weighted_u[:, g, :width], weighted_v[:, g]
        scores[:, block] = by_beta
        scores[:, sigma] += by_sigma
        # sum_i p d2a
        second[:, block, block] -= weighted_XX[:, g, :width, :width] * precision[:, g, None, None]
        cross = -2 * by_beta.sum(axis=2)
        second[:, sigma, sigma] -= 2 * np.einsum("sn,sn->s", posterior[:, g], squares[:, g])
        # sum_i p da da'
        second[:, block, block] += by_beta @ u[:, g, :width].transpose(0, 2, 1)
        cross += np.einsum("san,sn->sa", by_beta, v[:, g])
        second[:, sigma, sigma] += np.einsum("sn,sn->s", by_sigma, v[:, g])
        second[:, block, sigma] += cross
        second[:, sigma, block] += cross
        # da/d(log-odds) = e_g - pi, the same for every subject
        contrast = (np.arange(K - 1) == g) - shares[:, : K - 1]
        size = posterior[:, g].sum(axis=1)
        second[:, odds, odds] += size[:, None, None] * contrast[:, :, None] * contrast[:, None, :]
        mixed = contrast[:, :, None] * by_beta.sum(axis=2)[:, None, :]
        second[:, odds, block] += mixed
        second[:, block, odds] += mixed.transpose(0, 2, 1)
        mixed_sigma = contrast * by_sigma.sum(axis=1)[:, None]
        second[:, odds, sigma] += mixed_sigma
        second[:, sigma, odds] += mixed_sigma
    second -= scores @ scores.transpose(0, 2, 1)
    return Derivatives(log_likelihood=log_likelihood, scores=scores, score=scores.sum(axis=2), information=-second)
