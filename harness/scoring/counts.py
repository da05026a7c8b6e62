"""How many subjects had an outcome, of how many with an answer."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from harness.errors import Problem, ScoringError
from harness.scoring.course import Course
from harness.scoring.endpoint import LAST_PREINFUSION, Denominator, EndOfTreatment, end_remission
from harness.scoring.remission import RemissionRule, remission
from harness.scoring.truth import Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """`events` of `n` subjects with an answer; `undefined` have none and are in neither number."""

    events: int
    n: int
    undefined: int = 0

    @property
    def rate(self) -> Fraction | None:
        """Events by n, None if nobody has an answer."""
        return Fraction(self.events, self.n) if self.n else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemissionCounts:
    """Remission among all, and among those who were not in remission at baseline, with how many were."""

    everyone: Count
    not_at_baseline: Count
    at_baseline: int


def count(truths: Iterable[Truth]) -> Count:
    """Return how many answers are True, of how many that are an answer."""
    found = Counter(truths)
    return Count(events=found[True], n=found[True] + found[False], undefined=found[None])


def count_by(truths: Sequence[Truth], labels: Sequence[str]) -> dict[str, Count]:
    """Return the count of each label, such as a protocol, sorted by label.

    Raises
    ------
    ScoringError
        Not one label for each answer.
    """
    _same_length(truths, labels)
    return {
        label: count(truth for truth, own in zip(truths, labels, strict=True) if own == label)
        for label in sorted(set(labels))
    }


def cross_tabulate(first: Sequence[Truth], second: Sequence[Truth]) -> Mapping[tuple[Truth, Truth], int]:
    """Return how many subjects have each pair of answers, unknown ones included; all nine pairs are there.

    Response and remission need this: each occurs without the other.
    """
    _same_length(first, second)
    found = Counter(zip(first, second, strict=True))
    answers: tuple[Truth, ...] = (True, False, None)
    return {(one, other): found[one, other] for one in answers for other in answers}


def remission_counts(
    all_courses: Iterable[Course],
    rule: RemissionRule,
    end: EndOfTreatment = LAST_PREINFUSION,
    denominator: Denominator = "observed",
    *,
    carry_baseline: bool = False,
) -> RemissionCounts:
    """Return remission at the end of treatment with and without those who were in remission before it began."""
    pairs = [
        (
            remission(course.baseline, RemissionRule(cut=rule.cut)),
            end_remission(course, rule, end, denominator, carry_baseline=carry_baseline),
        )
        for course in all_courses
    ]
    return RemissionCounts(
        everyone=count(at_end for _, at_end in pairs),
        not_at_baseline=count(at_end for at_baseline, at_end in pairs if not at_baseline),
        at_baseline=sum(at_baseline is True for at_baseline, _ in pairs),
    )


def _same_length(first: Sequence[object], second: Sequence[object]) -> None:
    if len(first) != len(second):
        problem = Problem(found=f"{len(first)} and {len(second)} entries", expected="one for each subject in both")
        raise ScoringError("counts", [problem])
