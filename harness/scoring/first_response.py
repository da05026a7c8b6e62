"""When a subject first responded: by day, between which days, and by the number of treatments."""

from dataclasses import dataclass
from fractions import Fraction

from harness.scoring.course import Course
from harness.scoring.improvement import RESPONSE, ImprovementRule, response


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeToResponse:
    """The first response during treatment, or until when there was none.

    `day` is that of the first rating with a response, else that of the last observed rating (right-censored). The
    response itself came after `after`, the last observed rating without it, and up to `until`, which is None where the
    time is censored: these are the two limits of an interval-censored time. `treatment` is the number of the treatment
    that the rating at `day` precedes, so that `treatments_received` is one less.
    """

    responded: bool
    day: Fraction
    after: Fraction
    until: Fraction | None
    treatment: int

    @property
    def treatments_received(self) -> int:
        """How many treatments had been received at `day`."""
        return self.treatment - 1


def time_to_response(course: Course, rule: ImprovementRule = RESPONSE) -> TimeToResponse | None:
    """Return when a subject first responded, by the ratings that precede a treatment.

    A subject who was never rated again is censored at the baseline. None: the baseline allows no answer.

    Notes
    -----
    In R, ``survival::Surv(after, until, type = "interval2")`` takes the limits, with NA for None.
    """
    first = course.place_of(1)
    if first is None or response(course.baseline, 0, rule) is None:
        return None
    after, last = course.days[first], 1
    for place in range(first + 1, len(course.days)):
        treatment, score = course.treatments[place], course.scores[place]
        if treatment is None or score is None:
            continue
        day = course.days[place]
        if response(course.baseline, score, rule):
            return TimeToResponse(responded=True, day=day, after=after, until=day, treatment=treatment)
        after, last = day, treatment
    return TimeToResponse(responded=False, day=after, after=after, until=None, treatment=last)
