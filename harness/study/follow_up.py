"""What follow-up tells of each patient of one protocol, and of two protocols only where both were followed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.arrays import Vector
from harness.rates import Interval, Proportion, risk_difference
from harness.scoring import (
    Course,
    EndOfTreatment,
    Truth,
    count,
    end_remission,
    end_response,
    relapse,
    response,
    sustained_response,
)
from harness.study.data import StudyData
from harness.study.endings import visits_on
from harness.study.firewall import require_comparable_follow_up, require_follow_up, subjects_of
from harness.study.plan import ScalePlan, StudyPlan
from harness.two_samples.mean_intervals import welch


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One follow-up visit of one protocol on one scale.

    `changes` are scores minus those at the end of treatment, of patients who have both. `followed` says of each patient
    with a score at the end whether there is one at the visit. Of `responders` at the end, `kept` says who still
    responds, among those who were rated.
    """

    scale: str
    protocol: str
    visit: str
    changes: Vector
    followed: Mapping[str, bool] = field(repr=False)
    responders: int
    kept: Proportion

    @property
    def bounds(self) -> tuple[Proportion, Proportion]:
        """The share of all responders who kept the response if none of those not rated did, and if all did."""
        missing = self.responders - self.kept.n
        return (
            Proportion(events=self.kept.events, n=self.responders),
            Proportion(events=self.kept.events + missing, n=self.responders),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Afterwards:
    """What became of those who responded at the end of treatment, over all ratings that count.

    `at_risk` are those whom the rule is about; the others of them have too few ratings for an answer.
    """

    scale: str
    protocol: str
    question: str
    at_risk: int
    answered: Proportion


def follow_up_visits(data: StudyData, plan: StudyPlan, scale: ScalePlan, protocol: str) -> list[str]:
    """Return the follow-up visits after the end of treatment, which may itself be one."""
    ends = []
    for subject in subjects_of(data, protocol):
        course = data.courses[scale.name][subject]
        place = plan.end_of_treatment[protocol].place(course)
        if place is not None:
            ends.append((subject, course.days[place]))
    used = visits_on(data, ends)
    return [visit for visit in plan.follow_up_visits if visit not in used]


def visits_of(data: StudyData, plan: StudyPlan, scale: ScalePlan, protocol: str) -> Iterator[Visit]:
    """Yield what each follow-up visit of a protocol tells.

    Raises
    ------
    DurabilityNotEstimable
        The protocol has no follow-up.
    """
    require_follow_up(data, [protocol], [scale.name])
    end = plan.end_of_treatment[protocol]
    for visit in follow_up_visits(data, plan, scale, protocol):
        later = _scores_at(data, scale.name, visit)
        changes, followed, kept, responders = [], {}, [], 0
        for subject in subjects_of(data, protocol):
            course = data.courses[scale.name][subject]
            place = end.place(course)
            last = None if place is None else course.scores[place]
            if last is None:
                continue
            score = later.get(subject)
            followed[subject] = score is not None
            if score is not None:
                changes.append(score - float(last))
            if end_response(course, plan.improvement, end):
                responders += 1
                kept.append(None if score is None else response(course.baseline, score, plan.improvement))
        found = count(kept)
        yield Visit(
            scale=scale.name,
            protocol=protocol,
            visit=visit,
            changes=np.array(changes),
            followed=followed,
            responders=responders,
            kept=Proportion(events=found.events, n=found.n),
        )


def afterwards_of(data: StudyData, plan: StudyPlan, scale: ScalePlan, protocol: str) -> Iterator[Afterwards]:
    """Yield how many kept their response at every rating that counts, and how many relapsed by the declared rule.

    Raises
    ------
    DurabilityNotEstimable
        The protocol has no follow-up.
    """
    require_follow_up(data, [protocol], [scale.name])
    end = plan.end_of_treatment[protocol]
    own = [data.courses[scale.name][subject] for subject in subjects_of(data, protocol)]
    responders = [course for course in own if end_response(course, plan.improvement, end)]
    if plan.follow_up is not None:
        kept = [sustained_response(course, plan.improvement, end, plan.follow_up) for course in responders]
        yield _afterwards(scale, protocol, "sustained response", kept)
    if scale.relapse is not None and plan.follow_up is not None:
        at_risk = [course for course in own if _is_at_risk(course, scale, plan, end)]
        relapsed = [
            relapse(
                course,
                scale.relapse,
                improvement=plan.improvement,
                remission=scale.remission,
                end=end,
                follow_up=plan.follow_up,
            )
            for course in at_risk
        ]
        yield _afterwards(scale, protocol, "relapse", relapsed)


def compare_kept_response(
    data: StudyData, plan: StudyPlan, scale: ScalePlan, visit: str, *, other: str, reference: str
) -> Interval:
    """Return the difference of two protocols in how many responders still respond at a follow-up visit.

    Raises
    ------
    DurabilityNotEstimable
        One of the protocols was hardly rated at the visit; there is no way around it.
    """
    require_comparable_follow_up(data, [visit], [other, reference], [scale.name])
    found = {
        protocol: next(one.kept for one in visits_of(data, plan, scale, protocol) if one.visit == visit)
        for protocol in (other, reference)
    }
    return risk_difference(found[other], found[reference])


def compare_changes(
    data: StudyData, plan: StudyPlan, scale: ScalePlan, visit: str, *, other: str, reference: str
) -> tuple[Interval, float]:
    """Return the difference of two protocols in the mean change since the end of treatment, with Welch's p value.

    Raises
    ------
    DurabilityNotEstimable
        One of the protocols was hardly rated at the visit; there is no way around it.
    """
    require_comparable_follow_up(data, [visit], [other, reference], [scale.name])
    found = {
        protocol: next(one.changes for one in visits_of(data, plan, scale, protocol) if one.visit == visit)
        for protocol in (other, reference)
    }
    return welch(found[other], found[reference])


def _afterwards(scale: ScalePlan, protocol: str, question: str, truths: Sequence[Truth]) -> Afterwards:
    found = count(truths)
    answered = Proportion(events=found.events, n=found.n)
    return Afterwards(scale=scale.name, protocol=protocol, question=question, at_risk=len(truths), answered=answered)


def _is_at_risk(course: Course, scale: ScalePlan, plan: StudyPlan, end: EndOfTreatment) -> bool:
    """Tell whether a patient is one of those whom the rule of relapse is about."""
    responded = end_response(course, plan.improvement, end) is True
    remitted = end_remission(course, scale.remission, end) is True
    among = "responders" if scale.relapse is None else scale.relapse.among
    return {"responders": responded, "remitters": remitted, "either": responded or remitted}[among]


def _scores_at(data: StudyData, scale: str, visit: str) -> dict[str, float]:
    """Return the observed scores at a visit by patient."""
    cohort, visits = data.cohort, data.cohort.factors["visit"]
    here = visits.codes == (visits.levels.index(visit) if visit in visits.levels else -2)
    values = cohort.numeric[scale]
    rows = np.flatnonzero(here & ~np.isnan(values))
    return {cohort.subjects.levels[cohort.subjects.codes[row]]: float(values[row]) for row in rows}
