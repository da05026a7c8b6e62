"""Which verdicts a reader sees first, and how near each came to its limit."""

import math
from collections.abc import Iterable

from harness.comparison.verdict import Comparison, Outcome, Verdict
from harness.reports.words import sentence

READING_ORDER = (Outcome.DISAGREE, Outcome.NOT_COMPARED, Outcome.KNOWN, Outcome.AGREE)
"""What a reader has to decide on comes first."""

MARK = {Outcome.AGREE: "✓", Outcome.KNOWN: "≈", Outcome.DISAGREE: "✗", Outcome.NOT_COMPARED: "○"}
"""A sign beside the word, for readers who do not see its colour."""


def outcome_of(comparison: Comparison) -> Outcome:
    """Return the outcome that a report may show for a comparison; it is never better than the verdicts in it.

    A comparison that was called agreement but holds a disagreement is a disagreement, and one in which nothing was
    compared is not agreement.
    """
    said = {comparison.outcome, *(verdict.outcome for verdict in comparison.verdicts)}
    if Outcome.DISAGREE in said:
        return Outcome.DISAGREE
    if comparison.outcome is Outcome.NOT_COMPARED or compared(comparison) == 0:
        return Outcome.NOT_COMPARED
    return Outcome.KNOWN if Outcome.KNOWN in said else Outcome.AGREE


def compared(comparison: Comparison) -> int:
    """Return how many quantities were compared, whatever came out."""
    return len(comparison.verdicts) - comparison.count(Outcome.NOT_COMPARED)


def ratio(verdict: Verdict) -> float | None:
    """Return observed / limit: above 1 is beyond the limit; None where nothing was measured."""
    if verdict.observed is None or verdict.limit is None:
        return None
    observed = abs(verdict.observed)
    if math.isnan(observed) or math.isnan(verdict.limit):
        return math.inf
    if verdict.limit <= 0:
        return 0.0 if observed == 0 else math.inf
    return observed / verdict.limit


def worst(comparison: Comparison) -> Verdict | None:
    """Return the compared verdict that a reader should see first; None where nothing was compared."""
    return next(iter(worst_first(v for v in comparison.verdicts if v.outcome is not Outcome.NOT_COMPARED)), None)


def worst_first(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return the verdicts with disagreements first, then by ratio to the limit, then by name."""
    return sorted(
        verdicts,
        key=lambda verdict: (READING_ORDER.index(verdict.outcome), -_severity(verdict), verdict.quantity),
    )


def _severity(verdict: Verdict) -> float:
    """Return the ratio to the limit; a disagreement without a number, as of a missing quantity, is beyond any."""
    unmeasured = math.inf if verdict.outcome is Outcome.DISAGREE else 0.0
    share = ratio(verdict)
    return unmeasured if share is None else share


def disagreeing(comparison: Comparison) -> list[Verdict]:
    """Return the disagreeing verdicts, the worst first."""
    return worst_first(verdict for verdict in comparison.verdicts if verdict.outcome is Outcome.DISAGREE)


def numbered_bases(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Return what the limits rest on, each text once, numbered from 1 in the order of the verdicts."""
    return {text: k for k, text in enumerate(dict.fromkeys(basis_text(verdict) for verdict in verdicts), start=1)}


def basis_text(verdict: Verdict) -> str:
    """Return what a verdict was measured in and why its limit is what it is."""
    return ": ".join(sentence(text, 240) for text in (verdict.metric, verdict.basis) if text) or "not measured"
