"""The distinct ends of a search: merged after relabelling, counted, and flagged where they are no K-class solution."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Codes, Mask, Matrix, Vector
from harness.convergence import Convergence, Stop
from harness.gbtm.densities.random_effects import RandomEffectsDensity
from harness.gbtm.design import ClassKind, GbtmDesign
from harness.gbtm.mixture import Mixture, derivatives
from harness.gbtm.model import ClassDensity
from harness.gbtm.newton import NO_INFORMATION, Ascent
from harness.gbtm.several.tied import untied
from harness.quantities import Point

SAME_LOG_LIKELIHOOD = 1e-6
SAME_PARAMETERS = 1e-4  # working units: residual standard deviations, log-odds, log sigma
SAME_CLASS = 1e-3  # standard deviations between two curves, and relative difference of sigmas
NEAR_TIE = 2.0

_FEW_SUBJECTS = 5  # a class of fewer whose sigma is below a tenth of the others' is a spike, not a class
_SMALL_SIGMA = 0.1
_ONE_SUBJECT = 0.99  # one subject's own class has not quite the probability 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """One distinct end of a search, classes from the lowest to the highest mean curve.

    Attributes
    ----------
    log_likelihood
        With all constants; as `density.log_likelihood` at `point`, but for the rounding of raw powers.
    point, class_kinds
        In the user's units; `class_kinds[g]` is the kind (order, ...) that class g got.
    working
        The same free vector in working units. Coefficients of powers of a year or a date have lost digits in rounding
        that the curves need; these have not.
    class_shares
        Of the K classes.
    count
        How many starts ended here.
    first_start, first_kind
        Number and kind of the first of them.
    convergence
        Why it counts as an end, with the gradient in standard-error units.
    empty, duplicated, collapsed
        Classes (from 1) that hold less than one subject; that equal an earlier class; whose sigma fell onto few rows,
        where the likelihood has no upper bound.
    boundary
        Numbers (from 0) of parameters of `point` that have no maximum: the likelihood rises, by less and less, as they
        go to infinity, or a variance is zero.
    """

    log_likelihood: float
    point: Point
    working: Point
    class_kinds: tuple[ClassKind, ...]
    class_shares: tuple[float, ...]
    count: int
    first_start: int
    first_kind: str
    convergence: Convergence
    empty: tuple[int, ...] = ()
    duplicated: tuple[int, ...] = ()
    collapsed: tuple[int, ...] = ()
    boundary: tuple[int, ...] = ()

    @property
    def orders(self) -> tuple[int, ...]:
        """The order of time of each class."""
        return tuple(kind[0] for kind in self.class_kinds)

    @property
    def is_proper(self) -> bool:
        """Whether this is a maximum with as many different classes as were asked for, and a bounded likelihood."""
        return self.convergence.converged and not (self.empty or self.duplicated or self.collapsed)

    @property
    def n_distinct_classes(self) -> int:
        """Classes that are neither empty nor a copy."""
        return len(self.class_shares) - len(set(self.empty) | set(self.duplicated))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """A free vector whose classes are in canonical order, with the mixture and kinds of classes that belong to it."""

    vector: Vector
    mixture: Mixture
    class_kinds: tuple[ClassKind, ...]


def canonical(vectors: Matrix, design: GbtmDesign) -> list[Labelled]:
    """Return the same mixtures (S, P) with their classes from the lowest to the highest mean fitted value over rows.

    The basis is orthogonal over the rows, so that mean is the first coefficient; ties go on to the next ones.
    """
    mixture = design.mixture
    # Starts that followed another one have its very vector.
    first = {vector.tobytes(): s for s, vector in reversed(list(enumerate(vectors)))}
    distinct = sorted(first.values())
    beta = mixture.densities[0].response.coefficients(vectors[distinct][:, mixture.parts[0]])
    orders = {s: tuple(np.lexsort(own.T[::-1]).tolist()) for s, own in zip(distinct, beta, strict=True)}
    found: dict[int, Labelled] = {}
    for order in set(orders.values()):
        classes = np.array(order)
        members = [s for s, own in orders.items() if own == order]
        permuted, kinds = mixture.permuted(classes), tuple(design.class_kinds[g] for g in order)
        for s, vector in zip(members, mixture.relabelled(vectors[members], classes), strict=True):
            found[s] = Labelled(vector=vector, mixture=permuted, class_kinds=kinds)
    return [found[first[vector.tobytes()]] for vector in vectors]


Flags = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Classes (from 1) that are empty, that equal an earlier one, that have collapsed."""

FlagsOf = Callable[[Vector, Vector, Mixture], Flags]
"""From a free vector, its class shares and its mixture to the flags of its classes."""


def distinct_optima(ends: Ascent, kinds: Sequence[str], design: GbtmDesign) -> tuple[tuple[Optimum, ...], Codes]:
    """Return the distinct ends, highest log-likelihood first, and for each start the number of its own (-1: none).

    Two ends are one if their log-likelihoods and, after relabelling, all parameters agree; on a ridge, where equal or
    empty classes leave parameters undetermined, if their log-likelihoods and flags do. A start that ran out of
    iterations belongs to none, unless no start did better than that.
    """
    return merged_ends(ends, kinds, canonical(ends.vectors, design), class_flags)


def merged_ends(
    ends: Ascent, kinds: Sequence[str], labelled: Sequence[Labelled], flags_of: FlagsOf
) -> tuple[tuple[Optimum, ...], Codes]:
    """Return `distinct_optima` of ends whose classes are in canonical order already, flagged by a rule for classes."""
    reached = ends.log_likelihood
    usable = [s for s, stop in enumerate(ends.stop) if stop != Stop.ITERATION_LIMIT]
    usable = usable or list(range(len(ends.stop)))
    found: list[tuple[Optimum, Vector, Stop]] = []
    belongs = np.full(len(ends.stop), -1, dtype=np.int64)
    seen: dict[int, int] = {}
    for s in sorted(usable, key=lambda s: (-round(float(reached[s]), 6), s)):
        own = labelled[s]
        if id(own) in seen:  # it followed another start
            belongs[s] = seen[id(own)]
            continue
        for k in range(len(found) - 1, -1, -1):
            other, vector, stop = found[k]
            if other.log_likelihood - reached[s] > 10 * SAME_LOG_LIKELIHOOD:
                continue
            same_kind = stop == ends.stop[s] and other.class_kinds == own.class_kinds
            if same_kind and (stop == Stop.FLAT or np.max(np.abs(vector - own.vector)) < SAME_PARAMETERS):
                belongs[s] = k
                break
        else:
            belongs[s] = len(found)
            end = _End(start=s, kind=kinds[s], log_likelihood=float(reached[s]), convergence=_convergence(ends, s))
            found.append((_optimum(own, end, flags_of), own.vector, ends.stop[s]))
        seen[id(own)] = int(belongs[s])
    counts = np.bincount(belongs[belongs >= 0], minlength=len(found))
    return tuple(replace(o, count=int(counts[k])) for k, (o, _, _) in enumerate(found)), belongs


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    start: int
    kind: str
    log_likelihood: float
    convergence: Convergence


def _convergence(ends: Ascent, s: int) -> Convergence:
    return Convergence(
        stop=ends.stop[s],
        iterations=int(ends.iterations[s]),
        gradient=float(ends.gradient[s]) if np.isfinite(ends.gradient[s]) else None,
        distance=float(ends.distance[s]),
        smallest_eigenvalue=float(ends.smallest_eigenvalue[s]),
    )


def _optimum(own: Labelled, end: _End, flags_of: FlagsOf) -> Optimum:
    mixture, vector = own.mixture, own.vector
    shares = mixture.membership.shares(vector[None, : mixture.membership.n_free], mixture.weights)[0]
    flags = flags_of(vector, shares, mixture)
    stop, boundary = end.convergence.stop, held(vector, mixture)
    if stop == Stop.FLAT and not any(flags):
        boundary = (*boundary, *boundary_parameters(vector, mixture))
        boundary = boundary or _moved_by(flattest(vector, mixture), vector, mixture)
        stop = Stop.BOUNDARY if boundary else stop
    if stop in {Stop.FLAT, Stop.OPTIMUM, Stop.BOUNDARY} and _is_singular(vector, mixture):
        stop = Stop.SINGULAR
    empty, duplicated, collapsed = flags
    return Optimum(
        log_likelihood=end.log_likelihood,
        point=tuple(mixture.to_user(vector).tolist()),
        working=tuple(vector.tolist()),
        class_kinds=own.class_kinds,
        class_shares=tuple(shares.tolist()),
        count=1,
        first_start=end.start,
        first_kind=end.kind,
        convergence=replace(end.convergence, stop=stop),
        empty=empty,
        duplicated=duplicated,
        collapsed=collapsed,
        boundary=boundary,
    )


_NO_CURVATURE = 100 * NO_INFORMATION
_LOADING = 0.05  # of a unit direction; a parameter with less is determined by others


def held(vector: Vector, mixture: Mixture) -> tuple[int, ...]:
    """Return the parameters (from 0) that stand at their lower bound; bounded ones have one place in every unit."""
    return tuple(np.flatnonzero(vector <= mixture.lower + 1e-9).tolist())


def _is_singular(vector: Vector, mixture: Mixture) -> bool:
    """Return whether some combination of random effects has no variance."""
    return any(
        isinstance(density, RandomEffectsDensity) and len(density.singular(vector[part])) > 0
        for density, part in zip(map(untied, mixture.densities), mixture.parts, strict=True)
    )


def boundary_parameters(vector: Vector, mixture: Mixture) -> tuple[int, ...]:
    """Return the user's parameters (from 0) that the data leave without a bound at a free vector."""
    return _moved_by(undetermined(vector, mixture), vector, mixture)


def _moved_by(directions: Matrix, vector: Vector, mixture: Mixture) -> tuple[int, ...]:
    if not directions.size:
        return ()
    jacobian = mixture.user_jacobian(vector)
    size = np.abs(jacobian @ directions) / np.maximum(np.sqrt(np.sum(jacobian**2, axis=1)), 1e-300)[:, None]
    return tuple(np.flatnonzero(size.max(axis=1) > _LOADING).tolist())


def undetermined(vector: Vector, mixture: Mixture) -> Matrix:
    """Return unit directions (P, d) along which the information is less than a millionth of one observation's."""
    information = derivatives(vector[None], mixture).information[0]
    eigenvalues, Q = np.linalg.eigh(information)
    return np.asarray(Q[:, np.abs(eigenvalues) < _NO_CURVATURE])


def flattest(vector: Vector, mixture: Mixture) -> Matrix:
    """Return the unit direction (P, 1) with the least information, relative to that of each parameter alone."""
    information = derivatives(vector[None], mixture).information[0]
    scale = np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-300))
    eigenvalues, Q = np.linalg.eigh(information / np.outer(scale, scale))
    along = Q[:, np.abs(eigenvalues).argmin()] / scale
    return np.asarray((along / np.linalg.norm(along))[:, None])


def class_flags(vector: Vector, shares: Vector, mixture: Mixture) -> Flags:
    """Return which classes (from 1) are empty, which equal an earlier one, and which have collapsed."""
    subjects = shares * len(mixture.weights)
    empty = tuple(int(g) + 1 for g in np.flatnonzero(subjects < _ONE_SUBJECT))
    K = mixture.n_classes
    equal = np.ones((K, K), dtype=np.bool_)
    collapsed: set[int] = set()
    for density, part in zip(mixture.densities, mixture.parts, strict=True):
        own = vector[part]
        sigma, at_floor = _sigmas(density, own)
        for g in range(K):
            for h in range(g):
                equal[g, h] &= _equal(density, own, (g, h), min(sigma[g], sigma[h]))
        typical = float(np.sqrt(shares @ sigma**2))
        spike = (sigma < _SMALL_SIGMA * typical) & (subjects < _FEW_SUBJECTS)
        collapsed |= set((np.flatnonzero(spike | at_floor) + 1).tolist())
    duplicated = tuple(g + 1 for g in range(K) if equal[g, :g].any())
    return empty, duplicated, tuple(sorted(collapsed))


def _sigmas(density: ClassDensity, own: Vector) -> tuple[Vector, Mask]:
    """Return the working sigma of each class (K,), 1 in a family without one, and whether it is at its floor.

    With a sigma a visit, that of the last visit stands for a class; any of them may be at its floor. A precision phi,
    of which the own vector holds -log phi, stands for a sigma of phi^(-1/2).
    """
    K = len(density.places)
    sigmas, at_floor = np.ones(K), np.zeros(K, dtype=np.bool_)
    bounded = any(parameter.role == "process" for parameter in density.parameters)  # which is noise enough
    for place, parameter in enumerate(density.parameters):
        if parameter.role in {"sigma", "precision"}:
            of = slice(None) if parameter.latent_class == 0 else parameter.latent_class - 1
            sigmas[of] = np.exp(own[place] if parameter.role == "sigma" else own[place] / 2)
            at_floor[of] |= own[place] <= density.lower[place] + 1e-5 and not bounded
    return sigmas, at_floor


def _equal(density: ClassDensity, own: Vector, classes: tuple[int, int], unit: float) -> bool:
    g, h = classes
    response = density.response
    beta = response.coefficients(own[None])[0]
    if np.max(np.abs(response.X @ (beta[g] - beta[h]))) >= SAME_CLASS * unit:
        return False
    one, other = (_beside_coefficients(density, own, k + 1) for k in (g, h))
    # The last class has no scale of its own: it is 1.
    return all(abs(one.get(key, 0.0) - other.get(key, 0.0)) < SAME_CLASS for key in one.keys() | other.keys())


def _beside_coefficients(density: ClassDensity, own: Vector, latent_class: int) -> dict[tuple[str, int], float]:
    """Return the working parameters of a class beside its coefficients, by role and number within the class."""
    found: dict[tuple[str, int], float] = {}
    for place, parameter in enumerate(density.parameters):
        if place >= density.response.n_coefficients and parameter.latent_class == latent_class:
            count = sum(role == parameter.role for role, _ in found)
            found[parameter.role, count] = float(own[place])
    return found
