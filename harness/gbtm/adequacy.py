"""How well subjects fall into classes: functions of the posterior class probabilities (N, K) (Nagin 2005, ch. 5)."""

import numpy as np
from scipy.special import xlogy

from harness.arrays import Codes, Matrix, Vector


def assignment(posterior: Matrix) -> Codes:
    """Return each subject's modal class, counted from 0; the first one at a tie."""
    return np.asarray(posterior.argmax(axis=1))


def entropy(posterior: Matrix) -> float:
    """Return 1 - EN / (N log K), EN = -sum p log p; 1 for one class. R: ``lcmm::summarytable(m, which="entropy")``."""
    N, K = posterior.shape
    if K == 1:
        return 1.0
    return float(1 + xlogy(posterior, posterior).sum() / (N * np.log(K)))


def average_posterior(posterior: Matrix) -> Vector:
    """Return AvePP: mean probability of class g over the subjects whose modal class it is; NaN if it has none."""
    modal = assignment(posterior)
    return np.array(
        [posterior[modal == g, g].mean() if np.any(modal == g) else np.nan for g in range(posterior.shape[1])]
    )


def assigned_shares(posterior: Matrix) -> Vector:
    """Return the share of subjects whose modal class is g."""
    return np.asarray(np.bincount(assignment(posterior), minlength=posterior.shape[1]) / len(posterior))


def odds_of_correct_classification(posterior: Matrix, class_shares: Vector) -> Vector:
    """Return OCC: the odds of AvePP against those of the estimated class share.

    Infinite where AvePP is 1; NaN for a single class, which has no odds.
    """
    correct = average_posterior(posterior)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((correct / (1 - correct)) / (class_shares / (1 - class_shares)))


def mismatch(posterior: Matrix, class_shares: Vector) -> Vector:
    """Return the estimated class share less the share assigned."""
    return np.asarray(class_shares - assigned_shares(posterior))
