"""The account of a search: every start and where it ended, the best optimum, and what a reader must know of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Codes, Mask, Vector
from harness.convergence import Convergence, Stop
from harness.gbtm.design import ClassKind, GbtmDesign
from harness.gbtm.ends import Found
from harness.gbtm.estimates import path_of
from harness.gbtm.optima import NEAR_TIE, Optimum, distinct_optima
from harness.quantities import Point

HIT = 1e-3
"""A start within this of the best log-likelihood hit it."""

EXCHANGE = "exchange between classes"
"""Kind of the starts made from the best ends; that they return there is no evidence for them."""

_SMALLEST_HIT_RATE = 0.10
_LISTED = 8


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


def account_with_notes(found: Found, design: GbtmDesign, reduced: float | None) -> GbtmFit:
    """Return the best of the ends, what became of every start, and what a reader must know of it."""
    fitted = account_of(found, distinct_optima(found.ends, found.kinds, design), reduced)
    parameters = design.mixture_of(fitted.class_kinds).parameters
    return replace(fitted, notes=_notes(fitted, [path_of(parameter) for parameter in parameters]))


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


def _notes(fitted: GbtmFit, names: Sequence[str]) -> tuple[str, ...]:
    best = fitted.best
    notes = []
    if best.empty or best.duplicated:
        notes.append(
            f"This is a solution of {best.n_distinct_classes} classes: "
            f"empty {list(best.empty)}, copies of another {list(best.duplicated)}. Fit fewer classes."
        )
    if best.collapsed:
        notes.append(
            f"Class(es) {list(best.collapsed)} collapsed onto few rows, where the likelihood has no bound; share sigma "
            "or drop a class."
        )
    if best.boundary:
        listed = ", ".join(names[k] for k in best.boundary[:_LISTED])
        listed += f" and {len(best.boundary) - _LISTED} more" if len(best.boundary) > _LISTED else ""
        notes.append(
            f"At a boundary: {listed}. The likelihood rises, by less and less, as they go on; the estimates say only "
            "how far the search went. `profile_interval` gives limits where there are any."
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
        listed = ", ".join(f"{o.log_likelihood:.4f}" for o in fitted.near_ties[:_LISTED])
        listed += ", ..." if len(fitted.near_ties) > _LISTED else ""
        notes.append(
            f"{len(fitted.near_ties)} other optimum(s) within 2 of the log-likelihood: {listed}; see optima()."
        )
    unfinished = int(np.sum(fitted.starts.optimum < 0))
    if unfinished:
        reached = fitted.starts.log_likelihood[fitted.starts.optimum < 0]
        above = reached[reached > fitted.log_likelihood + HIT]
        told = f"; {len(above)} of them above this end, up to {above.max():.4f}" if len(above) else ""
        notes.append(f"{unfinished} of {fitted.n_starts} starts ran out of iterations and are not counted{told}.")
    reduced = fitted.reduced_log_likelihood
    if reduced is not None and fitted.log_likelihood < reduced - HIT:
        notes.append(
            f"The model with one class less reaches {reduced:.4f}, above this one: the best proper optimum is local."
        )
    return notes
