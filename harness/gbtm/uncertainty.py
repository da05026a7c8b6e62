"""The covariance of a free vector at an optimum, by name: observed information, or the sandwich of subject scores."""

from typing import Literal, get_args

import numpy as np

from harness.arrays import Matrix, Vector
from harness.errors import Problem, SpecError
from harness.gbtm.mixture import Mixture, derivatives
from harness.gbtm.newton import NO_INFORMATION

CovarianceKind = Literal["observed information", "sandwich"]

_NO_CURVATURE = 100 * NO_INFORMATION


def checked_kind(kind: object) -> CovarianceKind:
    """Return a kind of covariance by its name, or raise a SpecError if there is none of that name."""
    if kind == "observed information":
        return "observed information"
    if kind == "sandwich":
        return "sandwich"
    expected = f"one of {', '.join(map(repr, get_args(CovarianceKind)))}"
    raise SpecError("standard errors", [Problem(found=f"standard errors {kind!r:.40}", expected=expected)])


def free_covariance(vector: Vector, mixture: Mixture, kind: CovarianceKind = "observed information") -> Matrix:
    """Return the covariance (P, P) of a free vector in working units.

    H is the observed information: H^-1; or H^-1 (sum_i w_i^2 s_i s_i') H^-1, which holds if the subjects are
    independent, whatever the rows of one are, and with sampling weights w. Directions that the data leave without a
    bound, and parameters at their lower bound, are held fixed; the optimum's `boundary` names them.
    """
    found = derivatives(vector[None], mixture)
    information = found.information[0]
    free = np.flatnonzero(vector > mixture.lower + 1e-9)
    eigenvalues, Q = np.linalg.eigh(information[np.ix_(free, free)])
    kept = np.zeros((len(vector), len(free)))
    kept[free] = Q
    kept = kept[:, np.abs(eigenvalues) >= _NO_CURVATURE]
    inner = kept.T @ information @ kept
    scale = np.sqrt(np.abs(np.diag(inner)))
    inverse = kept @ (np.linalg.inv(inner / np.outer(scale, scale)) / np.outer(scale, scale)) @ kept.T
    if kind == "sandwich":
        scores = found.scores[0] * mixture.weights
        inverse = inverse @ (scores @ scores.T) @ inverse
    return np.asarray((inverse + inverse.T) / 2)
