"""Where the search begins: at moments of the residuals, the random effects taking part of their variance."""

import numpy as np

from harness.arrays import Vector
from harness.lmm.visits.likelihood import VisitModel

# Of the variance, given to random effects: the likelihood may have several maxima. One more lies where the random
# effects are what a single visit shows, so that it has no variance of its own.
SHARES = (0.5, 0.1, 0.9)
_LITTLE = 1e-2
_MANY_VISITS = 12


def moment_starts(model: VisitModel) -> list[Vector]:
    """Return valid gammas (r,) near the mean products of residuals of ordinary least squares, by visits or distances.

    There is one without random effects; with them there are several, by the share of the variance that these take, and
    by the visit that they take it from.
    """
    moments = [_Moments(model, level) for level in range(model.n_levels)]
    if not model.n_random_parameters:
        return [np.concatenate([own.start(model, 0.0) for own in moments])]
    typical = float(np.mean([own.typical for own in moments]))
    starts = [_beside(model, moments, share * typical) for share in SHARES]
    structure = model.structure
    n_variances = int(structure.variances.sum())
    if structure.search == "roots" and 1 < n_variances <= _MANY_VISITS:
        starts += [_with_an_exact_visit(model, moments, visit) for visit in range(n_variances)]
    return starts


def _beside(model: VisitModel, moments: "list[_Moments]", variance: float) -> Vector:
    """Return the start beside random effects of this variance, uncorrelated."""
    G = np.where(model.random_rows == model.random_columns, variance / model.n_random, 0.0)
    return np.concatenate([G, *(own.start(model, variance) for own in moments)])


def _with_an_exact_visit(model: VisitModel, moments: "list[_Moments]", visit: int) -> Vector:
    """Return the start beside random effects of the variance of one visit, which has little of its own."""
    place = model.structure.diagonal[visit]
    start = _beside(model, moments, float(np.mean([own.products[place] for own in moments])))
    for level in range(model.n_levels):
        start[model.level_slice(level).start + visit] *= _LITTLE
    return start


def independent_start(model: VisitModel, gamma: Vector) -> Vector:
    """Return gamma (r,) with the same variances and no residual correlation."""
    levels = (gamma[model.level_slice(level)] for level in range(model.n_levels))
    random = gamma[: model.n_random_parameters]
    return np.concatenate([random, *(model.structure.independent(own) for own in levels)])


class _Moments:
    """Mean products of residuals of one level by entry (U,), how many of each, and the mean of z_a'z_b/q likewise."""

    def __init__(self, model: VisitModel, level: int) -> None:
        U, p = model.structure.n_entries, model.n_fixed
        last = np.zeros((p + 1, p + 1))
        last[-1, -1] = 1.0
        products, counts, random = np.zeros(U), np.zeros(U), np.zeros(U)
        for block in model.blocks:
            if block.level == level:
                per_pattern = block.counts[:, None, None]
                products += block.summed(block.data.contracted(last))
                counts += block.pairs()
                random += block.summed(per_pattern * (block.Z @ block.Z.transpose(0, 2, 1)))
        seen = np.maximum(counts, 1.0)
        self.products, self.counts = products / seen, counts
        self.random = random / seen / max(model.n_random, 1)
        own = model.structure.diagonal
        self.typical = float(np.average(self.products[own], weights=counts[own]))

    def start(self, model: VisitModel, variance: float) -> Vector:
        """Return the structure's start when random effects have this variance."""
        left = self.products - variance * self.random
        own = model.structure.diagonal
        left[own] = np.maximum(left[own], 0.1 * self.products[own])
        start = model.structure.start(left, self.counts)
        # What random effects take is a guess, so what they leave may have any correlation: half of it is safer.
        return start if variance == 0 else (start + model.structure.independent(start)) / 2
