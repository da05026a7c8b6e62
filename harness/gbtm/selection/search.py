"""A search that knows where to begin: at a model with one class less, or at the parameters that data were drawn from.

What a replicate of a bootstrap needs is the largest log-likelihood alone. So all starts take a few EM steps together,
and only the best of them are climbed to their ends.
"""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Tensor, Vector
from harness.gbtm.account import HIT
from harness.gbtm.design import GbtmDesign, slots
from harness.gbtm.em import run_em
from harness.gbtm.ends import EM_STEPS
from harness.gbtm.mixture import Mixture, e_step
from harness.gbtm.newcomers import batched, has_small_sigma, is_rugged, newcomer_starts
from harness.gbtm.newton import climb
from harness.gbtm.optima import class_flags
from harness.gbtm.starts import draw_starts, exchange_starts, split_starts

_CLIMBED, _RUGGED_CLIMBED = 10, 30
_EXCHANGES = 2
_FEWEST_TO_EXCHANGE = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class End:
    """The best end of a search: a free vector of `design.mixture` in working units, and its log-likelihood."""

    vector: Vector
    log_likelihood: float


def best_end(posterior: Tensor, mixture: Mixture) -> End:
    """Return the best end of starts (S, K, N) at which no sigma has collapsed; the best of all if there is no other.

    Empty classes and equal ones are allowed: they say that the model with fewer classes is the maximum of this one.
    """
    vectors = np.concatenate(
        [run_em(posterior[batch], mixture, EM_STEPS) for batch in batched(len(posterior), mixture)]
    )
    reached = np.concatenate([e_step(vectors[batch], mixture)[1] for batch in batched(len(vectors), mixture)])
    order = np.lexsort((-reached, has_small_sigma(vectors, mixture)))
    climbed = _RUGGED_CLIMBED if is_rugged(mixture) else _CLIMBED
    every: list[End] = []
    for first in range(0, len(order), climbed):
        ends = climb(vectors[order[first : first + climbed]], mixture)
        highest = np.argsort(-ends.log_likelihood, kind="stable")
        found = [End(vector=ends.vectors[s], log_likelihood=float(ends.log_likelihood[s])) for s in highest]
        bounded = next((end for end in found if not is_collapsed(end, mixture)), None)
        if bounded is not None:
            return bounded
        every += found
    return max(every, key=lambda end: end.log_likelihood)


def is_collapsed(end: End, mixture: Mixture) -> bool:
    """Whether the likelihood has no bound at an end, because sigma of a class fell onto a few rows."""
    theta = end.vector[None, : mixture.membership.n_free]
    return bool(class_flags(end.vector, mixture.membership.shares(theta, mixture.weights)[0], mixture)[2])


def search_from(posterior: Matrix, design: GbtmDesign, cold_starts: int) -> End:
    """Return the best end from class probabilities (K, N) and from cold starts of all kinds."""
    starts = posterior[None]
    if design.n_classes > 1 and cold_starts > 0:
        starts = np.concatenate([starts, draw_starts(design, 0, cold_starts).posterior])
    return best_end(starts, design.mixture)


def search_larger(
    smaller: End,
    smaller_design: GbtmDesign,
    design: GbtmDesign,
    cold_starts: int,
    stream: np.random.Generator,
    *,
    also: Matrix | None = None,
) -> End:
    """Return the best end of a model from the best end of that with one class less.

    Its classes are split, a few subjects become a class of their own, cold starts of all kinds are tried beside, and
    classes of the best end are exchanged.

    Parameters
    ----------
    smaller, smaller_design
        The best end of the smaller model, of the same rows, and whose kinds of classes are all in the larger one.
    design
        Of the larger model.
    cold_starts
        How many.
    stream
        For the choice of subjects to try, where there are many.
    also
        Class probabilities (K, N) to begin with beside.
    """
    posterior = e_step(smaller.vector[None], smaller_design.mixture)[0][0]
    places = slots(design.class_kinds, smaller_design.class_kinds)
    starts = [split_starts(posterior, places, design), newcomer_starts(posterior, places, design, stream)]
    if cold_starts > 0:
        starts.append(draw_starts(design, 0, cold_starts).posterior)
    if also is not None:
        starts.append(also[None])
    end = best_end(np.concatenate(starts), design.mixture)
    for _ in range(_EXCHANGES if design.n_classes >= _FEWEST_TO_EXCHANGE else 0):
        classes = e_step(end.vector[None], design.mixture)[0][0]
        other = best_end(exchange_starts(classes, design), design.mixture)
        if other.log_likelihood <= end.log_likelihood + HIT:
            break
        end = other
    return end
