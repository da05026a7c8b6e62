"""Conditional modes of the random effects of every grouping factor (Bates et al. 2015, section 4)."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Tensor, read_only
from harness.lmm.crossed.elimination import Eliminated, eliminate
from harness.lmm.crossed.evaluation import working_modes
from harness.lmm.crossed.layout import Layout, factors_at
from harness.lmm.crossed.newton import Place
from harness.lmm.crossed.sparse import times
from harness.lmm.crossed.statistics import Part
from harness.lmm.design import LmmDesign


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConditionalModes:
    """One random term's modes (m, q) in the order of `labels`, with their variances (m, q, q), in the user's units."""

    grouping: str
    names: tuple[str, ...]
    labels: tuple[str, ...]
    modes: Matrix
    cov: Tensor


def conditional_modes(at: Place, design: LmmDesign) -> tuple[ConditionalModes, ...]:
    """Return the modes of each random term and their variances given beta, theta and sigma.

    R: ``ranef(m, condVar = TRUE)``, ``attr(., "postVar")``.
    """
    factors = factor_modes(at)
    layout = at.cross.layout
    found = []
    for k, term in enumerate(design.random):
        blocks = [block for block in layout.blocks if block.term == k]
        columns = np.concatenate([np.arange(block.start, block.start + block.size) for block in blocks])
        modes, cov = factors[blocks[0].factor]
        found.append(
            ConditionalModes(
                grouping=term.grouping,
                names=term.names,
                labels=term.labels,
                modes=read_only(modes[:, columns]),
                cov=read_only(cov[:, columns[:, None], columns]),
            )
        )
    return tuple(found)


def factor_modes(at: Place) -> list[tuple[Matrix, Tensor]]:
    """Return each factor's modes (m, q) and variances (m, q, q) in the user's units, all terms of a factor together."""
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
