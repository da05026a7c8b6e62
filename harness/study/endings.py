"""How treatment ended for every patient, and the rates of each outcome by protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from harness.rates import Proportion
from harness.scoring import (
    Count,
    Course,
    EndOfTreatment,
    RemissionRule,
    Truth,
    count,
    end_remission,
    end_response,
    remission,
)
from harness.study.data import StudyData
from harness.study.firewall import require_comparable_follow_up
from harness.study.plan import Denominator, ScalePlan, StudyPlan

Outcome = Literal["response", "remission"]
OUTCOMES: tuple[Outcome, ...] = ("response", "remission")


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One way to ask whether patients responded or remitted.

    `ends` are by protocol. `planned` replaces the number of treatments of all protocols, so that they are looked at
    after as many; `without_remitted` leaves out patients who were in remission at baseline.
    """

    name: str
    label: str
    ends: Mapping[str, EndOfTreatment]
    denominator: Denominator
    carry_baseline: bool = False
    planned: int | None = None
    without_remitted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The rate of one outcome on one scale by protocol; `truths` are the answers by patient, None where there is none.

    `left_out` are the events and others of each protocol that the analysis leaves out of the primary one.
    """

    scale: str
    outcome: Outcome
    analysis: Analysis
    by_protocol: Mapping[str, Proportion]
    left_out: Mapping[str, Count]
    truths: Mapping[str, Truth] = field(repr=False)

    def may_be_shown(self, protocol: str, limit: int) -> bool:
        """Whether neither the events nor the others of a protocol are few, nor those of patients who were left out."""
        own, out = self.by_protocol[protocol], self.left_out[protocol]
        counts = (own.events, own.others, out.events, out.n - out.events, out.undefined, out.n + out.undefined)
        return all(number == 0 or number >= limit for number in counts)


def analyses_of(plan: StudyPlan) -> tuple[Analysis, ...]:
    """Return the primary analysis and those of the sensitivity table."""
    primary = Analysis(
        name="primary",
        label="primary",
        ends=plan.end_of_treatment,
        denominator=plan.denominator,
        carry_baseline=plan.carry_baseline,
    )
    others = [
        replace(primary, name=word, label=DENOMINATOR_LABELS[word], denominator=word)
        for word in plan.sensitivity_denominators
        if word != plan.denominator
    ]
    without = "without those in remission at baseline"
    others.append(replace(primary, name="not_remitted_before", label=without, without_remitted=True))
    fewest = min(plan.protocols.values())
    if max(plan.protocols.values()) > fewest:
        matched = dict.fromkeys(plan.protocols, EndOfTreatment())
        label = f"before treatment {fewest} in every protocol"
        others.append(replace(primary, name="matched", label=label, ends=matched, planned=fewest))
    for name, end in plan.alternative_ends.items():
        others.append(
            replace(
                primary, name=f"end {name}", label=f"end of treatment: {name}", ends=dict.fromkeys(plan.protocols, end)
            )
        )
    return (primary, *others)


DENOMINATOR_LABELS: Mapping[Denominator, str] = {
    "observed": "observed scores",
    "locf": "last observation carried forward",
    "nri": "non-response where missing",
}


def rates_of(data: StudyData, plan: StudyPlan, scale: ScalePlan, outcome: Outcome, analysis: Analysis) -> Rates:
    """Return the rates of an outcome by protocol.

    Raises
    ------
    DurabilityNotEstimable
        The end of treatment is a follow-up visit at which a protocol was hardly rated.
    """
    courses = _courses(data, scale, analysis)
    _refuse_unequal_follow_up(data, scale, courses, analysis)
    how = (analysis.denominator, analysis.carry_baseline)
    truths: dict[str, Truth] = {}
    for subject, course in courses.items():
        end = analysis.ends[data.protocol_of[subject]]
        truths[subject] = (
            end_response(course, plan.improvement, end, how[0], carry_baseline=how[1])
            if outcome == "response"
            else end_remission(course, scale.remission, end, how[0], carry_baseline=how[1])
        )
    before = RemissionRule(cut=scale.remission.cut)
    out = {
        subject: truths.pop(subject)
        for subject, course in courses.items()
        if analysis.without_remitted and remission(course.baseline, before)
    }
    counts, left_out = (
        {
            protocol: count(truth for subject, truth in found.items() if data.protocol_of[subject] == protocol)
            for protocol in plan.protocols
        }
        for found in (truths, out)
    )
    return Rates(
        scale=scale.name,
        outcome=outcome,
        analysis=analysis,
        by_protocol={protocol: Proportion(events=c.events, n=c.n) for protocol, c in counts.items()},
        left_out=left_out,
        truths=truths,
    )


def _courses(data: StudyData, scale: ScalePlan, analysis: Analysis) -> Mapping[str, Course]:
    """Return the courses, as if all protocols planned as many treatments where the analysis says so."""
    own = data.courses[scale.name]
    if analysis.planned is None:
        return own
    return {subject: replace(course, planned=analysis.planned) for subject, course in own.items()}


def _refuse_unequal_follow_up(
    data: StudyData, scale: ScalePlan, courses: Mapping[str, Course], analysis: Analysis
) -> None:
    """Refuse where somebody's treatment ends at a follow-up visit that not every protocol has."""
    used = []
    for subject, course in courses.items():
        place = analysis.ends[data.protocol_of[subject]].place(course)
        if place is not None and course.treatments[place] is None:
            used.append((subject, course.days[place]))
    if used:
        require_comparable_follow_up(data, visits_on(data, used), tuple(analysis.ends), [scale.name])


def visits_on(data: StudyData, ratings: Sequence[tuple[str, Fraction]]) -> list[str]:
    """Return the labels of the visits on which ratings took place, each once, in the order of the import."""
    cohort = data.cohort
    visits = cohort.factors["visit"]
    wanted = {(subject, float(day)) for subject, day in ratings}
    found = {
        visits.levels[visit]
        for subject, day, visit in zip(cohort.subjects.codes, cohort.numeric["day"].tolist(), visits.codes, strict=True)
        if (cohort.subjects.levels[subject], day) in wanted
    }
    return [visit for visit in visits.levels if visit in found]
