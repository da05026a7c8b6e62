"""One damped Newton step on sum_ig weight_ig log f_ig, for densities whose M-step has no closed form.

Classes that share no parameter are maximised apart: each has a step, and a length of step, of its own.
"""

import numpy as np

from harness.arrays import Codes, Mask, Matrix, Tensor, Vector
from harness.gbtm.model import ClassDensity

_LONGEST = 5.0  # of a step, in working units: farther than that no quadratic can be trusted
_HALVINGS = 20
_FLATTEST = 1e-8  # of the largest curvature: below it a direction is flat
_NOISE = 1e-14  # of the objective: a gain below it can't be told from rounding


def newton_m_step(density: ClassDensity, weights: Tensor, own: Matrix) -> Matrix:
    """Return parameters at which sum_ig weight_ig log f_ig is not lower, and higher unless a maximum is reached.

    The step is Newton's with the absolute eigenvalues of the curvature, so that it ascends where the objective is not
    concave, and it is halved until the objective does not fall. Parameters stay at or above `density.lower`.

    Parameters
    ----------
    density
        Whose parameters.
    weights : (S, K, N)
        Of subjects in classes.
    own : (S, n_free)
        Where to step from.
    """
    blocks = separate_blocks(density.places)
    step, gain = _steps(density, weights, own, blocks)
    before = _objective(density, weights, own, blocks)
    waits = gain > _NOISE * (1 + np.abs(before))  # (S, B): which blocks of which starts are still to move
    moved = own.copy()
    for _ in range(_HALVINGS):
        rest = np.flatnonzero(waits.any(axis=1))
        if len(rest) == 0:
            break
        trial = moved[rest]
        for b, (_, places) in enumerate(blocks):
            here = np.ix_(waits[rest, b], places)
            trial[here] = np.maximum(own[rest][here] + step[rest][here], density.lower[places])
        better = waits[rest] & (_objective(density, weights[rest], trial, blocks) >= before[rest])
        for b, (_, places) in enumerate(blocks):
            moved[np.ix_(rest[better[:, b]], places)] = trial[np.ix_(better[:, b], places)]
        waits[rest] &= ~better
        step /= 2
    return moved


def separate_blocks(places: tuple[Codes, ...]) -> list[tuple[Codes, Codes]]:
    """Return the classes and the places of each set of classes that shares parameters, directly or through others."""
    blocks: list[tuple[set[int], set[int]]] = []
    for g, own in enumerate(places):
        classes, joined = {g}, set(own.tolist())
        apart = []
        for block in blocks:
            if block[1] & joined:
                classes |= block[0]
                joined |= block[1]
            else:
                apart.append(block)
        blocks = [*apart, (classes, joined)]
    return [(np.array(sorted(classes)), np.array(sorted(joined), dtype=np.int64)) for classes, joined in blocks]


def _objective(density: ClassDensity, weights: Tensor, own: Matrix, blocks: list[tuple[Codes, Codes]]) -> Matrix:
    """Return the objective of each block, (S, B)."""
    by_class = np.einsum("skn,skn->sk", weights, density.log_density(own))
    return np.stack([by_class[:, classes].sum(axis=1) for classes, _ in blocks], axis=1)


def _steps(
    density: ClassDensity, weights: Tensor, own: Matrix, blocks: list[tuple[Codes, Codes]]
) -> tuple[Matrix, Matrix]:
    """Return the steps (S, n_free) and the gain that the slope alone promises, by block (S, B)."""
    S, P = own.shape
    score, curvature = np.zeros((S, P)), np.zeros((S, P, P))
    for g, (places, found) in enumerate(zip(density.places, density.derivatives(own, weights), strict=True)):
        score[:, places] += np.einsum("spn,sn->sp", found.scores, weights[:, g])
        curvature[:, places[:, None], places] += found.curvature
    held = (own <= density.lower) & (score < 0)
    step, gain = np.zeros((S, P)), np.zeros((S, len(blocks)))
    for b, (_, places) in enumerate(blocks):
        block = curvature[:, places[:, None], places]
        step[:, places] = ascent(score[:, places], block, held[:, places])
        gain[:, b] = np.sum(step[:, places] * score[:, places], axis=1)
    return step, gain


def ascent(score: Matrix, curvature: Tensor, held: Mask) -> Matrix:
    """Return |curvature|^-1 score (S, p), of bounded length, with the parameters that are held at their bound at 0."""
    free = ~held
    curvature = curvature * (free[:, :, None] & free[:, None, :])
    values, vectors = np.linalg.eigh(curvature)
    size = np.abs(values)
    largest = size.max(axis=1, keepdims=True, initial=0.0)
    size = np.maximum(size, np.where(largest > 0, _FLATTEST * largest, 1.0))
    along = (vectors.transpose(0, 2, 1) @ np.where(held, 0.0, score)[..., None]) / size[..., None]
    step: Matrix = np.where(held, 0.0, (vectors @ along)[..., 0])
    length: Vector = np.abs(step).max(axis=1, keepdims=True, initial=0.0)
    return np.asarray(step * np.minimum(1.0, _LONGEST / np.maximum(length, _LONGEST)))
