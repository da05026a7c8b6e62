"""Why two engines disagree: causes in a fixed order, the first that explains every disagreement is named.

A disagreement that no cause explains blocks.
"""

from dataclasses import replace

from harness.comparison.adjudication import is_rounding, rises_without_end
from harness.comparison.alignment import Alignment
from harness.comparison.causes import CAUSES
from harness.comparison.causes.cause import Cause, worst
from harness.comparison.findings import Findings, gather
from harness.comparison.verdict import Attribution, Comparison, CrossEvidence, Outcome, Verdict
from harness.comparison.yardstick import LOG_LIKELIHOOD
from harness.quantities import Kind, Reading

SHAPES = frozenset({Attribution.BOUNDARY, Attribution.FLAT})
BESIDE = frozenset({Attribution.HESSIAN, Attribution.UNEXPLAINED})


def engine_failure(left: Reading, right: Reading) -> Cause | None:
    """Return the cause `engine` if a side has no answer."""
    for reading in (left, right):
        if reading.failure is not None:
            failure = reading.failure
            tail = f" It printed last: {failure.evidence}" if failure.evidence else ""
            return Cause(
                attribution=Attribution.ENGINE,
                sentence=f"{reading.engine} gave no answer ({failure.reason}): {failure.sentence}{tail}",
                next_step="Run `harness doctor`, repair the engine, and compare again.",
            )
    return None


def attribute(
    left: Reading, right: Reading, evidence: CrossEvidence, verdicts: tuple[Verdict, ...], alignment: Alignment
) -> Cause | None:
    """Return why the engines disagree, `labels` if they agree after renaming classes, None if there is nothing to say.

    The right reading already has the left one's labels. Causes are tried in the order of `Attribution`; the first hit
    ends the search.
    """
    found = gather(left, right, evidence, verdicts)
    if not found.disagreements:
        return _labels(found, alignment)
    return _first(found) or _first_beside_rounding(found) or _unexplained(found)


def _first(found: Findings) -> Cause | None:
    return next((cause for try_cause in CAUSES if (cause := try_cause(found)) is not None), None)


def _first_beside_rounding(found: Findings) -> Cause | None:
    """Return why the rest differs where the log-likelihoods do by rounding only, which the referee can tell.

    Rounding does not bring one search to another end: what sets the ends apart is named then.
    """
    rest = tuple(v for v in found.disagreements if v.kind is not Kind.OBJECTIVE)
    rounded = found.differing_objectives and is_rounding(found.evidence.adjudication)
    return _first(replace(found, disagreements=rest)) if rounded and rest else None


def needs_restart(comparison: Comparison) -> bool:
    """Return whether starting the engine with the lower log-likelihood at the other's estimates would tell more.

    It would when both log-likelihoods are the same function, differ at the optima, and nobody has tried it yet; but not
    where they have no maximum.
    """
    if comparison.attribution not in {Attribution.LOCAL_OPTIMUM, *SHAPES, Attribution.UNEXPLAINED}:
        return False
    if rises_without_end(comparison.evidence.ascent):
        return False
    gaps = [v for v in comparison.verdicts if v.quantity == LOG_LIKELIHOOD and v.observed is not None]
    objectives = [v for v in comparison.verdicts if v.kind is Kind.OBJECTIVE]
    return (
        comparison.evidence.restart is None
        and any(gap.outcome is not Outcome.AGREE for gap in gaps)
        and bool(objectives)
        and (all(v.outcome is Outcome.AGREE for v in objectives) or is_rounding(comparison.evidence.adjudication))
    )


def needs_retelling(comparison: Comparison) -> bool:
    """Return whether it would tell more what ours says at the other's end, and nobody has asked yet.

    It would where errors or predictions differ and no basin is known to hold both ends.
    """
    return comparison.attribution in BESIDE and comparison.evidence.retelling is None


def needs_direction(comparison: Comparison) -> bool:
    """Return whether the direction in which the log-likelihood hardly bends is to be named, and nobody has yet."""
    return comparison.attribution in SHAPES and comparison.evidence.flat is None


def disputed_errors(comparison: Comparison) -> tuple[Verdict, ...]:
    """Return the standard errors of estimates that differ, if nobody has recomputed them by one method yet."""
    if comparison.evidence.errors:
        return ()
    return tuple(
        verdict
        for verdict in comparison.verdicts
        if verdict.kind is Kind.CURVATURE
        and verdict.quantity.endswith(".standard_error")
        and verdict.outcome in {Outcome.DISAGREE, Outcome.KNOWN}
        and isinstance(verdict.right_value, float)
        and verdict.observed is not None
    )


def _labels(found: Findings, alignment: Alignment) -> Cause | None:
    if alignment.is_identity:
        return None
    renamed = ", ".join(
        f"class {theirs} of {found.right.engine} is class {ours} of {found.left.engine}"
        for theirs, ours in sorted(alignment.permutation.items())
    )
    doubt = " The next best match is almost as good." if alignment.is_ambiguous else ""
    return Cause(
        attribution=Attribution.LABELS,
        sentence=f"They agree once classes are renamed: {renamed} (by {alignment.evidence}, {alignment.margin:.2g}"
        f" better than the next match).{doubt}",
        next_step="Nothing to do: the numbering of latent classes is arbitrary.",
    )


def _unexplained(found: Findings) -> Cause:
    silent = [v for v in found.disagreements if v.observed is None]
    first = f"{silent[0].quantity}: {silent[0].reason}" if silent else worst(found)
    return Cause(
        attribution=Attribution.UNEXPLAINED,
        sentence=f"{len(found.disagreements)} quantities disagree and no cause explains them all; first: {first}.",
        next_step="Reduce it to a small case and evaluate both engines step by step; it blocks until explained.",
    )
