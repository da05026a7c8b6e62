"""Starts in which a few subjects who are alike leave their classes and become one of their own.

The best model with one class more often differs from the best one by a small class that no split of a class and no
random partition comes near. Every subject with its nearest neighbours is tried for it; a few EM steps tell which of
them are worth a search.
"""

from collections.abc import Iterator

import numpy as np

from harness.arrays import Codes, Mask, Matrix, Tensor
from harness.gbtm.densities.moments import GaussianMoments
from harness.gbtm.design import GbtmDesign
from harness.gbtm.em import run_em
from harness.gbtm.mixture import Mixture, e_step

SHARES = (0.02, 0.08, 0.2)
"""Of the subjects that the new class begins with."""

_MOST_CENTRES, _FEWER_CENTRES = 210, 40
_MANY_SUBJECTS = 5000  # of these, and of families without sums by subject, fewer are tried
_SCREENING_STEPS, _RUGGED_STEPS = 5, 10
_KEPT, _RUGGED_KEPT, _KEPT_OF_MANY = 20, 60, 5
_BATCH = 400_000  # start x class x row cells at a time: larger arrays leave the cache
_SMALL_SIGMA = 0.1  # of the largest one


def newcomer_starts(posterior: Matrix, slot_of_class: Codes, design: GbtmDesign, stream: np.random.Generator) -> Tensor:
    """Return the most promising starts with a new class, (at most 20, or 60 with class sigmas, K, N).

    Parameters
    ----------
    posterior
        Of the model with one class less, (K - 1, N).
    slot_of_class
        Which class of the design each of these is.
    design
        Of the model with K classes.
    stream
        Picks the subjects to try where there are too many to try all.
    """
    mixture = design.mixture
    steps, kept = (_RUGGED_STEPS, _RUGGED_KEPT) if is_rugged(mixture) else (_SCREENING_STEPS, _KEPT)
    if design.n_subjects > _MANY_SUBJECTS:
        kept = _KEPT_OF_MANY
    centres = _centres(design, stream)
    tried = []
    for size in _sizes(design.n_subjects):
        for batch in batched(len(centres), mixture):
            starts = _with_newcomer(posterior, slot_of_class, design, centres[batch], size)
            tried.append(run_em(starts, mixture, steps))
    vectors = np.concatenate(tried)
    reached = np.concatenate([e_step(vectors[batch], mixture)[1] for batch in batched(len(vectors), mixture)])
    reached[has_small_sigma(vectors, mixture)] = -np.inf
    best = np.argsort(-reached, kind="stable")[:kept]
    return e_step(vectors[best], mixture)[0]


def batched(count: int, mixture: Mixture) -> Iterator[slice]:
    """Yield slices of so many starts as are best carried together."""
    cells = mixture.n_classes * max(len(density.response.y) for density in mixture.densities)
    size = max(1, _BATCH // cells)
    return (slice(first, first + size) for first in range(0, count, size))


def is_rugged(mixture: Mixture) -> bool:
    """Whether sigma goes by class: then the likelihood has a peak wherever a few courses are alike."""
    parameters = (parameter for density in mixture.densities for parameter in density.parameters)
    return any(parameter.role == "sigma" and parameter.latent_class > 0 for parameter in parameters)


def has_small_sigma(vectors: Matrix, mixture: Mixture) -> Mask:
    """Return which free vectors (S, P) have a class whose sigma is on its way onto a few rows, (S,)."""
    small = np.zeros(len(vectors), dtype=np.bool_)
    for density, part in zip(mixture.densities, mixture.parts, strict=True):
        places = [k for k, p in enumerate(density.parameters) if p.role == "sigma" and p.latent_class > 0]
        if places:
            logarithms = vectors[:, part][:, places]
            small |= logarithms.min(axis=1) < logarithms.max(axis=1) + np.log(_SMALL_SIGMA)
    return small


def _centres(design: GbtmDesign, stream: np.random.Generator) -> Codes:
    by_sums = all(isinstance(density, GaussianMoments) for density in design.mixture.densities)
    most = _MOST_CENTRES if by_sums and design.n_subjects <= _MANY_SUBJECTS else _FEWER_CENTRES
    if design.n_subjects <= most:
        return np.arange(design.n_subjects)
    return np.sort(stream.choice(design.n_subjects, most, replace=False))


def _sizes(n_subjects: int) -> list[int]:
    return sorted({min(max(2, round(share * n_subjects)), n_subjects - 1) for share in SHARES})


def _with_newcomer(posterior: Matrix, slot_of_class: Codes, design: GbtmDesign, centres: Codes, size: int) -> Tensor:
    """Return starts (C, K, N) in which the `size` subjects nearest to a centre are the class that was missing."""
    points = design.curves / np.maximum(design.curves.std(axis=0), 1e-12)
    distances = np.sum((points[centres, None] - points) ** 2, axis=2)
    leave = np.argpartition(distances, size - 1, axis=1)[:, :size]
    starts = np.zeros((len(centres), design.n_classes, design.n_subjects))
    starts[:, slot_of_class] = posterior
    spare = int(np.setdiff1d(np.arange(design.n_classes), slot_of_class)[0])
    each = np.arange(len(centres))[:, None]
    starts[each, :, leave] = np.arange(design.n_classes) == spare
    return starts
