"""How well subjects fall into classes: functions of the posterior class probabilities (N, K) (Nagin 2005, ch. 5)."""

import numpy as np
from scipy.special import xlogy

from harness.arrays import Codes, Matrix, Vector

CAVEAT = (
    "Average posteriors, OCC, mismatch and entropy are computed as if the model were true: all of them can look good "
    "while a third of the subjects is in the wrong class."
)
"""What must be said beside any number of this module."""

CERTAIN = (0.7, 0.8, 0.9)
"""Probabilities of the modal class above which subjects are counted."""


def assignment(posterior: Matrix) -> Codes:
    """Return each subject's modal class, counted from 0; the first one at a tie."""
    return np.asarray(posterior.argmax(axis=1))


def total_entropy(posterior: Matrix) -> float:
    """Return EN = -sum p log p over subjects and classes: 0 if all are certain, N log K if nobody is."""
    return float(0.0 - xlogy(posterior, posterior).sum())


def entropy(posterior: Matrix) -> float:
    """Return 1 - EN / (N log K), EN = -sum p log p; 1 for one class. R: ``lcmm::summarytable(m, which="entropy")``."""
    N, K = posterior.shape
    return 1.0 if K == 1 else 1 - total_entropy(posterior) / (N * float(np.log(K)))


def modal_uncertainty(posterior: Matrix) -> float:
    """Return M = -2 sum_i log max_g p_ig; R: lcmm's ICL2 is BIC + M, flexmix's ICL is its BIC + M."""
    return float(-2 * np.log(posterior.max(axis=1)).sum())


def classification_table(posterior: Matrix) -> Matrix:
    """Return the mean probability of class h over the subjects whose modal class is g, (K, K); NaN where there is none.

    Its diagonal is AvePP. R: ``lcmm::postprob(m)``.
    """
    modal = assignment(posterior)
    K = posterior.shape[1]
    return np.array(
        [posterior[modal == g].mean(axis=0) if np.any(modal == g) else np.full(K, np.nan) for g in range(K)]
    )


def average_posterior(posterior: Matrix) -> Vector:
    """Return AvePP: mean probability of class g over the subjects whose modal class it is; NaN if it has none."""
    return np.diag(classification_table(posterior)).copy()


def shares_above(posterior: Matrix, threshold: float) -> Vector:
    """Return, of the subjects whose modal class is g, the share with a probability above a threshold, (K,)."""
    modal, largest = assignment(posterior), posterior.max(axis=1)
    return np.array(
        [np.mean(largest[modal == g] > threshold) if np.any(modal == g) else np.nan for g in range(posterior.shape[1])]
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
