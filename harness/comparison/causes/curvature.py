"""The cause in the curvature: estimates agree, their standard errors do not."""

from harness.comparison.causes.cause import Cause, worst
from harness.comparison.findings import Findings
from harness.comparison.verdict import Attribution, Outcome
from harness.quantities import Kind

SAME_ERROR = 1e-3
"""Relative; methods that differ differ by more, rounding and numeric derivatives by less."""


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
    if by_method <= by_point:
        told = "the points differ"
    elif by_method > SAME_ERROR:
        told = "the method differs, not the point"
    else:
        told = "neither the point nor a factor differs, but how many digits are right"
    return (
        f" By {found.left.engine}'s own method {one.quantity} is {one.at_left:.9g} at its optimum and"
        f" {one.at_right:.9g} at {found.right.engine}'s, which says {one.said:.9g}: {told}."
    )
