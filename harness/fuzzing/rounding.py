"""Whether another log-likelihood is the reference's own rounding at every point, which the judge does not excuse.

It asks an engine to be right at three points at least. One that loses digits everywhere, because columns of X are
nearly dependent or the outcome lies far from zero, is excused here if ours is exact at all of them.
"""

from harness.comparison.adjudication import ROUNDING_SHARE
from harness.comparison.verdict import Comparison, Ruling


def rounded_by_the_reference(comparison: Comparison) -> str:
    """Return why a log-likelihood that differs is the reference's rounding, or nothing if it need not be."""
    adjudication = comparison.evidence.adjudication
    if adjudication is None or not all(map(_excused, adjudication.rulings)):
        return ""
    return (
        "The referee finds ours exact at every point; the reference is off by less than its cross products lose"
        " where columns are nearly dependent, or the outcome or the random effects are large beside sigma."
    )


def _excused(ruling: Ruling) -> bool:
    """Return whether ours is exact at the point, and the reference off by what cross products in doubles may lose."""
    exact = ROUNDING_SHARE * max(1.0, abs(ruling.exact))
    ours = ruling.left_error is not None and abs(ruling.left_error) <= exact
    return ours and (ruling.right_error is None or abs(ruling.right_error) <= max(exact, ruling.room))
