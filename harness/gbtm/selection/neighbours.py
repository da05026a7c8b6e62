"""Models that differ by one class know something of each other: splits of one and merges of the other are good starts.

A search of one model alone may miss its best optimum; what the neighbours' best ends lead to is tried beside.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from harness.arrays import Vector
from harness.convergence import Stop
from harness.gbtm.account import HIT, GbtmFit, account_with_notes
from harness.gbtm.design import ClassKind, GbtmDesign, slots
from harness.gbtm.ends import Found, joined
from harness.gbtm.estimation import estimate
from harness.gbtm.mixture import e_step
from harness.gbtm.newton import climb
from harness.gbtm.optima import class_flags
from harness.gbtm.result import GbtmResult
from harness.gbtm.selection.processes import stream_of
from harness.gbtm.selection.search import End, best_end, search_larger
from harness.gbtm.starts import merged_starts

FROM_SMALLER = "split or newcomer of one class less"
FROM_LARGER = "merge of one class more"

_ROUNDS = 3


def with_neighbours(results: Mapping[int, GbtmResult]) -> tuple[dict[int, GbtmResult], dict[int, float]]:
    """Return the fits by number of classes, each at least as good as its neighbours lead to, and what was gained.

    Parameters
    ----------
    results
        Models of the same data, by number of classes.

    Returns
    -------
    The fits, and by number of classes how much the log-likelihood rose where it did.
    """
    found, gains = dict(results), dict.fromkeys(results, 0.0)
    changed = set(found)
    for _ in range(_ROUNDS):
        before, near, changed = dict(found), changed, set()
        for K in sorted(found):
            if not near & {K - 1, K + 1}:
                continue
            # The products are many and thin: BLAS threads would cost several times what they save.
            with threadpool_limits(limits=1, user_api="blas"):
                better = adopted(found[K], _ends(found, K))
            if better is not None:
                found[K] = better
                gains[K] += better.log_likelihood - before[K].log_likelihood
                changed.add(K)
        if not changed:
            break
    return found, {K: gain for K, gain in gains.items() if gain > 0}


def adopted(result: GbtmResult, ends: Iterable[tuple[End, str]]) -> GbtmResult | None:
    """Return the model at the best of other proper ends, each with the kind of its start; None if none is better."""
    proper = [(end, kind) for end, kind in ends if _is_proper(end, result.design)]
    if not proper:
        return None
    end, kind = max(proper, key=lambda one: one[0].log_likelihood)
    if end.log_likelihood <= result.fit.log_likelihood + HIT:
        return None
    fitted = continued(result.fit, result.design, end, kind)
    estimates = estimate(fitted, result.design, "observed information" if result.spec.weights is None else "sandwich")
    return replace(result, fit=fitted, estimates=estimates)


def _ends(results: Mapping[int, GbtmResult], K: int) -> Iterator[tuple[End, str]]:
    design = results[K].design
    smaller, larger = results.get(K - 1), results.get(K + 1)
    if smaller is not None and not Counter(smaller.design.class_kinds) - Counter(design.class_kinds):
        vector = in_order_of_spec(smaller.fit.vector, smaller.fit.class_kinds, smaller.design)
        best = End(vector=vector, log_likelihood=smaller.fit.log_likelihood)
        yield search_larger(best, smaller.design, design, 0, stream_of(design.spec.seed, K)), FROM_SMALLER
    if larger is not None:
        posterior = e_step(larger.fit.vector[None], larger.design.mixture_of(larger.fit.class_kinds))[0][0]
        merged = merged_starts(posterior, larger.fit.class_kinds, design)
        if len(merged):
            yield best_end(merged, design.mixture), FROM_LARGER


def in_order_of_spec(vector: Vector, kinds: tuple[ClassKind, ...], design: GbtmDesign) -> Vector:
    """Return a free vector (P,) with classes of these kinds as one of the design's mixture."""
    places = slots(design.class_kinds, kinds)
    return np.asarray(design.mixture_of(kinds).relabelled(vector[None], np.argsort(places))[0])


def _is_proper(end: End, design: GbtmDesign) -> bool:
    mixture = design.mixture
    shares = mixture.membership.shares(end.vector[None, : mixture.membership.n_free], mixture.weights)[0]
    return not any(class_flags(end.vector, shares, mixture))


def continued(fit: GbtmFit, design: GbtmDesign, end: End, kind: str) -> GbtmFit:
    """Return the account of a search with one more start, which ended at `end`."""
    known = [in_order_of_spec(np.array(optimum.working), optimum.class_kinds, design) for optimum in fit.optima]
    lost = fit.starts.optimum < 0
    again = climb(np.array(known), design.mixture).take(np.where(lost, 0, fit.starts.optimum))
    again = replace(
        again,
        log_likelihood=fit.starts.log_likelihood,
        stop=tuple(Stop.ITERATION_LIMIT if gone else stop for gone, stop in zip(lost, again.stop, strict=True)),
    )
    before = Found(kinds=fit.starts.kinds, assignments=fit.starts.assignments, ends=again)
    more = Found(
        kinds=(kind,),
        assignments=(design.class_kinds,),
        ends=climb(end.vector[None], design.mixture),
    )
    return account_with_notes(joined(before, more), design, fit.reduced_log_likelihood)
