"""What is said about claims: a finding for every check, a verdict for every claim, and all of them together."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from harness.claims.claim import Claim
from harness.claims.printed import Printed, at_precision, span_text
from harness.claims.span import Span


class Answer(StrEnum):
    """Whether a claim holds."""

    CONSISTENT = "consistent"
    INCONSISTENT = "inconsistent"
    NOT_CHECKABLE = "not checkable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check of a claim.

    Attributes
    ----------
    check
        What was checked: a part of the claim against the data, a model, or numbers printed beside it.
    answer, reason
        The verdict, in one sentence with the numbers that it rests on.
    stands_for
        Which numbers the print can stand for; None where no number was judged.
    computed
        Which numbers the check allows; None where it has none.
    causes
        What would explain an inconsistency: each is another reading under which the print would hold.
    """

    check: str
    answer: Answer
    reason: str
    stands_for: Span | None = None
    computed: Span | None = None
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A claim with all its findings."""

    claim: Claim
    findings: tuple[Finding, ...]

    @property
    def answer(self) -> Answer:
        """Inconsistent if any check says so; not checkable if none could say anything."""
        answers = {finding.answer for finding in self.findings}
        for answer in (Answer.INCONSISTENT, Answer.CONSISTENT):
            if answer in answers:
                return answer
        return Answer.NOT_CHECKABLE

    @property
    def causes(self) -> tuple[str, ...]:
        """What would explain it, each cause once."""
        return tuple(dict.fromkeys(cause for finding in self.findings for cause in finding.causes))

    @property
    def deciding(self) -> tuple[Finding, ...]:
        """The findings that made the verdict."""
        return tuple(finding for finding in self.findings if finding.answer is self.answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """All claims of a table, judged; `notes` say what a reader must know of the models."""

    name: str
    judged: tuple[Judged, ...]
    data: str = ""
    notes: tuple[str, ...] = ()

    def count(self, answer: Answer) -> int:
        """Return how many claims have an answer."""
        return sum(one.answer is answer for one in self.judged)


def consistent(check: str, reason: str, *, stands_for: Span | None = None, computed: Span | None = None) -> Finding:
    """Return the finding that a claim holds."""
    return Finding(check=check, answer=Answer.CONSISTENT, reason=reason, stands_for=stands_for, computed=computed)


def inconsistent(
    check: str,
    reason: str,
    *,
    stands_for: Span | None = None,
    computed: Span | None = None,
    causes: Iterable[str] = (),
) -> Finding:
    """Return the finding that a claim does not hold."""
    return Finding(
        check=check,
        answer=Answer.INCONSISTENT,
        reason=reason,
        stands_for=stands_for,
        computed=computed,
        causes=tuple(dict.fromkeys(causes)),
    )


def not_checkable(check: str, reason: str) -> Finding:
    """Return the finding that a check can say nothing."""
    return Finding(check=check, answer=Answer.NOT_CHECKABLE, reason=reason)


def stands_for_text(printed: Printed, span: Span) -> str:
    """Return a print with the numbers that it stands for."""
    sign = "" if printed.relation == "=" else f"{printed.relation} "
    return f"{sign}{printed.text} stands for {span_text(span, printed.decimals)}"


def computed_text(printed: Printed, computed: Span) -> str:
    """Return what was computed, to more digits than were printed, and to as many."""
    exact = span_text(computed, printed.decimals)
    rounded = [at_precision(end, printed.unit, printed.decimals) for end in (computed.lower, computed.upper)]
    if printed.relation != "=" or rounded[0] != rounded[1] or rounded[0] == exact:
        return exact
    return f"{exact}, which is printed as {rounded[0]}"
