"""The search: many starts at once by EM, each polished by Newton, and an honest account of where they ended.

Starts of several kinds and of every distinct assignment of unequal orders to classes; then splits of the best model
with one class less, so that a model never falls below its submodel; then exchanges between the classes of the best end,
as long as they find a better one. Where fewer than half of the starts agree on the best end, the problem is not an easy
one: then merges of the model with one class more, exchanges from the ends next to the best, and, where it was rare,
more starts.
"""

from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from harness.arrays import Codes, Mask, Tensor, Vector
from harness.convergence import Convergence, Stop
from harness.gbtm.densities.moments import GaussianMoments
from harness.gbtm.design import ClassKind, GbtmDesign, slots
from harness.gbtm.em import run_em
from harness.gbtm.mixture import Mixture, e_step
from harness.gbtm.newton import Ascent, climb
from harness.gbtm.optima import NEAR_TIE, Optimum, distinct_optima
from harness.gbtm.point import from_point
from harness.gbtm.starts import draw_starts, exchange_starts, kind_assignments, merged_starts, split_starts
from harness.quantities import Point

HIT = 1e-3
"""A start within this of the best log-likelihood hit it."""

EXCHANGE = "exchange between classes"
"""Kind of the starts made from the best ends; that they return there is no evidence for them."""

EM_STEPS = 25
_EXCHANGES = 5
_RUNNERS_UP = 2  # ends next to the best that exchanges begin from as well
_FEWEST_TO_EXCHANGE = 3  # classes: two to merge and one to split
_EASY = 0.5  # a hit rate above which none of this is needed
_ENLARGED_STARTS = 10
_SMALLEST_HIT_RATE = 0.10
_LARGEST_EXTENSION = 4  # times the starts asked for
_STARTS_PER_ASSIGNMENT = 20
_REDUCED_STARTS = 20
_LATE_ITERATIONS = 500  # for starts that ran out of iterations near or above the best end
_BATCH = 400_000  # start x class x subject cells at a time, to bound memory


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StartTable:
    """Every start in turn: how drawn, kinds of classes from the lowest, end, number of its optimum (-1: none)."""

    kinds: tuple[str, ...]
    assignments: tuple[tuple[ClassKind, ...], ...]
    log_likelihood: Vector
    optimum: Codes

    @property
    def is_independent(self) -> Mask:
        """Which starts did not begin at the best end."""
        return np.array([kind != EXCHANGE for kind in self.kinds])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GbtmFit:
    """The best optimum that was found, and all that were.

    Attributes
    ----------
    point, class_kinds, log_likelihood, convergence
        Of the best proper optimum (of the best end with a bounded likelihood, if none is proper); classes from the
        lowest to the highest mean fitted value over the observed times of all rows; `class_kinds` follow the classes.
    optima
        All distinct ends, highest log-likelihood first; `chosen` is the number of the best one among them.
    starts
        What became of every start.
    reduced_log_likelihood
        Best end found for the model with one class (of the lowest order) less; None for one class or a given start.
    notes
        What a reader must know, one sentence each.
    """

    point: Point
    class_kinds: tuple[ClassKind, ...]
    log_likelihood: float
    convergence: Convergence
    optima: tuple[Optimum, ...]
    chosen: int
    starts: StartTable
    reduced_log_likelihood: float | None
    notes: tuple[str, ...]

    @property
    def orders(self) -> tuple[int, ...]:
        """The order of time of each class."""
        return tuple(kind[0] for kind in self.class_kinds)

    @property
    def best(self) -> Optimum:
        """The optimum that is reported."""
        return self.optima[self.chosen]

    @property
    def vector(self) -> Vector:
        """The free vector at `point` in working units, with digits that powers of a date have no room for."""
        return np.array(self.best.working)

    @property
    def n_starts(self) -> int:
        """Starts that were run, extensions included."""
        return len(self.starts.kinds)

    @property
    def hit_rate(self) -> float:
        """Share of the starts that ended within 1e-3 of the best log-likelihood, exchanges from there left out."""
        return float(np.mean(self.hits[self.starts.is_independent]))

    @property
    def hits(self) -> Mask:
        """Which starts ended within 1e-3 of the best log-likelihood, at whatever parameters."""
        return np.asarray(np.abs(self.starts.log_likelihood - self.log_likelihood) <= HIT)

    @property
    def near_ties(self) -> tuple[Optimum, ...]:
        """Other proper optima within 2 of the best log-likelihood."""
        return tuple(
            optimum
            for k, optimum in enumerate(self.optima)
            if k != self.chosen and optimum.is_proper and self.log_likelihood - optimum.log_likelihood <= NEAR_TIE
        )


def fit(design: GbtmDesign, start: Point | None = None, kinds: tuple[ClassKind, ...] | None = None) -> GbtmFit:
    """Return the best optimum of the log-likelihood that many starts find, and the account of the search.

    Parameters
    ----------
    design
        From `build_design`; its spec gives the number of starts and the seed.
    start
        Parameters to climb from, and from nowhere else, in the user's units.
    kinds
        The kind of each class at `start`, if not in the order of the spec.

    Returns
    -------
    GbtmFit
        Polished to a gradient below 1e-8 in standard-error units, unless `convergence` says otherwise.
    """
    # The products are many and thin: BLAS threads would cost several times what they save.
    with threadpool_limits(limits=1, user_api="blas"):
        return _climb_from(start, design, kinds) if start is not None else _search_all(design)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """S starts: how drawn, which kind of class each rank got, and where each ended."""

    kinds: tuple[str, ...]
    assignments: tuple[tuple[ClassKind, ...], ...]
    ends: Ascent


def _search_all(design: GbtmDesign) -> GbtmFit:
    if design.n_classes == 1:
        return account_with_notes(_search(design, 0, 1), design, None)
    reduced = _reduced(design)
    found = _search(design, 0, _n_starts(design))
    found = joined(found, _split(reduced, design))
    found, account = _exchanged(found, design, reduced.log_likelihood)
    if account.hit_rate < _EASY:
        found, account = _widened(found, account, design)
    drawn, limit = _n_starts(design), (1 + _LARGEST_EXTENSION) * _n_starts(design)
    while is_rare(account) and drawn < limit:
        found, account = _improved(found, _search(design, drawn, _n_starts(design)), account, design)
        drawn += _n_starts(design)
    return account


def _widened(found: Found, account: GbtmFit, design: GbtmDesign) -> tuple[Found, GbtmFit]:
    """Return the search with merges of the model with one class more, and exchanges from the ends next to the best."""
    if design.n_classes < design.n_subjects:
        found, account = _improved(found, _merged(design), account, design)
    if design.n_classes >= _FEWEST_TO_EXCHANGE:
        next_best = [o for o in account.optima if o.is_proper and o is not account.best][:_RUNNERS_UP]
        for optimum in next_best:
            found, account = _improved(found, _exchange(optimum, design), account, design)
    return found, account


def _improved(found: Found, more: Found, account: GbtmFit, design: GbtmDesign) -> tuple[Found, GbtmFit]:
    """Return the search with more ends, and with exchanges if the best of these is better than what was there."""
    found = joined(found, more)
    reduced = account.reduced_log_likelihood
    renewed = account_with_notes(found, design, reduced)
    if renewed.log_likelihood > account.log_likelihood + HIT:
        return _exchanged(found, design, reduced)
    return found, renewed


def _n_starts(design: GbtmDesign) -> int:
    assignments = len(kind_assignments(design.class_kinds))
    return design.spec.n_starts if assignments == 1 else max(design.spec.n_starts, _STARTS_PER_ASSIGNMENT * assignments)


def _search(design: GbtmDesign, first: int, count: int) -> Found:
    starts = draw_starts(design, first, count)
    return Found(kinds=starts.kinds, assignments=starts.assignments, ends=ends_of(starts.posterior, design.mixture))


def ends_of(posterior: Tensor, mixture: Mixture) -> Ascent:
    """Return where starts (S, K, N) end: after EM, polished by Newton."""
    size = max(1, _BATCH // (mixture.n_classes * _cells(mixture)))
    batches = (posterior[at : at + size] for at in range(0, len(posterior), size))
    ends = _stacked([climb(run_em(batch, mixture, EM_STEPS), mixture) for batch in batches])
    return _finished(ends, mixture)


def _finished(ends: Ascent, mixture: Mixture) -> Ascent:
    """Return the ends with those that ran out of iterations near or above the best one climbed to their own."""
    out = np.array([stop == Stop.ITERATION_LIMIT for stop in ends.stop])
    if not out.any() or not np.isfinite(ends.log_likelihood).any():
        return ends
    late = np.flatnonzero(out & (ends.log_likelihood > np.nanmax(ends.log_likelihood) - NEAR_TIE))
    if not len(late):
        return ends
    further = climb(ends.vectors[late], mixture, _LATE_ITERATIONS)
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


def _reduced(design: GbtmDesign) -> GbtmFit:
    """Return the model without one class of the lowest kind, from few starts."""
    smaller = design.without(min(design.class_kinds))
    smaller = replace(smaller, spec=replace(smaller.spec, n_starts=min(_REDUCED_STARTS, design.spec.n_starts)))
    return account_with_notes(_search(smaller, 0, _n_starts(smaller) if smaller.n_classes > 1 else 1), smaller, None)


def _split(reduced: GbtmFit, design: GbtmDesign) -> Found:
    smaller = design.without(min(design.class_kinds))
    posterior = e_step(reduced.vector[None], smaller.mixture_of(reduced.class_kinds))[0][0]
    split = split_starts(posterior, slots(design.class_kinds, reduced.class_kinds), design)
    ends = ends_of(split, design.mixture)
    return Found(
        kinds=("split of one class less",) * len(split), assignments=(design.class_kinds,) * len(split), ends=ends
    )


def _merged(design: GbtmDesign) -> Found:
    """Return the ends of merging each two classes of the model with one class more, which few starts find."""
    extra = min(design.class_kinds)
    larger = design.with_another(extra)
    larger = replace(larger, spec=replace(larger.spec, n_starts=min(_ENLARGED_STARTS, design.spec.n_starts)))
    best = account_with_notes(_search(larger, 0, larger.spec.n_starts), larger, None).best
    posterior = e_step(np.array(best.working)[None], larger.mixture_of(best.class_kinds))[0][0]
    merged = merged_starts(posterior, best.class_kinds, design)
    kinds, assignments = ("merge of one class more",) * len(merged), (design.class_kinds,) * len(merged)
    return Found(kinds=kinds, assignments=assignments, ends=ends_of(merged, design.mixture))


def _exchanged(found: Found, design: GbtmDesign, reduced: float | None) -> tuple[Found, GbtmFit]:
    """Return the search with exchanges between the classes of its best end, repeated while they improve it."""
    account = account_with_notes(found, design, reduced)
    for _ in range(_EXCHANGES if design.n_classes >= _FEWEST_TO_EXCHANGE else 0):
        best = account.log_likelihood
        found = joined(found, _exchange(account.best, design))
        account = account_with_notes(found, design, reduced)
        if account.log_likelihood <= best + HIT:
            break
    return found, account


def _exchange(best: Optimum, design: GbtmDesign) -> Found:
    posterior = np.empty((design.n_classes, design.n_subjects))
    classes = e_step(np.array(best.working)[None], design.mixture_of(best.class_kinds))[0][0]
    posterior[slots(design.class_kinds, best.class_kinds)] = classes
    starts = exchange_starts(posterior, design)
    return Found(
        kinds=(EXCHANGE,) * len(starts),
        assignments=(best.class_kinds,) * len(starts),
        ends=ends_of(starts, design.mixture),
    )


def _climb_from(start: Point, design: GbtmDesign, kinds: tuple[ClassKind, ...] | None) -> GbtmFit:
    own = design if kinds is None else design.with_kinds(kinds)
    ends = climb(from_point(start, own.mixture)[None], own.mixture)
    return account_with_notes(Found(kinds=("given",), assignments=(own.class_kinds,), ends=ends), own, None)


def account_with_notes(found: Found, design: GbtmDesign, reduced: float | None) -> GbtmFit:
    """Return the best of the ends, what became of every start, and what a reader must know of it."""
    fitted = account_of(found, distinct_optima(found.ends, found.kinds, design), reduced)
    return replace(fitted, notes=_notes(fitted))


def account_of(found: Found, distinct: tuple[tuple[Optimum, ...], Codes], reduced: float | None) -> GbtmFit:
    """Return the best of the distinct ends, and what became of every start; without notes."""
    optima, belongs = distinct
    chosen = _chosen(optima)
    best = optima[chosen]
    stop = Stop.EMPTY_CLASS if best.empty or best.duplicated else best.convergence.stop
    return GbtmFit(
        point=best.point,
        class_kinds=best.class_kinds,
        log_likelihood=best.log_likelihood,
        convergence=replace(best.convergence, stop=stop),
        optima=optima,
        chosen=chosen,
        starts=StartTable(
            kinds=found.kinds,
            assignments=found.assignments,
            log_likelihood=found.ends.log_likelihood,
            optimum=belongs,
        ),
        reduced_log_likelihood=reduced,
        notes=(),
    )


def _chosen(optima: tuple[Optimum, ...]) -> int:
    """Return the best proper optimum; else the best whose likelihood is bounded; else the best."""
    proper = (k for k, optimum in enumerate(optima) if optimum.is_proper)
    bounded = (k for k, optimum in enumerate(optima) if not optimum.collapsed)
    return next(proper, next(bounded, 0))


def is_rare(fitted: GbtmFit) -> bool:
    """Whether the best end was found once, or by less than 10 % of the starts of every order assignment."""
    by_assignment: dict[tuple[ClassKind, ...], list[bool]] = {}
    starts = fitted.starts
    for hit, assignment, counts in zip(fitted.hits, starts.assignments, starts.is_independent, strict=True):
        if counts:
            by_assignment.setdefault(assignment, []).append(bool(hit))
    hits = sum(map(sum, by_assignment.values()))
    return hits < 2 or max(sum(one) / len(one) for one in by_assignment.values()) < _SMALLEST_HIT_RATE


def _notes(fitted: GbtmFit) -> tuple[str, ...]:
    best = fitted.best
    notes = []
    if best.empty or best.duplicated:
        notes.append(
            f"This is a solution of {best.n_distinct_classes} classes: "
            f"empty {list(best.empty)}, copies of another {list(best.duplicated)}. Fit fewer classes."
        )
    if best.collapsed:
        notes.append(f"Sigma of class(es) {list(best.collapsed)} collapsed onto few rows; share sigma or drop a class.")
    if best.boundary:
        notes.append(
            f"Parameter(s) {[k + 1 for k in best.boundary]} of the point have no maximum: the likelihood rises as they "
            "go to infinity, and the estimates say only how far the search went."
        )
    if not best.convergence.converged:
        notes.append(f"The search ended at a {best.convergence.stop.value}. {best.convergence.next_step}")
    improper = [o for o in fitted.optima[: fitted.chosen] if not o.is_proper]
    if improper:
        notes.append(
            f"{len(improper)} end(s) with a higher log-likelihood (up to {improper[0].log_likelihood:.4f}) have empty, "
            "equal or collapsed classes; optima() lists them."
        )
    return (*notes, *search_notes(fitted))


def search_notes(fitted: GbtmFit) -> list[str]:
    """Return what a reader must know of a search, whatever it found."""
    notes = []
    if fitted.starts.kinds != ("given",) and len(fitted.orders) > 1 and is_rare(fitted):
        independent = fitted.starts.is_independent
        notes.append(
            f"Only {int(fitted.hits[independent].sum())} of {int(independent.sum())} starts found this optimum, after "
            "automatic extension; "
            "a better one may exist. Raise n_starts."
        )
    if fitted.near_ties:
        listed = ", ".join(f"{o.log_likelihood:.4f}" for o in fitted.near_ties)
        notes.append(
            f"{len(fitted.near_ties)} other optimum(s) within 2 of the log-likelihood: {listed}; see optima()."
        )
    unfinished = int(np.sum(fitted.starts.optimum < 0))
    if unfinished:
        notes.append(f"{unfinished} of {fitted.n_starts} starts ran out of iterations and are not counted.")
    reduced = fitted.reduced_log_likelihood
    if reduced is not None and fitted.log_likelihood < reduced - HIT:
        notes.append(
            f"The model with one class less reaches {reduced:.4f}, above this one: the best proper optimum is local."
        )
    return notes
