"""How far apart two optima are, in units of what the data can tell."""

from collections.abc import Mapping

import numpy as np

from harness.arrays import Matrix, Vector
from harness.quantities import OptimumCovariance

FIXED = 1e-12
"""To so many digits two engines give what the model fixes; it may be the result of a formula."""

NULL_EIGENVALUE = 1e-10
"""Below this share of the largest eigenvalue of a correlation matrix a direction has no uncertainty of its own."""

NEGATIVE_EIGENVALUE = -1e-8
"""Below this share a covariance matrix is no covariance matrix."""


def marginal_errors(covariance: OptimumCovariance | None) -> dict[str, float]:
    """Return the standard error of each quantity that has a finite positive variance."""
    if covariance is None:
        return {}
    variances = np.diag(covariance.matrix)
    return {
        path: float(np.sqrt(variance))
        for path, variance in zip(covariance.paths, variances, strict=True)
        if np.isfinite(variance) and variance > 0
    }


def distance(difference: Vector, covariance: Matrix) -> float:
    """Return D = sqrt(d' C^+ d), the distance of two optima in standard errors.

    Parameters
    ----------
    difference
        d (k,), one parameter vector minus the other.
    covariance
        C (k, k), possibly singular: class shares sum to one.

    Returns
    -------
    float
        D; at a quadratic log-likelihood the gap between the two points is D^2/2. A difference along a direction
        in which C has no variance is impossible between honest optima, so it isn't lost in the pseudo-inverse but
        counted in standard errors of the single parameters; in a parameter that the model fixes (its variance is
        exactly zero) it makes D infinite. NaN if C is no covariance matrix.

    Notes
    -----
    In R: `sqrt(drop(d %*% solve(C, d)))` for a regular C.
    """
    variances = np.diag(covariance)
    if not (np.isfinite(covariance).all() and np.isfinite(difference).all() and (variances >= 0).all()):
        return float("nan")
    free = variances > 0
    if np.any(difference[~free] != 0):
        return float("inf")
    difference, covariance = difference[free], covariance[np.ix_(free, free)]
    if not len(difference):
        return 0.0
    errors = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(errors, errors)
    eigenvalues, vectors = np.linalg.eigh((correlation + correlation.T) / 2)
    if eigenvalues[0] < NEGATIVE_EIGENVALUE * eigenvalues[-1]:
        return float("nan")
    along = vectors.T @ (difference / errors)
    regular = eigenvalues > NULL_EIGENVALUE * eigenvalues[-1]
    return float(np.sqrt(np.sum(along[regular] ** 2 / eigenvalues[regular]) + np.sum(along[~regular] ** 2)))


def conditioning(covariance: OptimumCovariance | None) -> float:
    """Return by how much noise in the entries of the information is multiplied in the standard errors.

    If each entry of the information I is off by at most e sqrt(I_jj I_kk), then to first order the standard error
    of parameter j is off by at most e (sum_k |C_jk| sqrt(I_kk))^2 / (2 C_jj), relatively; this is the largest of
    these factors, with C in units of standard errors and I its pseudo-inverse. 1/2 for independent parameters; 0 if
    there is no covariance. For an engine that has its noise in other coordinates (lcmm: log-odds, not shares) it is a
    scale, no bound.
    """
    if covariance is None or not np.isfinite(covariance.matrix).all():
        return 0.0
    free = np.diag(covariance.matrix) > 0
    if not free.any():
        return 0.0
    matrix = covariance.matrix[np.ix_(free, free)]
    errors = np.sqrt(np.diag(matrix))
    correlation = matrix / np.outer(errors, errors)
    information = np.linalg.pinv(correlation, rcond=NULL_EIGENVALUE, hermitian=True)
    spread = np.sqrt(np.maximum(np.diag(information), 0.0))
    return float(np.max((np.abs(correlation) @ spread) ** 2) / 2)


def distance_between(left: Mapping[str, float], right: Mapping[str, float], covariance: OptimumCovariance) -> float:
    """Return D over the quantities that both engines and the covariance know; NaN if there is none.

    In a parameter that the model fixes rounding is no difference.
    """
    rows = [row for row, path in enumerate(covariance.paths) if path in left and path in right]
    if not rows:
        return float("nan")
    paths = [covariance.paths[row] for row in rows]
    ours, theirs = (np.array([side[path] for path in paths]) for side in (left, right))
    with np.errstate(invalid="ignore"):  # infinity less infinity is no number, and so is D then
        difference = ours - theirs
    rounding = FIXED * np.maximum(np.abs(ours), np.abs(theirs)) + np.finfo(float).tiny
    fixed = np.diag(covariance.matrix)[rows] == 0
    difference[fixed & (np.abs(difference) <= rounding)] = 0.0
    return distance(difference, covariance.matrix[np.ix_(rows, rows)])


def covariance_difference(left: OptimumCovariance, right: OptimumCovariance) -> float:
    """Return max over a, b of |L_ab - R_ab| / (s_a s_b), s the left standard errors, over the paths of both.

    A parameter that the model fixes has no variance on either side; if it has one on the right, the result is
    infinite. NaN if there is no common path, or if a left variance is negative.
    """
    place = {path: row for row, path in enumerate(right.paths)}
    rows = [row for row, path in enumerate(left.paths) if path in place]
    columns = [place[left.paths[row]] for row in rows]
    ours, theirs = left.matrix[np.ix_(rows, rows)], right.matrix[np.ix_(columns, columns)]
    if not rows or not (np.diag(ours) >= 0).all():
        return float("nan")
    errors = np.sqrt(np.diag(ours))
    apart, scale = np.abs(ours - theirs), np.outer(errors, errors)
    relative = np.divide(apart, scale, out=np.where(apart == 0, 0.0, np.inf), where=scale > 0)
    return float(np.max(np.where(np.isnan(apart), np.nan, relative)))
