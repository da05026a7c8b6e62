"""S9: what became of patients after treatment, in protocols that were followed up, and what can't be told."""

from collections.abc import Iterator, Sequence

import numpy as np

from harness.rates import Proportion, wilson
from harness.study.cross_check import CrossChecks
from harness.study.data import StudyData
from harness.study.durability_tables import (
    afterwards_table,
    changes_table,
    comparisons_table,
    followed_table,
    kept_table,
    may_be_shown,
)
from harness.study.firewall import (
    DurabilityNotEstimable,
    protocols_with_follow_up,
    refusal_sentence,
    require_comparable_follow_up,
    require_follow_up,
    subjects_of,
)
from harness.study.follow_up import Afterwards, Visit, afterwards_of, visits_of
from harness.study.observed_scores import draw_means
from harness.study.parts import Later, Part, section_of
from harness.study.plan import StudyPlan
from harness.study.section import Estimate, Picture, Section
from harness.study.shown import scale_title
from harness.study.two_sample_checks import Pending, Questions, answered
from harness.two_samples.mean_intervals import mean_interval

TITLE = "Durability"


def durability(data: StudyData, plan: StudyPlan, protocols: Sequence[str] | None = None) -> Section:
    """Return what follow-up tells of the protocols that have it, and the refusal of what it can't tell, unchecked.

    Parameters and errors are those of `begin_durability`.
    """
    return section_of("S9", TITLE, (later() for later in begin_durability(data, plan, None, protocols)))


def begin_durability(
    data: StudyData, plan: StudyPlan, checks: CrossChecks | None, protocols: Sequence[str] | None = None
) -> tuple[Later, ...]:
    """Return what finishes the section when R has answered.

    Parameters
    ----------
    data, plan
        The study.
    checks
        R, to be asked for the same numbers; None asks nobody.
    protocols
        Which protocols are asked about; those with follow-up if None.

    Raises
    ------
    DurabilityNotEstimable
        One of the protocols that were asked about has no follow-up.
    """
    if protocols is not None:
        require_follow_up(data, protocols)
    asked = {
        scale.name: tuple(
            protocol
            for protocol in (protocols if protocols is not None else plan.protocols)
            if protocol in protocols_with_follow_up(data, scale.name)
        )
        for scale in plan.scales
    }
    visits = [one for scale in plan.scales for p in asked[scale.name] for one in visits_of(data, plan, scale, p)]
    afterwards = [
        one for scale in plan.scales for p in asked[scale.name] for one in afterwards_of(data, plan, scale, p)
    ]
    refused = tuple(_refusals(data, plan))
    tables = [changes_table(visits, plan), kept_table(visits, plan), afterwards_table(afterwards, plan)]
    tables += [followed_table(data, plan, visits)]
    if not refused and len(plan.protocols) > 1:
        tables.append(comparisons_table(data, plan, visits))
    questions = Questions(checks)
    pending = [*_of_visits(visits, plan, questions), *_of_afterwards(afterwards, plan, questions)]
    return (
        lambda: Part(
            paragraphs=tuple(_paragraphs(data, plan, asked, refused=bool(refused))),
            tables=tuple(table for table in tables if table.rows),
            pictures=tuple(_pictures(data, plan, asked)),
            estimates=answered(pending),
            warnings=refused,
        ),
    )


def _refusals(data: StudyData, plan: StudyPlan) -> Iterator[str]:
    """Yield why protocols can't be compared after treatment, once for each scale."""
    for scale in plan.scales if plan.follow_up_visits else ():
        try:
            require_comparable_follow_up(data, plan.follow_up_visits, tuple(plan.protocols), [scale.name])
        except DurabilityNotEstimable as refusal:
            yield f"Not estimable. {refusal}."


def _paragraphs(data: StudyData, plan: StudyPlan, asked: dict[str, tuple[str, ...]], *, refused: bool) -> Iterator[str]:
    followed = tuple(dict.fromkeys(protocol for protocols in asked.values() for protocol in protocols))
    if refused or not followed:
        yield refusal_sentence(followed)
    if refused and "start_year" in data.cohort.numeric:
        years = [f"{_mean_year(data, protocol):.1f} in {protocol!r}" for protocol in plan.protocols]
        yield (
            f"Protocols were also given at different times: mean year of the first treatment {', '.join(years)}. "
            "What changed with the years can't be told from what the protocols did."
        )
    if followed:
        yield (
            "Changes are from the end of treatment to a follow-up visit, in patients who were rated at both. Of those "
            "who were not rated nothing is known: bounds count all of them as having lost their response, and as "
            "having kept it."
        )


def _mean_year(data: StudyData, protocol: str) -> float:
    subjects = set(subjects_of(data, protocol))
    years = {
        data.cohort.subjects.levels[code]: year
        for code, year in zip(data.cohort.subjects.codes, data.cohort.numeric["start_year"], strict=True)
    }
    return float(np.mean([year for subject, year in years.items() if subject in subjects]))


def _pictures(data: StudyData, plan: StudyPlan, asked: dict[str, tuple[str, ...]]) -> Iterator[Picture]:
    """Yield the means of protocols that were followed on all scales, through treatment and after it."""
    followed = [protocol for protocol in plan.protocols if all(protocol in own for own in asked.values())]
    if followed:
        visits = {
            protocol: (*plan.treatment_visits[: plan.protocols[protocol]], *plan.follow_up_visits)
            for protocol in followed
        }
        names = " and ".join(map(repr, followed))
        caption = f"Observed means with 95 % intervals in {names}, through treatment and follow-up"
        yield draw_means(data, plan, visits, name="follow_up_means", caption=caption)


def _of_visits(visits: Sequence[Visit], plan: StudyPlan, questions: Questions) -> Iterator[Pending]:
    for one in visits:
        where = f"{scale_title(one.scale)}, {one.protocol!r}, {one.visit}"
        if one.changes.size >= plan.small_cell_limit:
            found = mean_interval(one.changes)
            estimate = Estimate(
                path=f"{one.scale}.change_after_treatment.{one.protocol}.{one.visit}",
                label=f"mean change since the end of treatment, {where}",
                value=found.estimate,
                standard_error=float(one.changes.std(ddof=1) / np.sqrt(one.changes.size)),
                lower=found.lower,
                upper=found.upper,
                denominator=one.changes.size,
            )
            yield questions.means(one.changes).pending(estimate, "n[", "mean[")
        if one.kept.n and may_be_shown(one.kept, plan, of=one.responders):
            path = f"{one.scale}.kept_response.{one.protocol}.{one.visit}"
            yield _of_rate(one.kept, path, f"responders who still respond, {where}", questions)


def _of_afterwards(found: Sequence[Afterwards], plan: StudyPlan, questions: Questions) -> Iterator[Pending]:
    for one in found:
        if one.answered.n and may_be_shown(one.answered, plan, of=one.at_risk):
            path = f"{one.scale}.{one.question.replace(' ', '_')}.{one.protocol}"
            label = f"{one.question}, {scale_title(one.scale)}, {one.protocol!r}"
            yield _of_rate(one.answered, path, label, questions)


def _of_rate(rate: Proportion, path: str, label: str, questions: Questions) -> Pending:
    shown = wilson(rate)
    estimate = Estimate(
        path=path, label=label, value=shown.estimate, lower=shown.lower, upper=shown.upper, denominator=rate.n
    )
    return questions.counted(rate).pending(estimate, "events[", "total[", "rate[")
