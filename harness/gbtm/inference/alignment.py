"""Which class of one fit is which of another: labels have no meaning of their own, subjects have."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from harness.arrays import Codes, Matrix


def matching_classes(reference: Matrix, other: Matrix, counts: Codes) -> Codes:
    """Return the class of another fit that each class of a reference is, (K,), by maximum overlap of posteriors.

    Parameters
    ----------
    reference, other
        Class probabilities (K, N) of the same subjects.
    counts
        How often each subject counts, (N,).
    """
    overlap = (reference * counts) @ other.T
    return np.asarray(linear_sum_assignment(overlap, maximize=True)[1], dtype=np.int64)


def agreement(reference: Matrix, other: Matrix, counts: Codes) -> float:
    """Return the share of subjects whose modal class is the same in both, (K, N) each."""
    same = reference.argmax(axis=0) == other.argmax(axis=0)
    return float(same @ counts / counts.sum())
