"""The search for a dual model: products of starts, polished, and an honest account of where they ended."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from harness.convergence import Stop
from harness.gbtm.account import HIT, GbtmFit, account_of, is_rare, search_notes
from harness.gbtm.ends import Found, ends_of, joined
from harness.gbtm.fit import fit
from harness.gbtm.mixture import Mixture, e_step
from harness.gbtm.newton import Ascent
from harness.gbtm.optima import merged_ends
from harness.gbtm.several.dual_design import DualDesign
from harness.gbtm.several.dual_optima import canonical_pairs, empty_cells, falsely_empty, pair_flags
from harness.gbtm.several.dual_starts import draw_products, exchange_products, products_of_fits
from harness.gbtm.starts import Starts, kind_assignments

if TYPE_CHECKING:
    from harness.arrays import Tensor

_LARGEST_EXTENSION = 4  # times the starts asked for
_STARTS_PER_ASSIGNMENT = 20
_EXCHANGES = 5
_REFILL = 0.05  # of each subject's probability, put into all cells where one was emptied too early


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DualFit:
    """The best optimum of a dual model, and those of both outcomes alone, which have independent classes."""

    joint: GbtmFit
    alone: tuple[GbtmFit, GbtmFit]

    @property
    def independent_log_likelihood(self) -> float:
        """Of the dual model in which the classes of one outcome say nothing about those of the other."""
        return self.alone[0].log_likelihood + self.alone[1].log_likelihood


def fit_dual(design: DualDesign) -> DualFit:
    """Return the best optimum that many starts find, and the account of the search.

    The classes of `joint.class_kinds`, as those of its flags, are the J of the first outcome, then the K of the second;
    each outcome's run from the lowest to the highest mean fitted value. Its class shares are those of the cells.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        alone = (fit(design.first), fit(design.second))
        found = _ends(products_of_fits(alone, design), design)
        if max(design.shape) > 1:
            found = joined(found, _ends(draw_products(design, 0, _n_starts(design)), design))
        found, account = _exchanged(found, design)
        drawn, limit = _n_starts(design), (1 + _LARGEST_EXTENSION) * _n_starts(design)
        while max(design.shape) > 1 and is_rare(account) and drawn < limit:
            best = account.log_likelihood
            found = joined(found, _ends(draw_products(design, drawn, _n_starts(design)), design))
            account = _account(found, design)
            if account.log_likelihood > best + HIT:
                found, account = _exchanged(found, design)
            drawn += _n_starts(design)
    dual = DualFit(joint=account, alone=alone)
    return replace(dual, joint=replace(account, notes=tuple(_notes(dual, design))))


def _n_starts(design: DualDesign) -> int:
    assignments = int(np.prod([len(kind_assignments(alone.class_kinds)) for alone in design.outcomes]))
    return design.spec.n_starts if assignments == 1 else max(design.spec.n_starts, _STARTS_PER_ASSIGNMENT * assignments)


def _ends(starts: Starts, design: DualDesign) -> Found:
    ends = refilled(ends_of(starts.posterior, design.mixture), design.mixture)
    return Found(kinds=starts.kinds, assignments=starts.assignments, ends=ends)


def refilled(ends: Ascent, mixture: Mixture) -> Ascent:
    """Return the ends, those with a cell that was emptied too early after another climb; they count as unfinished."""
    false = np.flatnonzero(falsely_empty(ends.vectors, mixture))
    if not len(false):
        return ends
    posterior: Tensor = e_step(ends.vectors[false], mixture)[0]
    again = ends_of((1 - _REFILL) * posterior + _REFILL / mixture.n_classes, mixture)
    still = falsely_empty(again.vectors, mixture)
    stop = list(ends.stop)
    for s, end, wrong in zip(false, again.stop, still, strict=True):
        stop[s] = Stop.ITERATION_LIMIT if wrong else end
    moved = {}
    for name in ("vectors", "log_likelihood", "gradient", "distance", "smallest_eigenvalue", "iterations"):
        values = getattr(ends, name).copy()
        values[false] = getattr(again, name)
        moved[name] = values
    return replace(ends, **moved, stop=tuple(stop))


def _account(found: Found, design: DualDesign) -> GbtmFit:
    labelled = canonical_pairs(found.ends.vectors, design)
    distinct = merged_ends(
        found.ends, found.kinds, labelled, lambda vector, _, mixture: pair_flags(vector, mixture, design)
    )
    return account_of(found, distinct, None)


def _exchanged(found: Found, design: DualDesign) -> tuple[Found, GbtmFit]:
    """Return the search with exchanges between classes around its best end, repeated while they improve it."""
    account = _account(found, design)
    for _ in range(_EXCHANGES if max(design.shape) > 2 else 0):
        best = account.log_likelihood
        found = joined(found, _ends(exchange_products(account.best, design), design))
        account = _account(found, design)
        if account.log_likelihood <= best + HIT:
            break
    return found, account


def _notes(dual: DualFit, design: DualDesign) -> list[str]:
    joint, best = dual.joint, dual.joint.best
    names, (J, K) = [model.spec.outcome for model in design.outcomes], design.shape
    notes = []
    for flag, what in (
        ("empty", "has no subject. Fit fewer classes."),
        ("duplicated", "is a copy of another one. Fit fewer classes."),
        ("collapsed", "has a sigma that collapsed onto few rows; share sigma or drop a class."),
    ):
        for g in getattr(best, flag):
            own, name = (g, names[0]) if g <= J else (g - J, names[1])
            notes.append(f"Class {own} of {name} {what}")
    empty = np.argwhere(empty_cells(np.array(best.class_shares).reshape(J, K), design.n_subjects))
    if len(empty):
        listed = ", ".join(f"({j + 1}, {k + 1})" for j, k in empty)
        notes.append(
            f"No subject is in class {names[0]} and class {names[1]} of {listed}: the probability is 0, at its "
            "boundary, and has no standard error."
        )
    parameters = design.mixture_of(joint.class_kinds).parameters
    unbounded = [p for p in (parameters[k] for k in best.boundary) if p.role != "log_odds"]
    if unbounded:
        listed = ", ".join(f"{p.name} of class {p.latent_class}" for p in unbounded)
        notes.append(f"The likelihood rises as these parameters go to infinity: {listed}.")
    if not best.convergence.converged:
        notes.append(f"The search ended at a {best.convergence.stop.value}. {best.convergence.next_step}")
    if joint.log_likelihood < dual.independent_log_likelihood - HIT:
        notes.append(
            f"The outcomes alone reach {dual.independent_log_likelihood:.4f} together, above this: the best proper "
            "optimum is local."
        )
    return notes + (search_notes(joint) if J * K > 1 else [])
