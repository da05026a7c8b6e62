"""The distinct ends of a search: merged after relabelling, counted, and flagged where they are no K-class solution."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Codes, Vector
from harness.convergence import Convergence, Stop
from harness.gbtm.design import GbtmDesign
from harness.gbtm.em import SMALLEST_SIGMA
from harness.gbtm.newton import Ascent
from harness.gbtm.parameters import Layout, layout_of, pack, to_point, unpack
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
    point, orders
        In the user's units; `orders[g]` is the order that class g got.
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
    """

    log_likelihood: float
    point: Point
    working: Point
    orders: tuple[int, ...]
    class_shares: tuple[float, ...]
    count: int
    first_start: int
    first_kind: str
    convergence: Convergence
    empty: tuple[int, ...] = ()
    duplicated: tuple[int, ...] = ()
    collapsed: tuple[int, ...] = ()

    @property
    def is_proper(self) -> bool:
        """Whether this is an interior maximum with as many different classes as were asked for."""
        return self.convergence.stop == Stop.OPTIMUM and not (self.empty or self.duplicated or self.collapsed)

    @property
    def n_distinct_classes(self) -> int:
        """Classes that are neither empty nor a copy."""
        return len(self.class_shares) - len(set(self.empty) | set(self.duplicated))


def canonical(vector: Vector, layout: Layout) -> tuple[Vector, Layout]:
    """Return the same mixture with its classes from the lowest to the highest mean fitted value over all rows.

    The basis is orthogonal over the rows, so that mean is the first coefficient; ties go on to the next ones.
    """
    parameters = unpack(vector[None], layout)
    classes = np.lexsort(parameters.beta[0].T[::-1])
    relabelled = replace(layout, orders=tuple(layout.orders[g] for g in classes))
    return pack(parameters.relabelled(classes), relabelled)[0], relabelled


def distinct_optima(ends: Ascent, kinds: Sequence[str], design: GbtmDesign) -> tuple[tuple[Optimum, ...], Codes]:
    """Return the distinct ends, highest log-likelihood first, and for each start the number of its own (-1: none).

    Two ends are one if their log-likelihoods and, after relabelling, all parameters agree; on a ridge, where equal or
    empty classes leave parameters undetermined, if their log-likelihoods and flags do. A start that ran out of
    iterations belongs to none, unless no start did better than that.
    """
    layout = layout_of(design)
    reached = ends.log_likelihood - design.n_observations * np.log(design.scale)
    usable = [s for s, stop in enumerate(ends.stop) if stop != Stop.ITERATION_LIMIT]
    usable = usable or list(range(len(ends.stop)))
    found: list[tuple[Optimum, Vector]] = []
    belongs = np.full(len(ends.stop), -1, dtype=np.int64)
    for s in sorted(usable, key=lambda s: (-round(reached[s], 6), s)):
        vector, relabelled = canonical(ends.vectors[s], layout)
        for k in range(len(found) - 1, -1, -1):
            other, other_vector = found[k]
            if other.log_likelihood - reached[s] > 10 * SAME_LOG_LIKELIHOOD:
                continue
            if _same(other, other_vector, vector, relabelled, ends.stop[s]):
                belongs[s] = k
                break
        else:
            belongs[s] = len(found)
            found.append(
                (
                    _optimum(
                        vector,
                        relabelled,
                        _End(
                            start=s, kind=kinds[s], log_likelihood=float(reached[s]), convergence=_convergence(ends, s)
                        ),
                        design,
                    ),
                    vector,
                )
            )
    counts = np.bincount(belongs[belongs >= 0], minlength=len(found))
    return tuple(replace(o, count=int(counts[k])) for k, (o, _) in enumerate(found)), belongs


def _same(other: Optimum, other_vector: Vector, vector: Vector, layout: Layout, stop: Stop) -> bool:
    if stop != other.convergence.stop or other.orders != layout.orders:
        return False
    if stop == Stop.FLAT:
        return True
    return bool(np.max(np.abs(other_vector - vector)) < SAME_PARAMETERS)


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


def _optimum(vector: Vector, layout: Layout, end: _End, design: GbtmDesign) -> Optimum:
    point = to_point(vector, design, layout)
    empty, duplicated, collapsed = class_flags(vector, design, layout)
    return Optimum(
        log_likelihood=end.log_likelihood,
        point=point,
        working=tuple(vector.tolist()),
        orders=layout.orders,
        class_shares=tuple(np.exp(unpack(vector[None], layout).log_shares[0]).tolist()),
        count=1,
        first_start=end.start,
        first_kind=end.kind,
        convergence=end.convergence,
        empty=empty,
        duplicated=duplicated,
        collapsed=collapsed,
    )


def class_flags(
    vector: Vector, design: GbtmDesign, layout: Layout
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Return which classes (from 1) are empty, which equal an earlier one, and which have collapsed."""
    parameters = unpack(vector[None], layout)
    shares, sigma = np.exp(parameters.log_shares[0]), np.exp(parameters.log_sigma[0])
    curves = design.basis @ parameters.beta[0].T
    subjects = shares * design.n_subjects
    empty = tuple(int(g) + 1 for g in np.flatnonzero(subjects < _ONE_SUBJECT))
    duplicated = tuple(
        g + 1
        for g in range(len(shares))
        if any(
            np.max(np.abs(curves[:, g] - curves[:, h])) < SAME_CLASS * min(sigma[g], sigma[h])
            and abs(np.log(sigma[g] / sigma[h])) < SAME_CLASS
            for h in range(g)
        )
    )
    typical = float(np.sqrt(shares @ sigma**2))
    spike = (sigma < _SMALL_SIGMA * typical) & (subjects < _FEW_SUBJECTS)
    collapsed = tuple(int(g) + 1 for g in np.flatnonzero(spike | (sigma <= SMALLEST_SIGMA * (1 + 1e-5))))
    return empty, duplicated, collapsed
