"""A cause with its evidence in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.comparison.findings import Findings
from harness.comparison.joint import COVARIANCE, DISTANCE
from harness.comparison.verdict import Attribution, Verdict
from harness.quantities import Kind

FITTED = frozenset({Kind.OPTIMUM, Kind.CURVATURE, Kind.POSTERIOR, Kind.STOCHASTIC})
"""What depends on where a search ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A cause with its evidence in one sentence, and what to do."""

    attribution: Attribution
    sentence: str
    next_step: str


def worst(found: Findings) -> str:
    """Return the disagreement that is furthest beyond its limit, with both values; a single number if there is one."""

    def excess(verdict: Verdict) -> float:
        observed, limit = verdict.observed or 0.0, verdict.limit or 0.0
        return observed / limit if limit > 0 else float("inf")

    single = [v for v in found.disagreements if v.quantity not in {DISTANCE, COVARIANCE}]
    most = max(single or found.disagreements, key=excess)
    values = "" if most.left_value is None else f" ({most.left_value!r} and {most.right_value!r})"
    observed = "not measured" if most.observed is None else f"{most.observed:.3g} {most.metric}"
    return f"{most.quantity}{values}, {observed}, limit {most.limit or 0.0:.3g}"


def both_values(verdicts: Sequence[Verdict]) -> str:
    """Return what both engines say of the first three quantities, and how many more there are."""
    shown = [f"{v.quantity} is {v.left_value!r} and {v.right_value!r}" for v in verdicts[:3]]
    rest = len(verdicts) - len(shown)
    return "; ".join(shown) + (f"; and {rest} more" if rest else "")
