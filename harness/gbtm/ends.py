"""Where starts end: EM for a fixed number of steps, then Newton, in batches."""

from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Tensor
from harness.convergence import Stop
from harness.gbtm.densities.moments import GaussianMoments
from harness.gbtm.design import ClassKind
from harness.gbtm.em import run_em
from harness.gbtm.mixture import Mixture
from harness.gbtm.newton import Ascent, climb
from harness.gbtm.optima import NEAR_TIE

EM_STEPS = 18
_LATE_ITERATIONS = 500  # for starts that ran out of iterations near or above the best end
_CREEPING = 0.01  # standard errors
_BATCH = 400_000  # start x class x subject cells at a time, to bound memory


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """S starts: how drawn, which kind of class each rank got, and where each ended."""

    kinds: tuple[str, ...]
    assignments: tuple[tuple[ClassKind, ...], ...]
    ends: Ascent


def ends_of(posterior: Tensor, mixture: Mixture) -> Ascent:
    """Return where starts (S, K, N) end: after EM, polished by Newton."""
    size = max(1, _BATCH // (mixture.n_classes * _cells(mixture)))
    batches = (posterior[at : at + size] for at in range(0, len(posterior), size))
    ends = _stacked([climb(run_em(batch, mixture, EM_STEPS), mixture) for batch in batches])
    return finished(ends, mixture)


def finished(ends: Ascent, mixture: Mixture) -> Ascent:
    """Return the ends with those that ran out of iterations near or above the best one climbed to their own."""
    out = np.array([stop == Stop.ITERATION_LIMIT for stop in ends.stop])
    if not out.any() or not np.isfinite(ends.log_likelihood).any():
        return ends
    late = np.flatnonzero(out & (ends.log_likelihood > np.nanmax(ends.log_likelihood) - NEAR_TIE))
    if not len(late):
        return ends
    further = climb(ends.vectors[late], mixture, _LATE_ITERATIONS, lengthening=True)
    # What still creeps, this near by its own reckoning, follows a ridge to infinity or to a variance of zero.
    creeps = [s == Stop.ITERATION_LIMIT and d < _CREEPING for s, d in zip(further.stop, further.distance, strict=True)]
    further = replace(
        further, stop=tuple(Stop.FLAT if creep else s for creep, s in zip(creeps, further.stop, strict=True))
    )
    rest = np.setdiff1d(np.arange(len(ends.stop)), late)
    order = np.argsort(np.concatenate([rest, late]))
    return _stacked([ends.take(rest), further]).take(order)


def _cells(mixture: Mixture) -> int:
    """Return how many numbers a class of one start holds: one a subject where its sums suffice, else one a row."""
    by_sums = all(isinstance(density, GaussianMoments) for density in mixture.densities)
    return len(mixture.weights) if by_sums else sum(len(density.response.y) for density in mixture.densities)


def _stacked(parts: list[Ascent]) -> Ascent:
    return Ascent(
        vectors=np.concatenate([part.vectors for part in parts]),
        log_likelihood=np.concatenate([part.log_likelihood for part in parts]),
        gradient=np.concatenate([part.gradient for part in parts]),
        distance=np.concatenate([part.distance for part in parts]),
        smallest_eigenvalue=np.concatenate([part.smallest_eigenvalue for part in parts]),
        iterations=np.concatenate([part.iterations for part in parts]),
        stop=tuple(stop for part in parts for stop in part.stop),
    )


def joined(left: Found, right: Found) -> Found:
    """Return both sets of starts, one after the other."""
    return Found(
        kinds=left.kinds + right.kinds,
        assignments=left.assignments + right.assignments,
        ends=_stacked([left.ends, right.ends]),
    )
