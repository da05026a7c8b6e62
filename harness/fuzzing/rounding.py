"""Whether another log-likelihood is the reference's own rounding: the referee finds ours exact, and doubles end.

lme4 takes cross products of X and y, and factorises them. That costs the digits that an outcome far from zero, in
units of sigma, and nearly dependent columns of X take; beyond, its log-likelihood is another number, not another model.
"""

import numpy as np

from harness.comparison.adjudication import ROUNDING_SHARE
from harness.comparison.verdict import Adjudication, Comparison
from harness.engines import OurLmm

_EPS = float(np.finfo(np.float64).eps)
_FACTOR = 100.0
"""Of the bound's own constants, which count operations."""


def rounded_by_the_reference(ours: OurLmm, comparison: Comparison) -> str:
    """Return why a log-likelihood that differs is the reference's rounding, or nothing if it need not be."""
    adjudication = comparison.evidence.adjudication
    if adjudication is None or not _ours_is_exact(adjudication):
        return ""
    room = rounding_of_cross_products(ours)
    worst = max((abs(r.right_error) for r in adjudication.rulings if r.right_error is not None), default=0.0)
    if not worst <= room:
        return ""
    return (
        "The referee finds ours exact at every point; the reference is off by less than its cross products lose"
        " where columns are nearly dependent, or the outcome or the random effects are large beside sigma."
    )


def _ours_is_exact(adjudication: Adjudication) -> bool:
    return all(
        ruling.left_error is not None and abs(ruling.left_error) <= ROUNDING_SHARE * max(1.0, abs(ruling.exact))
        for ruling in adjudication.rulings
    )


def rounding_of_cross_products(ours: OurLmm) -> float:
    """Return how far off a log-likelihood may be that is computed from X'X, X'y and y'y in doubles.

    The residual sum of squares, relative to it, by eps times the condition of (X, y) squared, with y in units of sigma
    and Z likewise; the log-likelihood n/2 times as much.
    """
    design, sigma = ours.result.design, ours.result.estimates.sigma or 1.0
    y = design.scaled.y / sigma
    X = design.scaled.X / np.linalg.norm(design.scaled.X, axis=0)
    spread = sum(float(np.trace(one.cov)) for one in ours.result.estimates.random) / sigma**2
    largest = float(np.abs(design.scaled.Z).max()) ** 2
    lost = (1.0 + float(y @ y) / len(y)) * np.linalg.cond(X) ** 2 * (1.0 + spread * largest)
    return float(_FACTOR * _EPS * len(y) * lost)
