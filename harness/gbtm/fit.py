"""The search: many starts at once by EM, each polished by Newton, and an honest account of where they ended.

Starts of several kinds and of every distinct assignment of unequal orders to classes; then splits of the best model
with one class less, so that a model never falls below its submodel; then exchanges between the classes of the best end,
as long as they find a better one. Where fewer than half of the starts agree on the best end, the problem is not an easy
one: then newcomers to the model with one class less, merges of the one with one class more, exchanges from the ends
next to the best, and, where it was rare, more starts. The same where the last class gains less than its parameters.
"""

from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from harness.arrays import Tensor
from harness.gbtm.account import EXCHANGE, HIT, GbtmFit, account_with_notes, is_rare
from harness.gbtm.design import ClassKind, GbtmDesign, slots
from harness.gbtm.ends import Found, ends_of, finished, joined
from harness.gbtm.mixture import e_step
from harness.gbtm.newcomers import newcomer_starts
from harness.gbtm.newton import climb
from harness.gbtm.optima import Optimum
from harness.gbtm.point import from_point
from harness.gbtm.starts import Starts, draw_starts, exchange_starts, kind_assignments, merged_starts, split_starts
from harness.quantities import Point

_EXCHANGES = 5
_RUNNERS_UP = 2  # ends next to the best that exchanges begin from as well
_FEWEST_TO_EXCHANGE = 3  # classes: two to merge and one to split
_EASY = 0.5  # a hit rate above which none of this is needed, unless the last class gains next to nothing
_ENLARGED_STARTS = 10
_NEWCOMERS = 2**32 - 1  # the random stream of newcomers: that of no start
_LARGEST_EXTENSION = 4  # times the starts asked for
_STARTS_PER_ASSIGNMENT = 20
_REDUCED_STARTS = 12


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


def _search_all(design: GbtmDesign) -> GbtmFit:
    if design.n_classes == 1:
        return account_with_notes(_search(design, 0, 1), design, None)
    reduced = _reduced(design)
    found = _search(design, 0, _n_starts(design), also=_splits(reduced, design))
    found, account = _exchanged(found, design, reduced.log_likelihood)
    if not _is_easy(account, reduced):
        found, account = _widened(found, account, reduced, design)
    drawn, limit = _n_starts(design), (1 + _LARGEST_EXTENSION) * _n_starts(design)
    while is_rare(account) and drawn < limit:
        found, account = _improved(found, _search(design, drawn, _n_starts(design)), account, design)
        drawn += _n_starts(design)
    return account


def _widened(found: Found, account: GbtmFit, reduced: GbtmFit, design: GbtmDesign) -> tuple[Found, GbtmFit]:
    """Return the search with newcomers, merges of one class more, and exchanges from the ends next to the best."""
    found, account = _improved(found, _newcomers(reduced, design), account, design)
    if design.n_classes < design.n_subjects:
        found, account = _improved(found, _merged(design), account, design)
    if design.n_classes >= _FEWEST_TO_EXCHANGE:
        next_best = [o for o in account.optima if o.is_proper and o is not account.best][:_RUNNERS_UP]
        for optimum in next_best:
            found, account = _improved(found, _exchange(optimum, design), account, design)
    return found, account


def _is_easy(account: GbtmFit, reduced: GbtmFit) -> bool:
    """Whether most starts agree, on an end that gains more by its last class than the parameters which that adds.

    A class that gains less describes chance, which small classes do in many ways that few starts come near.
    """
    added = len(account.point) - len(reduced.point)
    return account.hit_rate >= _EASY and account.log_likelihood - reduced.log_likelihood > added


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


def _search(design: GbtmDesign, first: int, count: int, also: Starts | None = None) -> Found:
    starts = draw_starts(design, first, count)
    if also is not None:  # in one batch: a few starts alone cost almost as much as a hundred
        starts = Starts(
            kinds=starts.kinds + also.kinds,
            assignments=starts.assignments + also.assignments,
            posterior=np.concatenate([starts.posterior, also.posterior]),
        )
    return Found(kinds=starts.kinds, assignments=starts.assignments, ends=ends_of(starts.posterior, design.mixture))


def _reduced(design: GbtmDesign) -> GbtmFit:
    """Return the model without one class of the lowest kind, from few starts."""
    smaller = design.without(min(design.class_kinds))
    smaller = replace(smaller, spec=replace(smaller.spec, n_starts=min(_REDUCED_STARTS, design.spec.n_starts)))
    return account_with_notes(_search(smaller, 0, _n_starts(smaller) if smaller.n_classes > 1 else 1), smaller, None)


def _splits(reduced: GbtmFit, design: GbtmDesign) -> Starts:
    split = split_starts(_posterior_of(reduced, design), slots(design.class_kinds, reduced.class_kinds), design)
    return Starts(
        kinds=("split of one class less",) * len(split),
        assignments=(design.class_kinds,) * len(split),
        posterior=split,
    )


def _newcomers(reduced: GbtmFit, design: GbtmDesign) -> Found:
    """Return the ends of starts in which a few subjects who are alike are a class beside those of one class less."""
    posterior = _posterior_of(reduced, design)
    stream = np.random.default_rng(np.random.SeedSequence(design.spec.seed, spawn_key=(_NEWCOMERS,)))
    starts = newcomer_starts(posterior, slots(design.class_kinds, reduced.class_kinds), design, stream)
    return Found(
        kinds=("newcomers to one class less",) * len(starts),
        assignments=(design.class_kinds,) * len(starts),
        ends=ends_of(starts, design.mixture),
    )


def _posterior_of(reduced: GbtmFit, design: GbtmDesign) -> Tensor:
    smaller = design.without(min(design.class_kinds))
    posterior, _ = e_step(reduced.vector[None], smaller.mixture_of(reduced.class_kinds))
    return np.asarray(posterior[0])


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
    ends = finished(climb(from_point(start, own.mixture)[None], own.mixture), own.mixture)
    return account_with_notes(Found(kinds=("given",), assignments=(own.class_kinds,), ends=ends), own, None)
