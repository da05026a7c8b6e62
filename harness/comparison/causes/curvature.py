"""The cause in the curvature: estimates agree, their standard errors do not."""

from harness.comparison.causes.cause import Cause, worst
from harness.comparison.findings import Findings
from harness.comparison.verdict import Attribution, Outcome
from harness.quantities import Kind

SAME_ERROR = 1e-3
"""Relative; standard errors at two points of one basin differ by D or so, and by a method's factor by more."""


def hessian(found: Findings) -> Cause | None:
    """Return `hessian` if estimates agree and only standard errors, covariances or the tests made of them do not."""
    agreeing = [v for v in found.verdicts.values() if v.kind is Kind.OPTIMUM and v.outcome is Outcome.AGREE]
    if not (agreeing and found.all_measured(Kind.CURVATURE)):
        return None
    return Cause(
        attribution=Attribution.HESSIAN,
        sentence=f"{len(agreeing)} estimates agree, {len(found.disagreements)} standard errors, covariances or"
        f" tests do not; worst: {worst(found)}.{_recomputed(found)}",
        next_step="Compute both from one Hessian at one parameter point; look for expected against observed"
        " information and for a factor such as sqrt(n/(n-p)).",
    )


def _recomputed(found: Findings) -> str:
    """Return whether the point or the method differs, by the error that moves most; empty where nobody recomputed."""
    if not found.evidence.errors:
        return ""
    one = max(found.evidence.errors, key=lambda e: abs(e.said / e.at_left - 1))
    by_point, by_method = abs(one.at_right / one.at_left - 1), abs(one.said / one.at_right - 1)
    told = "the method differs, not the point" if by_method > max(by_point, SAME_ERROR) else "the points differ"
    return (
        f" By {found.left.engine}'s own method {one.quantity} is {one.at_left:.9g} at its optimum and"
        f" {one.at_right:.9g} at {found.right.engine}'s, which says {one.said:.9g}: {told}."
    )
