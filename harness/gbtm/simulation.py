"""Outcomes drawn from a fitted model, at the visits and with the covariates that were seen.

Which visits a subject has is taken as given, so that a replicate has the missing pattern of the data.
"""

import numpy as np

from harness.arrays import Codes, Vector, read_only
from harness.gbtm.account import GbtmFit
from harness.gbtm.design import GbtmDesign
from harness.gbtm.mixture import Mixture


def simulate(fit: GbtmFit, design: GbtmDesign, generator: np.random.Generator) -> tuple[Vector, ...]:
    """Return, for each outcome of a design, values (n,) of its rows drawn from the fit, in the user's units.

    Parameters
    ----------
    fit, design
        Of one model; `design.with_outcomes` makes the design of the replicate.
    generator
        A class for each subject is drawn first, then its outcomes, density by density.

    Raises
    ------
    SpecError
        If the model has a part that decides which visits there are (dropout). R: ``flexmix::rflexmix(m)``.
    """
    mixture = design.mixture_of(fit.class_kinds)
    classes = draw_classes(fit.vector, mixture, generator)
    drawn = [
        density.simulate(fit.vector[part], classes, generator)
        for density, part in zip(mixture.densities, mixture.parts, strict=True)
    ]
    return tuple(read_only(drawn[outcome.density]) for outcome in design.outcomes)


def draw_classes(vector: Vector, mixture: Mixture, generator: np.random.Generator) -> Codes:
    """Return a class (from 0) for each subject, (N,), drawn from its membership probabilities."""
    N = len(mixture.weights)
    shares = np.exp(mixture.membership.log_shares(vector[None, : mixture.membership.n_free]))[0]
    # Against K - 1 thresholds: rounding can't make a class of what lies above the last one.
    thresholds = np.broadcast_to(np.cumsum(shares, axis=0)[:-1], (len(shares) - 1, N))
    return np.asarray(np.sum(generator.uniform(size=N) >= thresholds, axis=0), dtype=np.int64)
