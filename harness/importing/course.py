"""The rules of a subject's course: order of visits, infusions, follow-up, and who has what."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from harness.importing.fields import INFUSION_DATE, PROTOCOL
from harness.importing.mapping import ImportMapping
from harness.importing.records import Value
from harness.importing.rules import Hit


@dataclass(frozen=True, slots=True, kw_only=True)
class Attended:
    """A visit of a subject: its day, whether any score stands there, and what else was read."""

    line: int
    visit: str
    day: float | None
    has_score: bool
    known: Mapping[str, Value] = field(repr=False)


def course_hits(
    courses: Mapping[str, Sequence[Attended]], constants: Mapping[str, Mapping[str, Value]], mapping: ImportMapping
) -> list[Hit]:
    """Return all violations of the rules, subject by subject."""
    order = {visit.name: place for place, visit in enumerate(mapping.visits)}
    planned = {protocol.name: protocol.infusions for protocol in mapping.protocols}
    hits: list[Hit] = []
    for subject, found in courses.items():
        course = sorted(found, key=lambda attended: order[attended.visit])
        infused = _infused(course, mapping)
        hits += _order(course)
        hits += _intervals(infused)
        hits += _windows(course, infused, mapping)
        protocol = constants.get(subject, {}).get(PROTOCOL)
        took_place = [attended for attended in infused if attended.has_score or not mapping.dating.planned]
        hits += _numbers(course, took_place, planned.get(str(protocol)), mapping)
        hits += _scores(course, mapping)
    return hits


def _infused(course: Sequence[Attended], mapping: ImportMapping) -> list[Attended]:
    """Return the visits of infusions: those with the date of one where the file has such dates, else all."""
    at = {visit.name for visit in mapping.infusions}
    dated = mapping.dating.infusion_date is not None
    return [attended for attended in course if attended.visit in at and (not dated or INFUSION_DATE in attended.known)]


def _order(course: Sequence[Attended]) -> Iterator[Hit]:
    dated = [(attended, attended.day) for attended in course if attended.day is not None]
    for (earlier, first), (later, second) in pairwise(dated):
        if second <= first:
            found = f"the visit {later.visit!r} not after the visit {earlier.visit!r}"
            yield Hit(rule="visit_order", line=later.line, found=found)


def _intervals(infused: Sequence[Attended]) -> Iterator[Hit]:
    for earlier, later in pairwise(infused):
        if earlier.day is None or later.day is None or later.day <= earlier.day:
            continue  # what is out of order is said elsewhere
        if later.day - earlier.day > 14:
            found = f"more than 14 days from {earlier.visit!r} to {later.visit!r}"
            yield Hit(rule="infusion_interval", line=later.line, found=found)


def _windows(course: Sequence[Attended], infused: Sequence[Attended], mapping: ImportMapping) -> Iterator[Hit]:
    windows = {visit.name: visit.follow_up for visit in mapping.visits if visit.follow_up is not None}
    last = max((attended.day for attended in infused if attended.day is not None), default=None)
    for attended in course:
        window = windows.get(attended.visit)
        if window is None or attended.day is None or last is None:
            continue
        after, tolerance = window
        if abs(attended.day - last - after) > tolerance:
            found = f"the visit {attended.visit!r} outside {after:g} +/- {tolerance:g} days after the last infusion"
            yield Hit(rule="follow_up_window", line=attended.line, found=found)


def _numbers(
    course: Sequence[Attended], infused: Sequence[Attended], planned: int | None, mapping: ImportMapping
) -> Iterator[Hit]:
    if not mapping.infusions:
        return
    number = {visit.name: visit.infusion or 0 for visit in mapping.infusions}
    given = sorted(number[attended.visit] for attended in infused)
    line = course[0].line
    if planned is not None and given and given[-1] > planned:
        yield Hit(rule="more_infusions", line=line, found="more infusions than the protocol plans")
    if planned is not None and len(given) < planned:
        yield Hit(rule="fewer_infusions", line=line)
    if given and len(given) < given[-1]:
        yield Hit(rule="skipped_infusion", line=line)


def _scores(course: Sequence[Attended], mapping: ImportMapping) -> Iterator[Hit]:
    line = course[0].line
    scored = [attended.visit for attended in course if attended.has_score]
    first = mapping.first.name
    if not scored:
        yield Hit(rule="never_rated", line=line, found="a subject without any score")
    elif scored == [first]:
        yield Hit(rule="only_baseline", line=line)
    if first not in scored:
        yield Hit(rule="no_baseline", line=line)
