"""Whether what the reference says otherwise is its own rounding at every point, which the judge does not excuse.

It asks an engine to be right at three points at least. One that loses digits everywhere, because columns of X are
nearly dependent or the outcome lies far from zero, is excused here if ours is exact at all of them.
"""

import numpy as np

from harness.comparison.adjudication import ROUNDING_SHARE
from harness.comparison.verdict import Comparison, Ruling
from harness.engines import OurLmm
from harness.evidence.rounding import EPS, FACTOR


def rounded_by_the_reference(comparison: Comparison) -> str:
    """Return why a log-likelihood that differs is the reference's rounding, or nothing if it need not be."""
    adjudication = comparison.evidence.adjudication
    if adjudication is None or not all(map(_excused, adjudication.rulings)):
        return ""
    return (
        "The referee finds ours exact at every point; the reference is off by less than its cross products lose"
        " where columns are nearly dependent, or the outcome or the random effects are large beside sigma."
    )


def errors_rounded_by_the_reference(ours: OurLmm, comparison: Comparison) -> str:
    """Return why standard errors that differ are the reference's rounding, or nothing if they need not be.

    They come from (X'V^-1 X)^-1, which cross products in doubles give to eps times the condition of X squared.
    """
    errors, X = comparison.evidence.errors, ours.result.design.scaled.X
    condition = float(np.linalg.cond(X / np.linalg.norm(X, axis=0)))
    room = FACTOR * EPS * condition**2
    same_point = all(abs(one.at_right / one.at_left - 1) < abs(one.said / one.at_right - 1) for one in errors)
    if not errors or not same_point or any(abs(one.said / one.at_right - 1) > room for one in errors):
        return ""
    return (
        "By ours the standard errors differ less between both ends; the reference's are off by less than the"
        f" {room:.0e} that cross products lose where the condition of X is {condition:.0e}."
    )


def _excused(ruling: Ruling) -> bool:
    """Return whether ours is exact at the point, and the reference off by what cross products in doubles may lose."""
    exact = ROUNDING_SHARE * max(1.0, abs(ruling.exact))
    ours = ruling.left_error is not None and abs(ruling.left_error) <= exact
    return ours and (ruling.right_error is None or abs(ruling.right_error) <= max(exact, ruling.room))
