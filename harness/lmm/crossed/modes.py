"""Conditional modes of the random effects of every grouping factor (Bates et al. 2015, section 4)."""

import numpy as np

from harness.arrays import Matrix, Tensor
from harness.lmm.crossed.elimination import Eliminated, eliminate
from harness.lmm.crossed.evaluation import working_modes
from harness.lmm.crossed.layout import Layout, factors_at
from harness.lmm.crossed.newton import Place
from harness.lmm.crossed.sparse import times
from harness.lmm.crossed.statistics import Part


def factor_modes(at: Place) -> list[tuple[Matrix, Tensor]]:
    """Return each factor's modes (m, q) and their variances (m, q, q) given beta, theta and sigma, in the user's units.

    Terms of one factor stand side by side. R: ``ranef(m, condVar = TRUE)``, ``attr(., "postVar")``.
    """
    layout, variance = at.cross.layout, at.here.sigma**2
    Lambdas = factors_at(at.theta, at.where, layout)
    units = factor_units(layout)
    covariances = [np.empty((factor.n_levels, factor.n_random, factor.n_random)) for factor in layout.factors]
    for part in at.cross.parts:
        reduced = eliminate(Lambdas, part)
        own = [_eliminated_variance(Lambdas[0], reduced, part), *_other_variances(reduced, part)]
        for cov, levels, C in zip(covariances, part.levels, own, strict=True):
            cov[levels] = variance * C
    modes = working_modes(Lambdas, at.here.beta, at.cross)
    return [(b @ T.T, T @ cov @ T.T) for b, cov, T in zip(modes, covariances, units, strict=True)]


def factor_units(layout: Layout) -> tuple[Matrix, ...]:
    """Return for each factor the matrix (q, q) that turns working random effects into the user's."""
    found = [np.zeros((factor.n_random, factor.n_random)) for factor in layout.factors]
    for block in layout.blocks:
        found[block.factor][block.columns, block.columns] = block.units
    return tuple(found)


def _eliminated_variance(Lambda: Matrix, reduced: Eliminated, part: Part) -> Tensor:
    """Return Gamma - Gamma P Gamma (L, q, q) of the eliminated factor as a sum of squares: nothing cancels.

    The first is its variance if the other effects were known, the second what their uncertainty adds.
    """
    RL = part.R @ Lambda
    own = Lambda @ np.linalg.inv(np.eye(len(Lambda)) + RL.transpose(0, 2, 1) @ RL) @ Lambda.T
    halves = np.stack([times(rows, reduced.G.T) for rows in reduced.E_12], axis=1)
    through = (Lambda @ Lambda.T) @ halves
    return np.asarray(own + through @ through.transpose(0, 2, 1))


def _other_variances(reduced: Eliminated, part: Part) -> list[Tensor]:
    """Return Gamma - Gamma P Gamma (L_f, q, q) of each other factor, the diagonal blocks of G'G."""
    halves = [reduced.G[:, own] for own in part.columns]  # (k, q, L_f)
    return [np.einsum("iam,ibm->mab", half, half, optimize=True) for half in halves]
