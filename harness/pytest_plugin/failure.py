"""What a failing item says."""

from harness.comparison.run import Skipped
from harness.comparison.verdict import Comparison, Verdict
from harness.quantities import Reading
from harness.reports.ranking import ratio
from harness.reports.words import both, name, number, sentence, times

MOST = 1000


def disagreement(comparison: Comparison, verdict: Verdict) -> str:
    """Return both values, how far they are apart, the limit with its basis, the cause and what to do."""
    left, right = both(verdict.left_value, verdict.right_value)
    lines = {
        comparison.left.engine: left,
        comparison.right.engine: right,
        "observed": f"{number(verdict.observed, 3)} {verdict.metric}, {times(ratio(verdict))} the limit",
        "limit": number(verdict.limit, 3),
        "basis": sentence(verdict.basis),
        "digits": number(verdict.digits, 3),
        "why": sentence(verdict.reason),
        "cause": cause(comparison),
        "next step": sentence(comparison.next_step),
    }
    head = f"{name(verdict.quantity)} of {name(comparison.case)}: ours and that of {engine(comparison.right)} disagree"
    width = max(map(len, lines))
    return "\n".join([head, *(f"  {label.ljust(width)}  {text}" for label, text in lines.items() if text)])


def no_comparison(found: Comparison | Skipped, mode: str) -> str:
    """Return why nothing was compared, and what to do."""
    if isinstance(found, Skipped):
        advice = "Install it, or record its results" if mode == "compare" else "Record its results"
        reason = sentence(found.reason).rstrip(".")
        return f"{name(found.case)}: {reason}. {advice}: --harness=record --harness-reason='...'"
    failures = [reading.failure for reading in (found.left, found.right) if reading.failure is not None]
    said = [sentence(failure.sentence, MOST) for failure in failures] or [cause(found), "no quantity was compared"]
    evidence = [sentence(failure.evidence, MOST) for failure in failures if failure.evidence]
    head = f"{name(found.case)}: nothing was compared with {engine(found.right)}"
    return "\n  ".join(text for text in (head, *said, *evidence, sentence(found.next_step)) if text)


def cause(comparison: Comparison) -> str:
    """Return the cause of a comparison's disagreement with its sentence."""
    if comparison.attribution is None:
        return ""
    return f"{comparison.attribution.value}: {sentence(comparison.sentence, MOST)}"


def engine(reading: Reading) -> str:
    """Return the name of an engine with its version and where its numbers come from."""
    version = reading.versions.get(reading.engine, "")
    return " ".join(text for text in (name(reading.engine), name(version, 24), f"({reading.source})") if text)
