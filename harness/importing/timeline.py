"""Days since the first infusion: dates end here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from harness.errors import Problem
from harness.importing.fields import DATE, DAY, INFUSION_DATE
from harness.importing.mapping import ImportMapping
from harness.importing.records import Record
from harness.importing.rules import Hit


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The day of each record, None where it has none; the year of each subject's first infusion."""

    days: Sequence[float | None]
    start_years: Mapping[str, int] = field(repr=False)
    problems: Sequence[Problem]
    hits: Sequence[Hit]


def timeline_of(records: Sequence[Record], mapping: ImportMapping) -> Timeline:
    """Return the days of all records, counted from each subject's first infusion or first visit."""
    if mapping.dating.date is not None:
        found = _from_dates(records, mapping)
    elif mapping.dating.day is not None:
        found = _from_days(records, mapping)
    else:
        found = Timeline(days=[None] * len(records), start_years={}, problems=[], hits=[])
    nominal = {visit.name: visit.day for visit in mapping.visits}
    if mapping.dating.undated == "nominal" or (mapping.dating.date is None and mapping.dating.day is None):
        days: list[float | None] = [
            float(nominal[record.visit] or 0) if day is None else day
            for record, day in zip(records, found.days, strict=True)
        ]
        hits = [
            Hit(rule="nominal_day", line=record.line)
            for record, day in zip(records, found.days, strict=True)
            if day is None
        ]
        problems = [*found.problems]
    else:
        days, hits = list(found.days), []
        problems = [*found.problems, *_undated(records, found.days, found.start_years, mapping)]
    problems += _negative(records, days, mapping)
    return Timeline(days=days, start_years=found.start_years, problems=problems, hits=[*hits, *found.hits])


def _from_dates(records: Sequence[Record], mapping: ImportMapping) -> Timeline:
    first = mapping.first.name
    zero = {
        record.subject: start
        for record in records
        if record.visit == first and (start := _calendar(record, INFUSION_DATE) or _calendar(record, DATE))
    }
    problems, seen = [], set()
    for record in records:
        if record.subject not in zero and record.subject not in seen:
            seen.add(record.subject)
            if not {DATE, INFUSION_DATE} & record.unfit:
                problems.append(
                    Problem(
                        found=f"a subject without a date at the visit {first!r}",
                        expected="that date, because days are counted from it",
                        line=record.line,
                    )
                )
    days: list[float | None] = []
    for record in records:
        own, start = _calendar(record, DATE), zero.get(record.subject)
        days.append(float((own - start).days) if own is not None and start is not None else None)
    years = {subject: start.year for subject, start in zero.items()}
    return Timeline(days=days, start_years=years, problems=problems, hits=[*_order_of_the_day(records)])


def _from_days(records: Sequence[Record], mapping: ImportMapping) -> Timeline:
    days: list[float | None] = []
    problems = []
    for record in records:
        day = record.known.get(DAY)
        days.append(day if isinstance(day, float) else None)
        if record.visit == mapping.first.name and isinstance(day, float) and day != 0:
            problems.append(
                Problem(
                    found=f"another day than 0 at the visit {record.visit!r}",
                    expected="day 0, because days are counted from it",
                    line=record.line,
                )
            )
    return Timeline(days=days, start_years={}, problems=problems, hits=[])


def _undated(
    records: Sequence[Record], days: Sequence[float | None], dated: Mapping[str, int], mapping: ImportMapping
) -> list[Problem]:
    """Return the visits without a day; of subjects that can't be dated at all that was said already."""
    return [
        Problem(
            found="a visit without a date" if mapping.dating.date is not None else "a visit without a day",
            expected="one",
            line=record.line,
            advice='Declare undated = "nominal" to give such visits their nominal day.',
        )
        for record, day in zip(records, days, strict=True)
        if day is None
        and not {DATE, DAY} & record.unfit
        and (mapping.dating.date is None or record.subject in dated)
        and (DATE not in record.known)
    ]


def _negative(records: Sequence[Record], days: Sequence[float | None], mapping: ImportMapping) -> list[Problem]:
    screening = {visit.name for visit in mapping.visits if visit.screening}
    return [
        Problem(
            found=f"the visit {record.visit!r} before the first infusion",
            expected="a day from 0 on, except at screening",
            line=record.line,
        )
        for record, day in zip(records, days, strict=True)
        if day is not None and day < 0 and record.visit not in screening
    ]


def _order_of_the_day(records: Sequence[Record]) -> list[Hit]:
    """Return ratings that followed the infusion of their visit, and those of which the times do not tell."""
    hits = []
    for record in records:
        rated, infused = record.known.get(DATE), record.known.get(INFUSION_DATE)
        if not isinstance(rated, datetime) or not isinstance(infused, datetime):
            continue
        if rated.date() > infused.date() or (
            rated.date() == infused.date() and _has_clocks(rated, infused) and rated > infused
        ):
            hits.append(Hit(rule="rated_after_infusion", line=record.line, found="a rating after the infusion"))
        elif rated.date() == infused.date() and not _has_clocks(rated, infused):
            hits.append(Hit(rule="same_day_unclear", line=record.line))
    return hits


def _has_clocks(*moments: datetime) -> bool:
    return all((moment.hour, moment.minute, moment.second) != (0, 0, 0) for moment in moments)


def _calendar(record: Record, name: str) -> date | None:
    value = record.known.get(name)
    return value.date() if isinstance(value, datetime) else None
