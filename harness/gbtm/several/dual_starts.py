"""Where searches for a dual model begin: products of class probabilities of the two outcomes."""

import numpy as np

from harness.arrays import Tensor
from harness.gbtm.account import EXCHANGE, GbtmFit
from harness.gbtm.design import ClassKind, GbtmDesign, slots
from harness.gbtm.mixture import e_step
from harness.gbtm.optima import Optimum
from harness.gbtm.several.dual_design import DualDesign
from harness.gbtm.starts import KINDS, Starts, draw_starts, exchange_starts, kind_assignments

_EVERYWHERE = 0.05
"""Of each subject's probability, spread over all cells: from a cell without any, no search comes back."""

_BEST = 3  # optima of each outcome alone whose products are starts


def draw_products(design: DualDesign, first: int, count: int) -> Starts:
    """Return products number `first`, ..., `first + count - 1`: each depends on the seeds and its number alone."""
    drawn = [_draw(design, s) for s in range(first, first + count)]
    return Starts(
        kinds=tuple(kind for kind, _, _ in drawn),
        assignments=tuple(assignment for _, assignment, _ in drawn),
        posterior=np.array([posterior for _, _, posterior in drawn]),
    )


def _draw(design: DualDesign, s: int) -> tuple[str, tuple[ClassKind, ...], Tensor]:
    """Return one product; every pair of assignments and of kinds of starts has its turn."""
    of_first, of_second = (len(kind_assignments(alone.class_kinds)) for alone in design.outcomes)
    other = s // of_first + s // (len(KINDS) * of_first * of_second)
    one, two = draw_starts(design.first, s, 1), draw_starts(design.second, other, 1)
    posterior = product(one.posterior, two.posterior)[0]
    return f"{one.kinds[0]} x {two.kinds[0]}", one.assignments[0] + two.assignments[0], posterior


def product(first: Tensor, second: Tensor) -> Tensor:
    """Return probabilities of cells (S, J K, N) of independent classes (S, J, N) and (S, K, N), none of them 0."""
    cells = first[:, :, None] * second[:, None]
    S, J, K, N = cells.shape
    return np.asarray((1 - _EVERYWHERE) * cells.reshape(S, J * K, N) + _EVERYWHERE / (J * K))


def products_of_fits(alone: tuple[GbtmFit, GbtmFit], design: DualDesign) -> Starts:
    """Return the products of the best optima of each outcome alone: where the dual model has independent classes."""
    kinds, assignments, posterior = [], [], []
    of_first, of_second = ([o for o in fitted.optima if o.is_proper][:_BEST] or [fitted.best] for fitted in alone)
    for one in of_first:
        for two in of_second:
            kinds.append("outcomes alone")
            assignments.append(one.class_kinds + two.class_kinds)
            parts = [_posterior(o, model) for o, model in zip((one, two), design.outcomes, strict=True)]
            posterior.append(product(parts[0][None], parts[1][None])[0])
    return Starts(kinds=tuple(kinds), assignments=tuple(assignments), posterior=np.array(posterior))


def _posterior(optimum: Optimum, model: GbtmDesign) -> Tensor:
    """Return class probabilities (classes, N) by class of the spec."""
    classes = e_step(np.array(optimum.working)[None], model.mixture_of(optimum.class_kinds))[0][0]
    posterior = np.empty(classes.shape)
    posterior[slots(model.class_kinds, optimum.class_kinds)] = classes
    return posterior


def exchange_products(best: Optimum, design: DualDesign) -> Starts:
    """Return starts around a dual optimum: exchanges between the classes of one outcome, times those of the other."""
    cells = e_step(np.array(best.working)[None], design.mixture_of(best.class_kinds))[0][0]
    joint = cells.reshape(*design.shape, -1)
    marginal = []
    for model, kinds, probabilities in zip(
        design.outcomes, design.split(best.class_kinds), (joint.sum(axis=1), joint.sum(axis=0)), strict=True
    ):
        posterior = np.empty_like(probabilities)
        posterior[slots(model.class_kinds, kinds)] = probabilities
        marginal.append(posterior)
    first, second = marginal
    one, two = exchange_starts(first, design.first), exchange_starts(second, design.second)
    found = [
        product(one, np.broadcast_to(second, (len(one), *second.shape))),
        product(np.broadcast_to(first, (len(two), *first.shape)), two),
    ]
    posterior = np.concatenate(found)
    return Starts(
        kinds=(EXCHANGE,) * len(posterior),
        assignments=(best.class_kinds,) * len(posterior),
        posterior=posterior,
    )
