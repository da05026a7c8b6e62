"""Two ends of a mixture's searches: which is the higher one, and whether the data tell them apart at all."""

from harness.comparison.tolerances import DEFAULT, Measure
from harness.comparison.verdict import Comparison, ObjectivePair, Outcome
from harness.engines import OurGbtm, OurSide
from harness.fuzzing.more_starts import log_likelihood_of
from harness.quantities import Kind

_EQUAL = 1e-8
"""To which two log-likelihoods are one, relatively."""

_ONE_SUBJECT = 1.01
"""By posteriors; the other subjects have a share of the class that is next to nothing."""

OWN_WORD = (
    "The reference ended at {right:.9g}; by its own log-likelihood our end has {ours:.9g}, and is the higher one."
)
EQUALLY_HIGH = "The log-likelihood is one function in both, and both ends are equally high, to {gap:.1g}."
SPURIOUS = (
    "At the reference's end a class of {count:.2g} subject has a sigma of its own, {sigma:.1g}: a spurious maximum, of"
    " which there is one a subject or more, and for which our starts don't look."
)


def higher_by_its_own_word(found: Comparison, near: float) -> str:
    """Return that the reference finds our end higher than its own; nothing if it does not, or is of another mind."""
    ours = _pair(found, "our optimum")
    right = log_likelihood_of(found.right)
    if ours is None or not _is_one(ours) or ours.right <= right + near:
        return ""
    return OWN_WORD.format(right=right, ours=ours.right)


def equally_high(found: Comparison) -> str:
    """Return that both ends are equally high and their parameters are not the same; nothing if it is otherwise.

    Where parameters agree and something else does not, that needs another cause.
    """
    pairs = [_pair(found, label) for label in ("our optimum", "optimum")]
    left, right = log_likelihood_of(found.left), log_likelihood_of(found.right)
    gap = abs(left - right)
    alike = all(pair is not None and _is_one(pair) for pair in pairs)
    moved = any(
        verdict.kind is Kind.OPTIMUM and verdict.quantity.startswith("class[") and verdict.outcome is Outcome.DISAGREE
        for verdict in found.verdicts
    )
    return EQUALLY_HIGH.format(gap=gap) if alike and moved and gap <= _EQUAL * max(1.0, abs(left)) else ""


def rests_on_one_subject(ours: OurSide, found: Comparison) -> str:
    """Return that the reference's end has a class of one subject with a sigma of its own; nothing if it has not."""
    if not isinstance(ours, OurGbtm) or ours.result.spec.sigma != "class":
        return ""
    said = {q.path: float(q.value) for q in found.right.quantities if isinstance(q.value, float)}
    for k in range(1, ours.result.spec.n_classes + 1):
        count = said.get(f"class[{k}].share.estimate", 1.0) * ours.result.design.n_subjects
        if 0.5 < count <= _ONE_SUBJECT:
            return SPURIOUS.format(count=count, sigma=said[f"class[{k}].sigma.estimate"])
    return ""


def _pair(found: Comparison, label: str) -> ObjectivePair | None:
    return next((pair for pair in found.evidence.objectives if pair.label == label), None)


def _is_one(pair: ObjectivePair) -> bool:
    limit = DEFAULT[Measure.OBJECTIVE].limit
    return abs(pair.left - pair.right) <= limit * max(1.0, abs(pair.left))
