"""What the judge must know of the design of a mixed model, beside what either engine says of it."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from harness.engines import OurLmm, OurSide


def effect_errors(ours: OurSide) -> Mapping[str, float]:
    """Return, by the name of each random effect, the least standard error that its mean could have.

    It is sigma / sqrt(sum w z^2), that of least squares where nothing else is estimated and nothing else varies. An
    effect that the fixed part has too has a standard error of its own, which is larger.
    """
    if not isinstance(ours, OurLmm) or ours.result.design.residual is not None:
        return {}
    design, sigma = ours.result.design, ours.result.estimates.sigma or 0.0
    weights = np.ones(design.n_observations) if design.weights is None else design.weights
    found: dict[str, float] = {}
    for term in design.random:
        for name, total in zip(term.names, (weights @ term.Z**2).tolist(), strict=True):
            if total > 0 and sigma > 0:
                found[name] = min(found.get(name, np.inf), float(sigma / np.sqrt(total)))
    return found


def told_twice(ours: OurSide) -> tuple[str, ...]:
    """Return two grouping factors that put the same rows together, as sites of one subject each do; empty without."""
    if not isinstance(ours, OurLmm):
        return ()
    partitions = {one.grouping: one.codes for one in ours.result.design.random}
    counts = {name: len(np.unique(codes)) for name, codes in partitions.items()}
    return next(
        (
            (a, b)
            for a, b in combinations(partitions, 2)
            if counts[a] == counts[b] == np.unique(np.stack([partitions[a], partitions[b]]), axis=1).shape[1]
        ),
        (),
    )
