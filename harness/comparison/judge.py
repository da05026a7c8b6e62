"""The judge: every quantity of either engine gets a verdict, and every comparison an outcome and a cause."""

from collections.abc import Iterable, Sequence
from datetime import date
from math import isfinite

from harness.comparison.adjudication import adjudication_sentence
from harness.comparison.alignment import align, relabelled
from harness.comparison.attribution import attribute, engine_failure
from harness.comparison.causes.cause import Cause
from harness.comparison.joint import (
    DISTANCE,
    INPUT,
    judge_covariance,
    judge_distance,
    judge_input,
    judge_objectives,
)
from harness.comparison.known import KnownDifference, in_force, with_known
from harness.comparison.pairing import judge_companion_errors, judge_quantities
from harness.comparison.tolerances import Measure
from harness.comparison.verdict import Comparison, CrossEvidence, Outcome, Verdict
from harness.comparison.yardstick import yardstick
from harness.quantities import Reading


def judge(
    case: str,
    left: Reading,
    right: Reading,
    evidence: CrossEvidence,
    known: Sequence[KnownDifference] = (),
    *,
    today: date | None = None,
) -> Comparison:
    """Compare what two engines say about one case.

    Parameters
    ----------
    case
        Its name; entries of `known` are matched with it.
    left, right
        Ours and the reference's reading. Scales are taken from the left one; latent classes of the right one are
        renamed to the left one's.
    evidence
        What was measured between the two.
    known
        Differences that are accepted, with reason, owner and expiry.
    today
        The day on which entries of `known` may have expired; now if None.

    Returns
    -------
    Comparison
        One verdict for each quantity that either side gives, for the distance of the optima, for the objective at
        each point and for the input. DISAGREE if any disagrees, else KNOWN if any is known, else AGREE if any
        quantity was judged, else NOT_COMPARED.
    """
    failure = engine_failure(left, right)
    if failure is not None:
        return Comparison(
            case=case,
            left=left,
            right=right,
            evidence=evidence,
            verdicts=(),
            outcome=Outcome.DISAGREE,
            attribution=failure.attribution,
            sentence=failure.sentence,
            next_step=failure.next_step,
        )
    alignment = align(left, right)
    aligned = relabelled(right, alignment.permutation)
    verdicts = _verdicts(left, aligned, evidence)
    cause = attribute(left, aligned, evidence, verdicts, alignment)
    if cause is not None:
        verdicts = with_known(verdicts, cause.attribution, in_force(known, case, right.engine, today))
    return Comparison(
        case=case,
        left=left,
        right=right,
        evidence=evidence,
        verdicts=verdicts,
        outcome=outcome_of(verdicts),
        attribution=None if cause is None else cause.attribution,
        sentence="" if cause is None else _told(cause, left, right, evidence),
        next_step="" if cause is None else cause.next_step,
        distance=_distance(verdicts),
        permutation=alignment.permutation,
    )


def _told(cause: Cause, left: Reading, right: Reading, evidence: CrossEvidence) -> str:
    if evidence.adjudication is None:
        return cause.sentence
    return f"{cause.sentence} {adjudication_sentence(evidence.adjudication, left.engine, right.engine)}"


def outcome_of(verdicts: Iterable[Verdict]) -> Outcome:
    """Return the outcome of a comparison; agreement on the input alone is no agreement on results."""
    found = {(v.outcome, v.quantity.startswith(INPUT)) for v in verdicts}
    outcomes = {outcome for outcome, _ in found}
    for worse in (Outcome.DISAGREE, Outcome.KNOWN):
        if worse in outcomes:
            return worse
    return Outcome.AGREE if (Outcome.AGREE, False) in found else Outcome.NOT_COMPARED


def _verdicts(left: Reading, right: Reading, evidence: CrossEvidence) -> tuple[Verdict, ...]:
    scales = yardstick(left, right, evidence.effect_errors)
    return (
        *judge_input(left, right, scales),
        *judge_objectives(evidence, scales),
        *judge_quantities(left, right, scales),
        *judge_companion_errors(left, right, scales),
        *judge_distance(left, right, scales),
        *judge_covariance(left, right, scales),
    )


def _distance(verdicts: Iterable[Verdict]) -> float | None:
    """Return D between the optima, None where it has no meaning."""
    return next(
        (
            v.observed
            for v in verdicts
            if v.quantity == DISTANCE
            and v.metric == Measure.DISTANCE
            and v.observed is not None
            and isfinite(v.observed)
        ),
        None,
    )
