"""What became of an improvement after the end of treatment: sustained response and relapse.

Both look at later ratings that were observed, within follow-up windows where a rule states them. Without any such
rating there is no answer. Nothing here compares protocols.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from harness.errors import Problem, ScoringError
from harness.scoring.course import Course
from harness.scoring.endpoint import LAST_PREINFUSION, EndOfTreatment, end_remission, end_response
from harness.scoring.improvement import RESPONSE, ImprovementRule, response
from harness.scoring.remission import RemissionRule
from harness.scoring.truth import Truth, all_of, any_of

Windows = tuple[tuple[int, int], ...]
RelapseBy = Literal["score", "loss_of_response", "score_and_loss"]
Among = Literal["responders", "remitters", "either"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """Which later ratings count: those within any of the windows, all if there are none.

    Windows are (first, last) days after the rating that precedes the last planned treatment.

    Raises
    ------
    ScoringError
        A window whose last day is before its first.
    """

    windows: Windows = ()

    def __post_init__(self) -> None:
        problems = [
            Problem(found=f"window ({first}, {last})", expected="(first day, last day)")
            for first, last in self.windows
            if first > last
        ]
        if problems:
            raise ScoringError("follow-up", problems)

    def describe(self) -> dict[str, str]:
        """Return the windows in words."""
        if not self.windows:
            return {"follow-up": "every later rating"}
        days = " or ".join(f"{first} to {last}" for first, last in self.windows)
        return {"follow-up": f"later ratings {days} days after the one before the last planned treatment"}

    def scores(self, course: Course, end: EndOfTreatment) -> list[Fraction]:
        """Return the observed scores after the end of treatment that count, in order."""
        place = end.place(course)
        if place is None:
            return []
        later = zip(course.days[place + 1 :], course.scores[place + 1 :], strict=True)
        return [score for day, score in later if score is not None and self._counts(course, day)]

    def _counts(self, course: Course, day: Fraction) -> bool:
        if not self.windows:
            return True
        anchor = course.place_of(course.planned)
        if anchor is None:
            return False
        return any(first <= day - course.days[anchor] <= last for first, last in self.windows)


EVERY_LATER = FollowUp()


@dataclass(frozen=True, slots=True, kw_only=True)
class RelapseRule:
    """Relapse of those who were responders, remitters or either at the end of treatment.

    `by` says what a relapse is: a score of at least `cut`; a response lost; or both at once. It must show at `visits`
    consecutive observed ratings; 2 asks more than a study with two follow-ups can well answer.

    Raises
    ------
    ScoringError
        A cut that lacks or is not needed, visits other than 1 or 2, or a response lost by those who may have had none.
    """

    by: RelapseBy
    cut: int | None = None
    visits: int = 1
    among: Among = "responders"

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise ScoringError("rule of relapse", problems)

    def describe(self) -> dict[str, str]:
        """Return the rule in words."""
        what = {
            "score": f"a score of at least {self.cut}",
            "loss_of_response": "a response no longer there",
            "score_and_loss": f"a score of at least {self.cut} and a response no longer there",
        }[self.by]
        who = {"responders": "responders", "remitters": "remitters", "either": "responders or remitters"}[self.among]
        times = "a single rating" if self.visits == 1 else f"{self.visits} consecutive observed ratings"
        return {"relapse": f"{what} at {times} after the end of treatment, among {who} at the end of treatment"}

    def _problems(self) -> Iterator[Problem]:
        words = (("by", self.by, ("score", "loss_of_response", "score_and_loss")),)
        for name, word, known in (*words, ("among", self.among, ("responders", "remitters", "either"))):
            if word not in known:
                yield Problem(found=f"{name} {word!r:.40}", expected=f"one of {', '.join(map(repr, known))}")
        whole = isinstance(self.cut, int) and not isinstance(self.cut, bool)
        if self.by == "loss_of_response" and self.cut is not None:
            yield Problem(found=f"cut {self.cut!r:.40}", expected="none with 'loss_of_response'")
        elif self.by != "loss_of_response" and not whole:
            yield Problem(found=f"cut {self.cut!r:.40}", expected="a whole number")
        if self.visits not in {1, 2} or isinstance(self.visits, bool):
            yield Problem(found=f"visits {self.visits!r:.40}", expected="1 or 2")
        if self.by != "score" and self.among != "responders":
            found = f"by {self.by!r} among {self.among!r}"
            yield Problem(found=found, expected="'responders': others may have no response to lose")


def sustained_response(
    course: Course,
    rule: ImprovementRule = RESPONSE,
    end: EndOfTreatment = LAST_PREINFUSION,
    follow_up: FollowUp = EVERY_LATER,
) -> Truth:
    """Tell whether a subject responded at the end of treatment and at every later rating that counts.

    None: the response at the end is unknown, or it is there and no later rating was observed.
    """
    if not (at_end := end_response(course, rule, end)):
        return at_end
    later = follow_up.scores(course, end)
    return all_of(response(course.baseline, score, rule) for score in later) if later else None


def relapse(
    course: Course,
    rule: RelapseRule,
    *,
    improvement: ImprovementRule = RESPONSE,
    remission: RemissionRule | None = None,
    end: EndOfTreatment = LAST_PREINFUSION,
    follow_up: FollowUp = EVERY_LATER,
) -> Truth:
    """Tell whether a subject relapsed after the end of treatment.

    None: the subject was not known to be one of those whom the rule is about, or fewer later ratings were observed than
    the rule needs.

    Raises
    ------
    ScoringError
        A rule about remitters without a rule of remission.
    """
    if not _at_risk(course, rule, improvement, remission, end):
        return None
    hits = [_hit(course, score, rule, improvement) for score in follow_up.scores(course, end)]
    if len(hits) < rule.visits:
        return None
    return any(all(hits[first : first + rule.visits]) for first in range(len(hits) - rule.visits + 1))


def _at_risk(
    course: Course,
    rule: RelapseRule,
    improvement: ImprovementRule,
    remission: RemissionRule | None,
    end: EndOfTreatment,
) -> Truth:
    responded = end_response(course, improvement, end)
    if rule.among == "responders":
        return responded
    if remission is None:
        problem = Problem(found="no rule of remission", expected=f"one, for a relapse among {rule.among!r}")
        raise ScoringError("rule of relapse", [problem])
    remitted = end_remission(course, remission, end)
    return remitted if rule.among == "remitters" else any_of((responded, remitted))


def _hit(course: Course, score: Fraction, rule: RelapseRule, improvement: ImprovementRule) -> bool:
    high = rule.cut is not None and score >= rule.cut
    if rule.by == "score":
        return high
    lost = response(course.baseline, score, improvement) is False
    return lost if rule.by == "loss_of_response" else high and lost
