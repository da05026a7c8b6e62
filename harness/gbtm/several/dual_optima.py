"""The ends of a search for a dual model: canonical order of both class variables, flags, and cells without subjects."""

import numpy as np

from harness.arrays import Codes, Mask, Matrix, Tensor, Vector
from harness.gbtm.mixture import Mixture, log_joint
from harness.gbtm.optima import Flags, Labelled, class_flags
from harness.gbtm.several.dual_design import DualDesign
from harness.gbtm.several.margins import margins

EMPTY_CELL = 1e-4
"""Subjects; a cell that holds fewer is at its boundary, pi_jk = 0. The search itself goes on to about 1e-8."""

_EXCESS = 1e-6  # of the mean likelihood ratio of an empty cell over 1, which is what rounding may make of it


def canonical_pairs(vectors: Matrix, design: DualDesign) -> list[Labelled]:
    """Return the same mixtures (S, P) with the classes of each outcome from the lowest to the highest mean curve."""
    return [_canonical(vector, design) for vector in vectors]


def _canonical(vector: Vector, design: DualDesign) -> Labelled:
    mixture, (_, K) = design.mixture, design.shape
    own = [vector[part] for part in mixture.parts]
    count = len(design.first.mixture.densities)
    alone = ((design.first, own[:count]), (design.second, own[count:]))
    orders = [_by_mean(model.mixture, vectors[0]) for model, vectors in alone]
    cells = (orders[0][:, None] * K + orders[1]).ravel()
    moved = [mixture.membership.relabelled(vector[None, : mixture.membership.n_free], cells)[0]]
    kinds = []
    for (model, vectors), order in zip(alone, orders, strict=True):
        for density, part in zip(model.mixture.densities, vectors, strict=True):
            moved.append(density.relabelled(part[None], order)[0])
        kinds += [model.class_kinds[g] for g in order]
    return Labelled(vector=np.concatenate(moved), mixture=design.mixture_of(tuple(kinds)), class_kinds=tuple(kinds))


def _by_mean(mixture: Mixture, own: Vector) -> Codes:
    beta = mixture.densities[0].response.coefficients(own[None])[0]
    return np.lexsort(beta.T[::-1]).astype(np.int64)


def pair_flags(vector: Vector, mixture: Mixture, design: DualDesign) -> Flags:
    """Return the flags of the J classes of the first outcome, and, counted on from J, of the K of the second.

    A cell without subjects is no flag: two classes may well exclude each other.
    """
    empty: list[int] = []
    duplicated: list[int] = []
    collapsed: list[int] = []
    offset = 0
    for margin in margins(vector, mixture, design):
        membership = margin.mixture.membership
        shares = membership.shares(margin.vector[None, : membership.n_free], mixture.weights)[0]
        found = class_flags(margin.vector, shares, margin.mixture)
        for flagged, here in zip((empty, duplicated, collapsed), found, strict=True):
            flagged += [offset + g for g in here]
        offset += len(shares)
    return tuple(empty), tuple(duplicated), tuple(collapsed)


def empty_cells(shares: Vector, n_subjects: int) -> Mask:
    """Return which cells are at their boundary; `shares` may have any shape."""
    return np.asarray(np.asarray(shares) * n_subjects < EMPTY_CELL)


def gains(vectors: Matrix, mixture: Mixture) -> Matrix:
    """Return the mean over subjects of f_ic / f_i, (S, C): how steeply the log-likelihood rises with a cell's share.

    It is 1 for every cell with subjects at an optimum, and at most 1 for an empty one whose share of 0 is a maximum.
    """
    joint = log_joint(vectors, mixture)
    largest = joint.max(axis=1, keepdims=True)
    total = np.log(np.exp(joint - largest).sum(axis=1, keepdims=True)) + largest
    log_shares = mixture.membership.log_shares(vectors[:, : mixture.membership.n_free])
    ratios: Tensor = np.exp(joint - log_shares - total)
    return np.asarray(ratios @ mixture.weights / mixture.weights.sum())


def falsely_empty(vectors: Matrix, mixture: Mixture) -> Mask:
    """Return which ends (S,) have an empty cell that the likelihood would fill."""
    shares = np.exp(mixture.membership.log_shares(vectors[:, : mixture.membership.n_free]))[:, :, 0]
    empty = empty_cells(shares, len(mixture.weights))
    found = np.zeros(len(vectors), dtype=np.bool_)
    for s in np.flatnonzero(empty.any(axis=1)):
        found[s] = np.any(gains(vectors[s : s + 1], mixture)[0, empty[s]] > 1 + _EXCESS)
    return found
