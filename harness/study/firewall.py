"""What the data of a study can't tell, refused by counts of patients and not by what rows there are.

A follow-up that only some protocols have can't tell the durability of one protocol from that of another, and a curve
says nothing about days on which nobody was rated. Only observed scores count, so empty rows change nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from harness.errors import Problem, StudyError
from harness.study.data import StudyData
from harness.study.shown import count_cell, scale_title
from harness.suppression import LIMIT

LEAST_PATIENTS = 10
LEAST_SHARE = 0.2
SPARSE_DAYS = 7.0
"""A curve may reach into days on which few were rated if enough were rated up to so many days earlier."""
SENTENCE = (
    "Durability comparisons between protocols could not be made because follow-up data were collected only in {present}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """How many patients of a protocol have a score, of how many."""

    protocol: str
    patients: int
    of: int

    @property
    def enough(self) -> bool:
        """Whether they are at least ten, and a fifth of the protocol."""
        return self.patients >= max(LEAST_PATIENTS, ceil(LEAST_SHARE * self.of))

    def __str__(self) -> str:
        shown = count_cell(self.patients, self.of, LIMIT)
        number = f"{shown}".replace("<", "fewer than").replace(">", "more than")
        return f"{number} of {self.of} patients in {self.protocol!r}"


class DurabilityNotEstimable(StudyError):  # noqa: N818  # named as what the data are, and known by this name
    """A question about follow-up that the data can't answer, with the data's own counts.

    `observed` has the counts of each protocol asked about; `visits` are the labels of follow-up visits, or empty for a
    question about a day.
    """

    def __init__(self, reason: str, observed: Sequence[Observed], visits: Sequence[str] = ()) -> None:
        self.reason = reason
        self.observed = tuple(observed)
        self.visits = tuple(visits)
        super().__init__("durability", [Problem(found=reason, expected="patients rated then in every protocol")])

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.reason, self.observed, self.visits)

    def __str__(self) -> str:
        return f"{self.reason}: {'; '.join(map(str, self.observed))}"


def require_comparable_follow_up(
    data: StudyData, visits: Sequence[str], protocols: Sequence[str], scales: Sequence[str] | None = None
) -> None:
    """Refuse to compare protocols at follow-up visits at which one of them was hardly rated.

    Parameters
    ----------
    data
        The study.
    visits
        Labels of visits; those in treatment are passed over.
    protocols
        Which protocols would be compared; one alone compares nothing.
    scales
        On which scales; all if None.

    Raises
    ------
    DurabilityNotEstimable
        At one of the follow-up visits a protocol has fewer than ten patients with a score, or fewer than a fifth.
    """
    if len(set(protocols)) < 2:
        return
    for visit in follow_up_of(data, visits):
        for scale in scales if scales is not None else data.courses:
            observed = [observed_at(data, visit, protocol, scale) for protocol in dict.fromkeys(protocols)]
            if not all(found.enough for found in observed):
                raise DurabilityNotEstimable(_said(observed, scale, visit), observed, (visit,))


def require_no_pooled_follow_up(data: StudyData, visits: Sequence[str], protocols: Sequence[str] | None = None) -> None:
    """Refuse a model of several protocols together whose visits reach into a follow-up that some of them lack.

    The late parts of its curves would rest on the other protocols alone.

    Raises
    ------
    DurabilityNotEstimable
        As for a comparison (`require_comparable_follow_up`).
    """
    require_comparable_follow_up(data, visits, protocols if protocols is not None else protocols_of(data))


def require_follow_up(data: StudyData, protocols: Sequence[str], scales: Sequence[str] | None = None) -> None:
    """Refuse to say anything about the follow-up of protocols that have none.

    Raises
    ------
    DurabilityNotEstimable
        At no follow-up visit one of the protocols has ten patients with a score, and a fifth.
    """
    visits = follow_up_of(data, [visit.name for visit in data.imported.mapping.visits])
    for scale in scales if scales is not None else data.courses:
        present = protocols_with_follow_up(data, scale)
        for protocol in protocols:
            if protocol not in present:
                best = max(
                    (observed_at(data, visit, protocol, scale) for visit in visits),
                    key=lambda found: found.patients,
                    default=Observed(protocol=protocol, patients=0, of=len(subjects_of(data, protocol))),
                )
                reason = f"{scale_title(scale)} after the last treatment present in protocols {{{', '.join(present)}}}"
                raise DurabilityNotEstimable(f"{reason}; absent, or nearly so, in {{{protocol}}}", [best], visits)


def require_within_observation(data: StudyData, protocol: str, day: float, scale: str | None = None) -> None:
    """Refuse to evaluate a curve of a protocol on a day after its patients were observed.

    The day must not be after the last rating of all, nor more than a week after the last day that ten patients and a
    fifth of them reach: one late patient is no follow-up.

    Parameters
    ----------
    data
        The study.
    protocol
        Whose curve it is.
    day
        Days since the first treatment.
    scale
        Which scale; any if None.

    Raises
    ------
    DurabilityNotEstimable
        The day lies outside what was observed.
    """
    last = np.array([_last_day(data, subject, scale) for subject in subjects_of(data, protocol)])
    reaching = int(np.sum(last >= day - SPARSE_DAYS))
    observed = Observed(protocol=protocol, patients=reaching, of=len(last))
    if not last.size or day > last.max():
        none = Observed(protocol=protocol, patients=0, of=len(last))
        raise DurabilityNotEstimable(f"no patient was rated on day {day:g} or later", [none])
    if not observed.enough:
        reason = f"too few patients were rated on day {day - SPARSE_DAYS:g} or later to tell of day {day:g}"
        raise DurabilityNotEstimable(reason, [observed])


def observed_at(data: StudyData, visit: str, protocol: str, scale: str) -> Observed:
    """Return how many patients of a protocol have a score of a scale at a visit."""
    subjects = data.cohort.subjects
    own = np.array([data.protocol_of[label] == protocol for label in subjects.levels])[subjects.codes]
    at = data.cohort.factors["visit"]
    here = at.codes == (at.levels.index(visit) if visit in at.levels else -2)
    scored = ~np.isnan(data.cohort.numeric[scale])
    patients = len(np.unique(subjects.codes[own & here & scored]))
    return Observed(protocol=protocol, patients=patients, of=len(subjects_of(data, protocol)))


def protocols_with_follow_up(data: StudyData, scale: str) -> tuple[str, ...]:
    """Return the protocols with enough patients rated at any follow-up visit."""
    visits = follow_up_of(data, [visit.name for visit in data.imported.mapping.visits])
    return tuple(
        protocol
        for protocol in protocols_of(data)
        if any(observed_at(data, visit, protocol, scale).enough for visit in visits)
    )


def follow_up_of(data: StudyData, visits: Sequence[str]) -> list[str]:
    """Return which of the visits follow the last treatment."""
    known = {visit.name: visit for visit in data.imported.mapping.visits}
    return [name for name in visits if name in known and known[name].infusion is None and not known[name].screening]


def protocols_of(data: StudyData) -> tuple[str, ...]:
    """Return the protocols in the order in which the import declares them."""
    named = [protocol.name for protocol in data.imported.mapping.protocols]
    return tuple(named or dict.fromkeys(data.protocol_of.values()))


def subjects_of(data: StudyData, protocol: str) -> list[str]:
    """Return the patients of a protocol."""
    return [subject for subject, own in data.protocol_of.items() if own == protocol]


def refusal_sentence(present: Sequence[str]) -> str:
    """Return what a paper says of a durability that can't be compared."""
    if not present:
        return "Durability could not be studied because follow-up data were collected in no protocol."
    return SENTENCE.format(present=" and ".join(repr(protocol) for protocol in present)) + "."


def _said(observed: Sequence[Observed], scale: str, visit: str) -> str:
    present = ", ".join(found.protocol for found in observed if found.enough)
    absent = ", ".join(found.protocol for found in observed if not found.enough)
    return (
        f"{scale_title(scale)} at {visit!r} present in protocols {{{present}}}; absent, or nearly so, in {{{absent}}}"
    )


def _last_day(data: StudyData, subject: str, scale: str | None) -> float:
    """Return the last day on which a patient has a score, minus infinity if there is none."""
    days = [
        float(day)
        for name, courses in data.courses.items()
        if (scale is None or name == scale) and subject in courses
        for day, score in zip(courses[subject].days, courses[subject].scores, strict=True)
        if score is not None
    ]
    return max(days, default=-np.inf)
