"""The search: many starts at once by EM, each polished by Newton, and an honest account of where they ended.

Starts of several kinds and of every distinct assignment of unequal orders to classes; then splits of the best model
with one class less, so that a model never falls below its submodel; then exchanges between the classes of the best end,
as long as they find a better one; then more starts where the best end was rare.
"""

from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from harness.arrays import Codes, Mask, Tensor, Vector
from harness.convergence import Convergence, Stop
from harness.gbtm.design import GbtmDesign
from harness.gbtm.em import e_step, run_em
from harness.gbtm.newton import Ascent, climb
from harness.gbtm.optima import NEAR_TIE, Optimum, distinct_optima
from harness.gbtm.parameters import from_point, layout_of, pack, unpack
from harness.gbtm.starts import draw_starts, exchange_starts, order_assignments, slots, split_starts
from harness.quantities import Point

HIT = 1e-3
"""A start within this of the best log-likelihood hit it."""

EXCHANGE = "exchange between classes"
"""Kind of the starts made from the best end; that they return there is no evidence for it."""

EM_STEPS = 25
_EXCHANGES = 5
_SMALLEST_HIT_RATE = 0.10
_LARGEST_EXTENSION = 4  # times the starts asked for
_STARTS_PER_ASSIGNMENT = 20
_REDUCED_STARTS = 20
_BATCH = 400_000  # start x class x subject cells at a time, to bound memory


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StartTable:
    """Every start in turn: kind, orders from the lowest to the highest class, end, number of its optimum (-1: none)."""

    kinds: tuple[str, ...]
    assignments: tuple[tuple[int, ...], ...]
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
    point, orders, log_likelihood, convergence
        Of the best proper optimum (of the best end with a bounded likelihood, if none is proper); classes from the
        lowest to the highest mean fitted value over the observed times of all rows; `orders` follow the classes.
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
    orders: tuple[int, ...]
    log_likelihood: float
    convergence: Convergence
    optima: tuple[Optimum, ...]
    chosen: int
    starts: StartTable
    reduced_log_likelihood: float | None
    notes: tuple[str, ...]

    @property
    def vector(self) -> Vector:
        """The free vector at `point` in working units, with digits that powers of a date have no room for."""
        return np.array(self.optima[self.chosen].working)

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


def fit(design: GbtmDesign, start: Point | None = None, orders: tuple[int, ...] | None = None) -> GbtmFit:
    """Return the best optimum of the log-likelihood that many starts find, and the account of the search.

    Parameters
    ----------
    design
        From `build_design`; its spec gives the number of starts and the seed.
    start
        Parameters to climb from, and from nowhere else, in the user's units.
    orders
        The order of each class at `start`, if not in the order of the spec.

    Returns
    -------
    GbtmFit
        Polished to a gradient below 1e-8 in standard-error units, unless `convergence` says otherwise.
    """
    # The products are many and thin: BLAS threads would cost several times what they save.
    with threadpool_limits(limits=1, user_api="blas"):
        return _climb_from(start, design, orders) if start is not None else _search_all(design)


def _search_all(design: GbtmDesign) -> GbtmFit:
    if design.n_classes == 1:
        return _account(_search(design, 0, 1), design, None)
    reduced = _reduced(design)
    found = _search(design, 0, _n_starts(design))
    found = _joined(found, _split(reduced, design))
    found, account = _exchanged(found, design, reduced.log_likelihood)
    limit = _LARGEST_EXTENSION * _n_starts(design)
    drawn = _n_starts(design)
    while _is_rare(account) and drawn < _n_starts(design) + limit:
        best = account.log_likelihood
        found = _joined(found, _search(design, drawn, _n_starts(design)))
        drawn += _n_starts(design)
        account = _account(found, design, reduced.log_likelihood)
        if account.log_likelihood > best + HIT:
            found, account = _exchanged(found, design, reduced.log_likelihood)
    return account


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
    kinds: tuple[str, ...]
    assignments: tuple[tuple[int, ...], ...]
    ends: Ascent


def _n_starts(design: GbtmDesign) -> int:
    assignments = len(order_assignments(design.spec.orders))
    return design.spec.n_starts if assignments == 1 else max(design.spec.n_starts, _STARTS_PER_ASSIGNMENT * assignments)


def _search(design: GbtmDesign, first: int, count: int) -> _Found:
    starts = draw_starts(design, first, count)
    return _Found(kinds=starts.kinds, assignments=starts.assignments, ends=_ends(starts.posterior, design))


def _ends(posterior: Tensor, design: GbtmDesign) -> Ascent:
    layout = layout_of(design)
    size = max(1, _BATCH // (layout.n_classes * design.n_subjects))
    parts = []
    for at in range(0, len(posterior), size):
        parameters = run_em(posterior[at : at + size], design.moments, layout, EM_STEPS)
        parts.append(climb(pack(parameters, layout), design.moments, layout))
    return _stacked(parts)


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


def _joined(left: _Found, right: _Found) -> _Found:
    return _Found(
        kinds=left.kinds + right.kinds,
        assignments=left.assignments + right.assignments,
        ends=_stacked([left.ends, right.ends]),
    )


def _reduced(design: GbtmDesign) -> GbtmFit:
    """Return the model without one class of the lowest order, from few starts."""
    orders = tuple(sorted(design.spec.orders)[1:])
    spec = replace(design.spec, orders=orders, n_starts=min(_REDUCED_STARTS, design.spec.n_starts))
    smaller = replace(design, spec=spec)
    return _account(_search(smaller, 0, _n_starts(smaller) if len(orders) > 1 else 1), smaller, None)


def _split(reduced: GbtmFit, design: GbtmDesign) -> _Found:
    smaller = replace(design, spec=replace(design.spec, orders=reduced.orders))
    parameters = unpack(reduced.vector[None], layout_of(smaller))
    posterior = e_step(parameters, smaller.moments)[0][0]
    taken = slots(design.spec.orders, reduced.orders)
    split = split_starts(posterior, taken, design)
    ends = _ends(split, design)
    return _Found(
        kinds=("split of one class less",) * len(split), assignments=(design.spec.orders,) * len(split), ends=ends
    )


def _exchanged(found: _Found, design: GbtmDesign, reduced: float) -> tuple[_Found, GbtmFit]:
    """Return the search with exchanges between the classes of its best end, repeated while they improve it."""
    account = _account(found, design, reduced)
    for _ in range(_EXCHANGES if design.n_classes > 2 else 0):
        best = account.log_likelihood
        found = _joined(found, _exchange(account, design))
        account = _account(found, design, reduced)
        if account.log_likelihood <= best + HIT:
            break
    return found, account


def _exchange(best: GbtmFit, design: GbtmDesign) -> _Found:
    posterior = np.empty((design.n_classes, design.n_subjects))
    classes = e_step(unpack(best.vector[None], layout_of(design, best.orders)), design.moments)[0][0]
    posterior[slots(design.spec.orders, best.orders)] = classes
    starts = exchange_starts(posterior, design)
    return _Found(kinds=(EXCHANGE,) * len(starts), assignments=(best.orders,) * len(starts), ends=_ends(starts, design))


def _climb_from(start: Point, design: GbtmDesign, orders: tuple[int, ...] | None) -> GbtmFit:
    own = replace(design, spec=replace(design.spec, orders=orders)) if orders is not None else design
    layout = layout_of(own)
    ends = climb(from_point(start, own, layout)[None], own.moments, layout)
    return _account(_Found(kinds=("given",), assignments=(layout.orders,), ends=ends), own, None)


def _account(found: _Found, design: GbtmDesign, reduced: float | None) -> GbtmFit:
    optima, belongs = distinct_optima(found.ends, found.kinds, design)
    chosen = _chosen(optima)
    best = optima[chosen]
    stop = Stop.EMPTY_CLASS if best.empty or best.duplicated else best.convergence.stop
    fitted = GbtmFit(
        point=best.point,
        orders=best.orders,
        log_likelihood=best.log_likelihood,
        convergence=replace(best.convergence, stop=stop),
        optima=optima,
        chosen=chosen,
        starts=StartTable(
            kinds=found.kinds,
            assignments=found.assignments,
            log_likelihood=found.ends.log_likelihood - design.n_observations * np.log(design.scale),
            optimum=belongs,
        ),
        reduced_log_likelihood=reduced,
        notes=(),
    )
    return replace(fitted, notes=_notes(fitted))


def _chosen(optima: tuple[Optimum, ...]) -> int:
    """Return the best proper optimum; else the best whose likelihood is bounded; else the best."""
    proper = (k for k, optimum in enumerate(optima) if optimum.is_proper)
    bounded = (k for k, optimum in enumerate(optima) if not optimum.collapsed)
    return next(proper, next(bounded, 0))


def _is_rare(fitted: GbtmFit) -> bool:
    """Whether the best end was found once, or by less than 10 % of the starts of every order assignment."""
    by_assignment: dict[tuple[int, ...], list[bool]] = {}
    starts = fitted.starts
    for hit, assignment, counts in zip(fitted.hits, starts.assignments, starts.is_independent, strict=True):
        if counts:
            by_assignment.setdefault(assignment, []).append(bool(hit))
    hits = sum(map(sum, by_assignment.values()))
    return hits < 2 or max(sum(one) / len(one) for one in by_assignment.values()) < _SMALLEST_HIT_RATE


def _notes(fitted: GbtmFit) -> tuple[str, ...]:
    best = fitted.optima[fitted.chosen]
    notes = []
    if best.empty or best.duplicated:
        notes.append(
            f"This is a solution of {best.n_distinct_classes} classes: "
            f"empty {list(best.empty)}, copies of another {list(best.duplicated)}. Fit fewer classes."
        )
    if best.collapsed:
        notes.append(f"Sigma of class(es) {list(best.collapsed)} collapsed onto few rows; share sigma or drop a class.")
    if not best.convergence.converged:
        notes.append(f"The search ended at a {best.convergence.stop.value}. {best.convergence.next_step}")
    improper = [o for o in fitted.optima[: fitted.chosen] if not o.is_proper]
    if improper:
        notes.append(
            f"{len(improper)} end(s) with a higher log-likelihood (up to {improper[0].log_likelihood:.4f}) have empty, "
            "equal or collapsed classes; optima() lists them."
        )
    return (*notes, *_search_notes(fitted))


def _search_notes(fitted: GbtmFit) -> list[str]:
    notes = []
    if fitted.starts.kinds != ("given",) and len(fitted.orders) > 1 and _is_rare(fitted):
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
