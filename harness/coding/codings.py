"""Codings of factors (Chambers & Hastie 1992, section 2.3): a table with a row a level and a column a contrast."""

import numpy as np

from harness.arrays import Matrix
from harness.coding.bases import train_polynomial
from harness.formula import Coding


def contrasts(coding: Coding, n_levels: int) -> Matrix:
    """Return the table (L, L - 1) of a coding; R: ``contr.treatment(L)``, and so on.

    treatment: each level but the first against the first. sum: each level but the last against the mean of all.
    helmert: each level but the first against those before it. poly: orthonormal polynomials of equally spaced levels.
    """
    L = n_levels
    if coding == "treatment":
        return np.eye(L)[:, 1:]
    if coding == "sum":
        return np.vstack([np.eye(L - 1), -np.ones(L - 1)])
    if coding == "helmert":
        return np.vstack([np.zeros(L - 1), np.diag(np.arange(1.0, L))]) - np.triu(np.ones((L, L - 1)))
    levels = np.arange(1.0, L + 1)
    return train_polynomial(levels, L - 1).columns(levels)


def contrast_labels(coding: Coding, levels: tuple[str, ...]) -> tuple[str, ...]:
    """Return what each contrast is about: the level it sets apart, or the degree of its polynomial."""
    if coding == "poly":
        return tuple(map(str, range(1, len(levels))))
    return levels[:-1] if coding == "sum" else levels[1:]
