"""The end of treatment: which rating it is, and what stands in for one that is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from harness.errors import Problem, ScoringError
from harness.scoring.course import Course
from harness.scoring.exact import Score
from harness.scoring.improvement import RESPONSE, ImprovementRule, response
from harness.scoring.remission import RemissionRule, remission
from harness.scoring.truth import Truth

EndRule = Literal["last_preinfusion", "post_last", "window"]
Denominator = Literal["observed", "locf", "nri"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOfTreatment:
    """Which rating ends the treatment.

    - `last_preinfusion`: the one before the last planned treatment, when one treatment fewer has been received.
    - `post_last`: the first observed one that lies `window` days after the one before the last planned treatment.
    - `window`: the observed one within `window`, in days since the first treatment, that is nearest to `target` (the
      middle of the window if None); of two equally near ones the earlier.

    The baseline never is the end of treatment.

    Raises
    ------
    ScoringError
        A window that lacks, is not needed or has no days, or a target outside it.
    """

    rule: EndRule = "last_preinfusion"
    window: tuple[int, int] | None = None
    target: int | None = None

    def __post_init__(self) -> None:
        problems = []
        if self.rule not in {"last_preinfusion", "post_last", "window"}:
            expected = "'last_preinfusion', 'post_last' or 'window'"
            problems.append(Problem(found=f"rule {self.rule!r:.40}", expected=expected))
        if self.rule == "last_preinfusion":
            if self.window is not None:
                problems.append(Problem(found="a window for 'last_preinfusion'", expected="none"))
        elif self.window is None or not self.window[0] <= self.window[1]:
            problems.append(Problem(found=f"window {self.window!r}", expected="(first day, last day)"))
        if self.target is not None and (
            self.rule != "window" or self.window is None or not self.window[0] <= self.target <= self.window[1]
        ):
            problems.append(Problem(found=f"target {self.target!r}", expected="a day within the window of 'window'"))
        if problems:
            raise ScoringError("end of treatment", problems)

    def describe(self) -> dict[str, str]:
        """Return the rule in words."""
        if self.window is None:
            return {"end of treatment": "the rating before the last planned treatment (one treatment fewer received)"}
        first, last = self.window
        if self.rule == "post_last":
            what = f"the first rating {first} to {last} days after the one before the last planned treatment"
            return {"end of treatment": what}
        target = f"{float(self._target):g}"
        return {"end of treatment": f"the rating nearest to day {target} of those from day {first} to day {last}"}

    @property
    def _target(self) -> Fraction:
        first, last = self.window or (0, 0)
        return Fraction(first + last, 2) if self.target is None else Fraction(self.target)

    def place(self, course: Course) -> int | None:
        """Return which rating of a course ends the treatment, None if it is missing or was not scored."""
        last = course.place_of(course.planned)
        scored = [
            place for place, score in enumerate(course.scores) if score is not None and course.treatments[place] != 1
        ]
        if self.rule == "last_preinfusion":
            return last if last in scored else None
        days = self._days(course)
        if days is None:
            return None
        inside = [place for place in scored if days[0] <= course.days[place] <= days[1]]
        if self.rule == "post_last":
            return next((place for place in inside if last is not None and place > last), None)
        return min(inside, key=lambda place: abs(course.days[place] - self._target), default=None)

    def _days(self, course: Course) -> tuple[Fraction, Fraction] | None:
        """Return the first and last day of the window in a course's own days."""
        first, last = self.window or (0, 0)
        if self.rule == "window":
            return Fraction(first), Fraction(last)
        anchor = course.place_of(course.planned)
        return None if anchor is None else (course.days[anchor] + first, course.days[anchor] + last)

    def precedes(self, course: Course, place: int) -> bool:
        """Tell whether a rating is not later than the end of treatment, observed or not."""
        days = None if self.rule == "last_preinfusion" else self._days(course)
        return course.treatments[place] is not None if days is None else course.days[place] <= days[1]


LAST_PREINFUSION = EndOfTreatment()


def carried_forward(scores: tuple[Score, ...]) -> tuple[Score, ...]:
    """Return scores with each missing one replaced by the last observed one before it, if there is any."""
    filled: list[Score] = []
    for score in scores:
        filled.append(filled[-1] if score is None and filled else score)
    return tuple(filled)


def end_score(
    course: Course,
    end: EndOfTreatment = LAST_PREINFUSION,
    denominator: Denominator = "observed",
    *,
    carry_baseline: bool = False,
) -> Score:
    """Return the score at the end of treatment.

    With the denominator "locf" a missing one is the last observed one up to the end of treatment; the baseline is
    such a one only with `carry_baseline`. With "nri" it stays missing: non-response is imputed, not a score.
    """
    place = end.place(course)
    if place is not None:
        return course.scores[place]
    if denominator != "locf":
        return None
    earlier = tuple(
        course.scores[place]
        for place, treatment in enumerate(course.treatments)
        if end.precedes(course, place) and (treatment != 1 or carry_baseline)
    )
    return carried_forward(earlier)[-1] if earlier else None


def end_response(
    course: Course,
    rule: ImprovementRule = RESPONSE,
    end: EndOfTreatment = LAST_PREINFUSION,
    denominator: Denominator = "observed",
    *,
    carry_baseline: bool = False,
) -> Truth:
    """Tell whether a subject responded by the end of treatment.

    With "nri" a missing score is no response, provided that the baseline allows one; without it there is no answer.
    """
    score = end_score(course, end, denominator, carry_baseline=carry_baseline)
    if score is None and denominator == "nri":
        # A score that would answer if there were one shows whether the baseline allows an answer.
        return None if response(course.baseline, 0, rule) is None else False
    return response(course.baseline, score, rule)


def end_remission(
    course: Course,
    rule: RemissionRule,
    end: EndOfTreatment = LAST_PREINFUSION,
    denominator: Denominator = "observed",
    *,
    carry_baseline: bool = False,
) -> Truth:
    """Tell whether a subject was in remission at the end of treatment; with "nri" not, if the score is missing."""
    score = end_score(course, end, denominator, carry_baseline=carry_baseline)
    if score is None and denominator == "nri":
        return None if rule.also is not None and response(course.baseline, 0, rule.also) is None else False
    return remission(score, rule, baseline=course.baseline)


def common_end(ends: Mapping[str, EndOfTreatment], *, force: bool = False) -> str:
    """Return what a report must say about the ends of treatment of several protocols, nothing if they are the same.

    Raises
    ------
    ScoringError
        Protocols with different rules, which compare different things, unless `force`.
    """
    if len(set(ends.values())) <= 1:
        return ""
    rules = "; ".join(f"{protocol}: {end.describe()['end of treatment']}" for protocol, end in sorted(ends.items()))
    if not force:
        problem = Problem(found=rules, expected="one rule for all protocols", advice="Force it, and report it.")
        raise ScoringError("end of treatment", [problem])
    return f"The end of treatment was forced to differ between protocols: {rules}."
