"""Where the search starts: the moments of each subject's own regression of the residuals."""

import numpy as np

from harness.arrays import Matrix
from harness.lmm.covariance import lower_triangular
from harness.lmm.patterns import SufficientStatistics, symmetric_index

# An exactly zero column of Lambda is a stationary point whatever the data, so no start is nearer to zero than this
# share of the noise in a subject's own coefficients.
SMALLEST_VARIANCE = 0.01
_REGULAR = 1e-6
_WITHOUT_MOMENTS = 0.7
_STRETCH = 10.0
_FEW_SUBJECTS = 12
# Where few subjects are far from zero and no fixed effect takes that up, random effects of a hundred sigmas do.
_FURTHER = (2, 3)


def starts(statistics: SufficientStatistics) -> tuple[Matrix, ...]:
    """Return where searches start, in scaled units: from the moments, and elsewhere if there may be several minima.

    There may be where blocks are held independent and moments are not, as of intercept and slope when time is counted
    from far away: either of the two may then stand for both. And there may be where subjects are very few.
    """
    moments, layout = moment_start(statistics), statistics.layout
    several, few = len(layout.blocks) > 1, statistics.counts.sum() < _FEW_SUBJECTS
    if not several and not few:
        return (moments,)
    found = [moments, moments / _STRETCH, moments * _STRETCH]
    found += [moments * _STRETCH**power for power in _FURTHER] if few else []
    if several:
        found.append(_WITHOUT_MOMENTS * np.eye(statistics.n_random))
        for block in layout.blocks:
            alone = moments / _STRETCH**2
            alone[np.ix_(block, block)] = moments[np.ix_(block, block)]
            found.append(alone)
    return tuple(found)


def moment_start(statistics: SufficientStatistics) -> Matrix:
    """Return Lambda (q, q), in scaled units, whose Gamma matches the subjects' own regression coefficients.

    The least-squares coefficients of a subject's residuals have covariance sigma^2 (Gamma + (R_k'R_k)^-1), so that
    Gamma = mean(b b')/sigma^2 - N, N = mean (R_k'R_k)^-1, with the eigenvalues of Gamma in the metric of N raised to
    0.01; so the start is the same in all units and origins of time. With fewer than q + 2 subjects that determine all q
    coefficients it is 0.7 I. The R_k are triangular, as those of statistics not yet reordered are.
    """
    q, counts, R = statistics.n_random, statistics.counts, statistics.R
    diagonals = np.abs(R.diagonal(axis1=1, axis2=2))
    usable = diagonals.min(axis=1) > _REGULAR * diagonals.max(axis=1)
    rows_left = statistics.n_observations - counts @ statistics.ranks
    sigma_2 = statistics.S[-1, -1] / rows_left if rows_left > 0 else 0.0
    subjects = counts[usable].sum()
    if subjects < q + 2 or sigma_2 <= 0:
        return _WITHOUT_MOMENTS * np.eye(q)
    inverses = np.linalg.inv(R[usable])
    pairs = statistics.T[:, -1].reshape(len(counts), -1)[usable][:, symmetric_index(q)]
    products = pairs * np.where(np.eye(q, dtype=bool), 1.0, 0.5)  # T holds the sum of both off-diagonal blocks
    coefficients = (inverses @ products @ inverses.transpose(0, 2, 1)).sum(axis=0) / (subjects * sigma_2)
    noise = np.tensordot(counts[usable], inverses @ inverses.transpose(0, 2, 1), 1) / subjects
    Lambda = np.zeros((q, q))
    for block in statistics.layout.blocks:
        own = np.ix_(block, block)
        root = np.linalg.cholesky(noise[own])
        halved = np.linalg.solve(root, coefficients[own])
        ratios, axes = np.linalg.eigh(np.linalg.solve(root, halved.T) - np.eye(len(block)))
        Lambda[own] = lower_triangular(root @ (axes * np.sqrt(np.maximum(ratios, SMALLEST_VARIANCE))))
    return Lambda
