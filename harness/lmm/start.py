"""Where the search starts: the moments of each subject's own regression of the residuals."""

import numpy as np
from scipy.linalg import solve_triangular

from harness.arrays import Mask, Matrix, Vector
from harness.lmm.covariance import Positions, lower_triangular, upper_factor
from harness.lmm.design import LmmDesign
from harness.lmm.patterns import SufficientStatistics, symmetric_index, upper_triangle

# An exactly zero column of Lambda is a stationary point whatever the data, so no start is nearer to zero than this
# share of the noise in a subject's own coefficients.
SMALLEST_VARIANCE = 0.01
_REGULAR = 1e-6
_WITHOUT_MOMENTS = 0.7
_STRETCH = 10.0
# For each random effect, and for sigma.
_FEW_SUBJECTS = 6
_FEW_ROWS = 50
# Where few subjects are far from zero and no fixed effect takes that up, random effects of a hundred sigmas do.
_FURTHER = (2, 3)
# Below and above what a start without moments has: which minimum is reached depends on a start in no orderly way.
_EVEN = (0.3, 20.0)
# Standard deviations, in sigmas, that no moments around small ones know of: of one block or term, and of the others.
FAR, BESIDE = 1e3, 10.0
# Of a column's length: what is left of it by the columns that determine it is rounding.
_SPANNED = 1e-6
_SEEN = 1e-10


def starts(statistics: SufficientStatistics, design: LmmDesign) -> tuple[Matrix, ...]:
    """Return where searches start, in scaled units: from the moments, and elsewhere if there may be several minima.

    There may be where blocks are held independent and moments are not, as of intercept and slope when time is counted
    from far away: either of the two may then stand for both. There may be where very few subjects tell of all their
    random effects, of which moments then say little or nothing: a covariance of another rank may be as good nearby. And
    there may be where `means_are_fixed` is not so.
    """
    moments, even, layout = moment_start(statistics), even_start(statistics), statistics.layout
    found = [moments]
    telling = statistics.counts[_telling(statistics)].sum()
    few = telling < _FEW_SUBJECTS * (statistics.n_random + 1) or statistics.n_observations < _FEW_ROWS
    if few or len(layout.blocks) > 1:
        found += [moments / _STRETCH, moments * _STRETCH]
    if few:
        found += [moments * _STRETCH**power for power in _FURTHER] + [even * size for size in _EVEN]
    if len(layout.blocks) > 1:
        found.append(_WITHOUT_MOMENTS * np.eye(statistics.n_random))
        found += [_alone(block, moments, moments / _STRETCH**2) for block in layout.blocks]
    if not means_are_fixed(design.scaled.Z, design.conditioned.D[:, :-1]):
        found.append(moment_start(statistics, _within(statistics)))
        found += [_alone(block, FAR * even, BESIDE * even) for block in layout.blocks]
    return tuple(found)


def _within(statistics: SufficientStatistics) -> Vector:
    """Return the coefficients (p,) of D's fixed columns by the rows alone that never see the random effects.

    Along a direction that those rows say nothing of, which is a share of them that is rounding, it is zero.
    """
    shares, axes = np.linalg.eigh(statistics.S[:-1, :-1])
    along = axes.T @ statistics.S[:-1, -1]
    return np.asarray(axes @ np.where(shares > _SEEN, along / np.maximum(shares, _SEEN), 0.0))


def _alone(block: Positions, large: Matrix, small: Matrix) -> Matrix:
    """Return Lambda with one block of one, and all others of another."""
    Lambda = small.copy()
    Lambda[np.ix_(block, block)] = large[np.ix_(block, block)]
    return Lambda


def means_are_fixed(Z: Matrix, Q: Matrix) -> bool:
    """Whether the fixed part holds every column (n,) that has random effects, so that these have a mean of zero.

    Where it does not, as of intercepts in a model without a fixed one, the level of the outcome is in one minimum left
    to sigma, and in others it is what random effects are as large as. `Q` (n, p) is an orthonormal basis of X.
    """
    left = np.linalg.norm(Z - Q @ (Q.T @ Z), axis=0)
    return bool((left <= _SPANNED * np.linalg.norm(Z, axis=0)).all())


def moment_start(statistics: SufficientStatistics, coefficients: Vector | None = None) -> Matrix:
    """Return Lambda (q, q), in scaled units, whose Gamma matches the subjects' own regression coefficients.

    The least-squares coefficients of a subject's residuals have covariance sigma^2 (Gamma + (R_k'R_k)^-1), so that
    Gamma = mean(b b')/sigma^2 - N, N = mean (R_k'R_k)^-1, with the eigenvalues of Gamma in the metric of N raised to
    0.01; so the start is the same in all units and origins of time. With fewer than q + 2 subjects that determine all q
    coefficients it is 0.7 of `even_start`. The R_k are triangular, as those of statistics not yet reordered are.
    Residuals are those of least squares, or of these `coefficients` (p,) of D's fixed columns.
    """
    q, counts, R = statistics.n_random, statistics.counts, statistics.R
    usable = _telling(statistics)
    rows_left = statistics.n_observations - counts @ statistics.ranks
    v = np.append(np.zeros(statistics.n_fixed) if coefficients is None else -coefficients, 1.0)
    sigma_2 = float(v @ statistics.S @ v) / rows_left if rows_left > 0 else 0.0
    subjects = counts[usable].sum()
    if subjects < q + 2 or sigma_2 <= 0:
        return _WITHOUT_MOMENTS * even_start(statistics)
    inverses = np.linalg.inv(R[usable])
    rows, columns = upper_triangle(len(v))
    squares = statistics.T @ (np.where(rows == columns, 1.0, 2.0) * v[rows] * v[columns])
    pairs = squares.reshape(len(counts), -1)[usable][:, symmetric_index(q)]
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


def even_start(statistics: SufficientStatistics) -> Matrix:
    """Return Lambda (q, q), in scaled units, by which all combinations of a block vary alike over the rows.

    Of Z Lambda each column has a mean square of one, and those of a block are orthogonal: this too is the same in all
    units and origins of time, which an identity in those of Z is not.
    """
    Lambda = np.zeros((statistics.n_random, statistics.n_random))
    for block in statistics.layout.blocks:
        root = upper_factor(statistics.spread[:, block])
        Lambda[np.ix_(block, block)] = lower_triangular(solve_triangular(root, np.eye(len(block))))
    return Lambda


def _telling(statistics: SufficientStatistics) -> Mask:
    """Return of which patterns (K,) the subjects determine all q coefficients of a regression of their own."""
    diagonals = np.abs(statistics.R.diagonal(axis1=1, axis2=2))
    return np.asarray(diagonals.min(axis=1) > _REGULAR * diagonals.max(axis=1))
