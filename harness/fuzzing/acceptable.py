"""Which outcomes of a fuzzed case are no fault of ours, and why. What is not listed here is a counterexample."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.comparison.adjudication import rises_without_end
from harness.comparison.tolerances import DEFAULT, Measure
from harness.comparison.verdict import Attribution, Comparison, Outcome
from harness.comparison.yardstick import LOG_LIKELIHOOD, yardstick
from harness.errors import InputError
from harness.quantities import Failure, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What became of one fuzzed case.

    `code` is the outcome in a word, with the engine at fault where there is one: "agree", "refused:both",
    "local_optimum:lme4", "unexplained". Shrinking keeps it. `reason` says why it is acceptable, and is empty where it
    is not.
    """

    code: str
    sentence: str
    reason: str

    @property
    def acceptable(self) -> bool:
        """Whether nothing needs to be done about it."""
        return bool(self.reason)


AGREE = "agree"
_BOTH_REFUSE = "refused:both"

# What is wrong with the case by our refusal, and why R may fit it all the same.
_OUR_REFUSALS = {
    "at least \\d+ rows": "As many fixed effects as rows, or one fewer: no residual degree of freedom is left for sigma"
    " and a variance; lme4 optimises a criterion that has no maximum.",
    "fewer random effects than rows": "As many random effects as rows: only their sum with the residual is known.",
    "an outcome that varies$": "A constant outcome: nothing tells classes apart, and but for counts above zero the"
    " likelihood has no maximum.",
    "at least two observed levels": "A factor of one level has no contrast; R drops the column with a message.",
    "values that vary": "A constant outcome: the likelihood has no maximum.",
    "at least 2": "One subject: its variance is not known.",
    "residuals": "The model fits the outcome exactly, so that the likelihood has no maximum; R stops somewhere.",
    "at most \\d+ classes": "More classes than subjects.",
    "one that the columns before it do not determine": "Two random effects that are one: R gives them any of the"
    " covariances that fit alike.",
}

# What the reference says when it refuses, and why we may fit it all the same.
_THEIR_REFUSALS = {
    "number of observations": "lme4 refuses as many random effects as rows, also under weights that tell them apart.",
    "number of levels": "lme4 refuses a grouping factor with a level for each row, also under weights.",
    "invalid grouping factor": "lme4 refuses a grouping factor of one level.",
    "Downdated VtV": "lme4's Cholesky factorisation fails where columns are nearly dependent; ours is of a QR.",
    "PIRLS": "lme4's own iterations fail.",
}

_REFERENCE_AT_FAULT = {
    Attribution.NOT_CONVERGED: "The reference's search stopped before its optimum, or says so itself.",
    Attribution.LOCAL_OPTIMUM: "The reference ended lower, and ours is reached from ours.",
}


def of_comparison(comparison: Comparison) -> Finding:
    """Return what a comparison of ours (left) with a reference (right) means."""
    if comparison.outcome in {Outcome.AGREE, Outcome.KNOWN}:
        return Finding(code=AGREE, sentence=comparison.sentence, reason="Every quantity agrees.")
    if comparison.outcome is Outcome.NOT_COMPARED or comparison.attribution is None:
        return Finding(code="not compared", sentence="Nothing was compared.", reason="")
    ours, reference = comparison.left.engine, comparison.right.engine
    attribution = comparison.attribution
    if attribution is Attribution.ENGINE and comparison.right.failure is not None:
        return _of_failure(comparison.right, comparison.right.failure)
    fault = next((name for name in (reference, ours) if comparison.sentence.startswith(name)), "")
    reason = ""
    if attribution in _REFERENCE_AT_FAULT:
        reason = _REFERENCE_AT_FAULT[attribution] if fault == reference else ""
    elif attribution is Attribution.BOUNDARY and rises_without_end(comparison.evidence.ascent):
        fault, reason = reference, _WITHOUT_MAXIMUM
    elif attribution in _NOT_BELOW:
        below = is_below(comparison)
        fault = ours if below else reference if attribution is Attribution.OPTIMISER_NOISE else ""
        reason = "" if below else _NOT_BELOW[attribution]
    elif attribution is Attribution.FLOAT:
        fault = ours if _rounds_more(comparison) else reference
        if fault == reference or _left_error(comparison) <= DEFAULT[Measure.OBJECTIVE].limit:
            reason = _ROUNDED
    code = f"{attribution.value}:{fault}" if fault else attribution.value
    return Finding(code=code, sentence=comparison.sentence, reason=reason)


_ROUNDED = (
    "The referee finds one function in both; ours is exact to 1e-10, to which log-likelihoods are compared in general."
)
_WITHOUT_MAXIMUM = (
    "The likelihood has no maximum: the referee finds it rising by log(10) times a whole number with each power of ten"
    " beyond the reference's end. Ours is a maximum that is finite."
)
_NOT_BELOW = {
    Attribution.FLAT: "A direction that the data do not determine; our log-likelihood is not the lower one.",
    Attribution.BOUNDARY: "A variance or a share at its bound, where the information says nothing of some parameters;"
    " our log-likelihood is not the lower one.",
    Attribution.OPTIMISER_NOISE: "One basin, and ours is its higher end: the reference stopped a little early.",
}


def of_our_refusal(refusal: InputError, reference: Reading | None) -> Finding:
    """Return what it means that we refuse the case, beside what the reference says of it, if that can be told."""
    failure = None if reference is None else reference.failure
    if failure is not None and failure.reason == "refused":
        return Finding(code=_BOTH_REFUSE, sentence=f"{refusal} {failure.sentence}", reason="Both engines refuse it.")
    if reference is not None and failure is not None:
        return _of_failure(reference, failure)
    reasons = [reason for problem in refusal.problems if (reason := _matching(_OUR_REFUSALS, [problem.expected]))]
    settled = len(reasons) == len(refusal.problems)
    return Finding(code="refused:harness", sentence=str(refusal), reason=" ".join(reasons) if settled else "")


def _of_failure(reading: Reading, failure: Failure) -> Finding:
    if failure.reason == "refused":
        reason = _matching(_THEIR_REFUSALS, [failure.sentence, failure.evidence])
        return Finding(code=f"refused:{reading.engine}", sentence=failure.sentence, reason=reason)
    reason = "The reference did not answer in time." if failure.reason == "timeout" else ""
    return Finding(code=f"engine:{failure.reason}", sentence=failure.sentence, reason=reason)


def _matching(reasons: dict[str, str], texts: Sequence[str]) -> str:
    return next((reason for words, reason in reasons.items() if any(re.search(words, text) for text in texts)), "")


def is_below(comparison: Comparison) -> bool:
    """Whether our log-likelihood is lower than the reference's by more than what is rounding and a tolerated D."""
    values = [
        next((q.value for q in side.quantities if q.path == LOG_LIKELIHOOD), None)
        for side in (comparison.left, comparison.right)
    ]
    if not all(isinstance(value, float) for value in values):
        return True
    limit = yardstick(comparison.left, comparison.right).gap_limit.limit
    return float(values[0]) < float(values[1]) - limit  # type: ignore[arg-type]


def _left_error(comparison: Comparison) -> float:
    """Return how far, relatively, our log-likelihood is from the exact one at most."""
    rulings = () if comparison.evidence.adjudication is None else comparison.evidence.adjudication.rulings
    errors = [abs(r.left_error) / max(1.0, abs(r.exact)) for r in rulings if r.left_error is not None]
    return max(errors, default=float("inf"))


def _rounds_more(comparison: Comparison) -> bool:
    """Whether we are further from the exact log-likelihood than the reference, by what the referee says."""
    rulings = () if comparison.evidence.adjudication is None else comparison.evidence.adjudication.rulings
    ours = max((abs(r.left_error) for r in rulings if r.left_error is not None), default=float("inf"))
    theirs = max((abs(r.right_error) for r in rulings if r.right_error is not None), default=0.0)
    return not ours <= theirs
