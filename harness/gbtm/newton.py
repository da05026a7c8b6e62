"""Newton's method with the observed information, many starts at once, until the gradient is rounding.

Steps are taken in the eigenvectors of the information scaled to a unit diagonal, with the absolute value of each
eigenvalue, so that they lead uphill also where the information is not positive definite; at a saddle, along the
direction of negative curvature. Far from an optimum a step must raise the log-likelihood; nearer than the
log-likelihood can resolve, the full step is taken.

A likelihood may have its supremum at infinity, as that of a class in which nobody ever responds. There the information
itself vanishes, in units of one observation, and the climb ends as at a flat direction.
"""

from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Codes, Mask, Matrix, Tensor, Vector
from harness.convergence import Stop
from harness.gbtm.followers import NEAR, Followers
from harness.gbtm.mixture import Derivatives, Mixture, derivatives, posteriors

GRADIENT_TOLERANCE = 1e-9
"""In standard-error units; an end with a smaller one is an optimum to rounding."""

_FLAT = 1e-7  # an eigenvalue of the unit-diagonal information below this is no curvature
NO_INFORMATION = 1e-8
"""Of one observation: a direction with less than this has no maximum within reach."""

_LARGEST_STEP = 1.0  # in log-odds, residual standard deviations, log sigma
_LEVEL = 1e-4  # standard errors; what is left to climb on a ridge
_UNRESOLVED = 1e-5  # standard errors; the log-likelihood changes by half the square of it
_ROUNDING = 64 * float(np.finfo(np.float64).eps)  # of a log-likelihood, relative
_HALVINGS = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Steepness:
    """S starts: how far each is from an optimum, and the Newton step there."""

    gradient: Vector  # (S,) largest |g_j| se_j; inf where the information is not positive definite
    distance: Vector  # (S,) sqrt(g' |I|^-1 g)
    smallest_eigenvalue: Vector  # (S,) of the unit-diagonal information
    least_information: Vector  # (S,) smallest eigenvalue of the information itself near an end: 1 is one observation
    step: Matrix  # (S, P)
    saddle_step: Matrix  # (S, P) along the direction of least curvature


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ascent:
    """S starts: where each ended, and why there."""

    vectors: Matrix
    log_likelihood: Vector
    gradient: Vector
    distance: Vector
    smallest_eigenvalue: Vector
    iterations: Codes
    stop: tuple[Stop, ...]

    def take(self, starts: Codes) -> "Ascent":
        """Return the ends of some starts."""
        return Ascent(
            vectors=self.vectors[starts],
            log_likelihood=self.log_likelihood[starts],
            gradient=self.gradient[starts],
            distance=self.distance[starts],
            smallest_eigenvalue=self.smallest_eigenvalue[starts],
            iterations=self.iterations[starts],
            stop=tuple(self.stop[s] for s in starts),
        )


def steepness(found: Derivatives) -> Steepness:
    """Return the gradient in standard-error units and the step that each start would take next."""
    diagonal = np.abs(np.diagonal(found.information, axis1=1, axis2=2))
    scale = np.sqrt(np.maximum(diagonal, 1e-12))
    eigenvalues, Q = np.linalg.eigh(found.information / (scale[:, :, None] * scale[:, None, :]))
    along = ((found.score / scale)[:, None] @ Q)[:, 0]
    size = np.maximum(np.abs(eigenvalues), _FLAT)
    variances = (Q**2 @ (1 / size)[:, :, None])[..., 0] / scale**2
    definite = eigenvalues[:, 0] > _FLAT
    gradient = np.max(np.abs(found.score) * np.sqrt(variances), axis=1)
    distance = np.sqrt(np.sum(along**2 / size, axis=1))
    least = np.full(len(distance), np.inf)
    near = distance < _LEVEL
    least[near] = np.abs(np.linalg.eigvalsh(found.information[near])[:, 0])
    return Steepness(
        gradient=np.where(definite, gradient, np.inf),
        distance=distance,
        smallest_eigenvalue=eigenvalues[:, 0],
        least_information=least,
        step=(Q @ (along / size)[:, :, None])[..., 0] / scale,
        saddle_step=Q[:, :, 0] / scale,
    )


def climb(vectors: Matrix, mixture: Mixture, iterations: int = 100, *, lengthening: bool = False) -> Ascent:
    """Return the end of each start (S, P), polished to a gradient below `GRADIENT_TOLERANCE`.

    Starts that come near the same end are climbed by the first of them (see `followers`); it may have other labels.

    Parameters
    ----------
    vectors
        Free vectors in working units; the log-likelihood of an end is never below that of its start.
    mixture
        Of which they are the free vectors.
    iterations
        Newton steps allowed to each start.
    lengthening
        Whether the longest step doubles whenever one as long as that leads up: a class that jumps between neighbouring
        times has its maximum at infinity, and most of the way there is a slope without an end in sight.

    Returns
    -------
    Ascent
        Stops: `OPTIMUM`; `FLAT` (some direction has no curvature: empty or equal classes, or a maximum at infinity);
        `BOUNDARY` (a parameter fell to its lower bound and was held there, the gradient being that of all others);
        `ITERATION_LIMIT`.
    """
    S = len(vectors)
    vectors = vectors.copy()
    log_likelihood, gradient, distance, eigenvalue = (np.full(S, np.nan) for _ in range(4))
    used = np.zeros(S, dtype=np.int64)
    stop = np.full(S, Stop.ITERATION_LIMIT, dtype=object)
    active = np.arange(S)
    longest = np.full(S, _LARGEST_STEP)
    followers = Followers(S)
    known: tuple[Tensor, Matrix] | None = None
    for step in range(iterations + 1):
        found = derivatives(vectors[active], mixture, known)
        held = (vectors[active] <= mixture.lower + 1e-9) & (found.score <= 0)
        here = steepness(_without(held, found))
        log_likelihood[active], eigenvalue[active] = found.log_likelihood, here.smallest_eigenvalue
        gradient[active], distance[active] = here.gradient, here.distance
        ended = _ended(here, np.asarray(held.any(axis=1)))
        climbing = ended == Stop.ITERATION_LIMIT
        stop[active[~climbing]] = ended[~climbing]
        near = np.isfinite(here.gradient) & (here.distance < NEAR)
        climbing &= ~followers.join(active, found.by_subject, here.distance, near, mixture.weights)
        if not climbing.any() or step == iterations:
            break
        moving = active[climbing]
        moved, successful, there = _move(
            vectors[moving], found.log_likelihood[climbing], _taken(here, climbing), mixture, longest[moving]
        )
        if lengthening:
            longest[moving] = _lengthened(longest[moving], moved - vectors[moving])
        known = (there[0][successful], there[1][successful])
        vectors[moving[successful]] = moved[successful]
        used[moving] += 1
        stuck = moving[~successful]
        stop[stuck[eigenvalue[stuck] <= _FLAT]] = Stop.FLAT
        active = moving[successful]
        if not len(active):
            break
    ends = Ascent(
        vectors=vectors,
        log_likelihood=log_likelihood,
        gradient=gradient,
        distance=distance,
        smallest_eigenvalue=eigenvalue,
        iterations=used,
        stop=tuple(map(Stop, stop)),  # np.full has made plain strings of them
    )
    return ends.take(followers.leader)


def _without(held: Mask, found: Derivatives) -> Derivatives:
    """Return the derivatives with the held parameters fixed: no score, and information of their own alone."""
    either = held[:, :, None] | held[:, None, :]
    information = np.where(either, np.eye(held.shape[1]), found.information)
    return replace(found, score=np.where(held, 0.0, found.score), information=information)


def _ended(here: Steepness, collapsed: Mask) -> Tensor:
    stop = np.full(len(collapsed), Stop.ITERATION_LIMIT, dtype=object)
    top = (here.gradient < GRADIENT_TOLERANCE) & (here.distance < GRADIENT_TOLERANCE)
    stop[top] = Stop.OPTIMUM
    level = (np.abs(here.smallest_eigenvalue) <= _FLAT) | (here.least_information <= NO_INFORMATION)
    stop[level & (here.distance < _LEVEL)] = Stop.FLAT
    stop[top & collapsed] = Stop.BOUNDARY
    return stop


def _taken(here: Steepness, starts: Mask) -> Steepness:
    return Steepness(
        gradient=here.gradient[starts],
        distance=here.distance[starts],
        smallest_eigenvalue=here.smallest_eigenvalue[starts],
        least_information=here.least_information[starts],
        step=here.step[starts],
        saddle_step=here.saddle_step[starts],
    )


def _lengthened(longest: Vector, moves: Matrix) -> Vector:
    """Return the longest steps allowed next: twice as long where that length was used up, else as long as was used."""
    used = np.abs(moves).max(axis=1)
    return np.where(used > longest / 2, 2 * longest, np.maximum(used, _LARGEST_STEP))


def _move(
    vectors: Matrix, log_likelihood: Vector, here: Steepness, mixture: Mixture, longest: Vector
) -> tuple[Matrix, Mask, tuple[Tensor, Matrix]]:
    """Return the next vectors, which of them are better (or too near to tell), and the posteriors of those."""
    near = here.distance < np.maximum(_UNRESOLVED, np.sqrt(_ROUNDING * np.abs(log_likelihood)))
    saddle = near & (here.smallest_eigenvalue < -_FLAT)
    step = np.where(saddle[:, None], here.saddle_step, here.step)
    largest = np.abs(step).max(axis=1, keepdims=True)
    step = step * np.minimum(1.0, longest[:, None] / np.maximum(largest, 1e-300))
    moved = np.maximum(vectors + step, mixture.lower)
    accepted = near & ~saddle
    posterior, by_subject = posteriors(moved, mixture)
    better = by_subject @ mixture.weights > log_likelihood
    rest = np.flatnonzero(~accepted & ~better)
    accepted |= better
    for _ in range(_HALVINGS - 1):
        if not len(rest):
            break
        step[rest] /= 2
        trial = np.maximum(vectors[rest] + step[rest], mixture.lower)
        own, reached = posteriors(trial, mixture)
        better = reached @ mixture.weights > log_likelihood[rest]
        taken = rest[better]
        moved[taken], posterior[taken], by_subject[taken] = trial[better], own[better], reached[better]
        accepted[taken] = True
        rest = rest[~better]
    return moved, accepted, (posterior, by_subject)
