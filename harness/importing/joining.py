"""Join a second file's scores to the visits of the first: same subject, nearest date within a stated gap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from harness.cohorts.tables import shorter
from harness.errors import Problem
from harness.importing.fields import DATE
from harness.importing.mapping import Ties
from harness.importing.records import Record
from harness.importing.rules import Hit


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which row of the second file each visit of the first has, and everything that found no place.

    All are places in the sequences that were joined; `ties` are rows, or visits, whose choice the declared rule made,
    and `undecided` those for which no rule is declared.
    """

    pairs: Mapping[int, int]
    without_row: Sequence[int]
    without_visit: Sequence[int]
    surplus: Sequence[int]
    tied_rows: Sequence[int]
    tied_visits: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The visits with their new scores, and what is to be said of the join."""

    records: Sequence[Record] = field(repr=False)
    problems: Sequence[Problem]
    hits: Sequence[Hit]


def nearest_matches(
    visits: Sequence[tuple[str, date]], rows: Sequence[tuple[str, date]], within_days: float, ties: Ties
) -> Match:
    """Return the join of (subject, date) pairs.

    Every row belongs to the nearest visit of its subject, if that is near enough; every visit then has the nearest of
    its rows, and the others are surplus. Of two that are equally near the rule chooses the earlier or the later date.
    """
    own: dict[str, list[int]] = {}
    for k, (subject, _) in enumerate(visits):
        own.setdefault(subject, []).append(k)
    claims: dict[int, list[int]] = {}
    without_visit, tied_rows, tied_visits, surplus = [], [], [], []
    for j, (subject, day) in enumerate(rows):
        near = {k: visits[k][1] for k in own.get(subject, []) if abs((visits[k][1] - day).days) <= within_days}
        if not near:
            without_visit.append(j)
            continue
        chosen, tied = _nearest(day, near, ties)
        claims.setdefault(chosen, []).append(j)
        tied_rows += [j] * tied
    pairs = {}
    for k, claimed in claims.items():
        pairs[k], tied = _nearest(visits[k][1], {j: rows[j][1] for j in claimed}, ties)
        tied_visits += [k] * tied
        surplus += [j for j in claimed if j != pairs[k]]
    return Match(
        pairs=pairs,
        without_row=[k for k in range(len(visits)) if k not in pairs],
        without_visit=without_visit,
        surplus=sorted(surplus),
        tied_rows=tied_rows,
        tied_visits=tied_visits,
    )


def joined(records: Sequence[Record], others: Sequence[Record], within_days: float, ties: Ties, second: str) -> Joined:
    """Return the records with the values of the second file's nearest rows; `second` names it in messages.

    Records and rows without a date can't be joined, and were reported already.
    """
    dated, usable = _dated(records), _dated(others)
    found = nearest_matches([key for _, key in dated], [key for _, key in usable], within_days, ties)
    whole = list(records)
    for at, row in found.pairs.items():
        source = others[usable[row][0]]
        added = {name: value for name, value in source.known.items() if name != DATE}
        place = dated[at][0]
        record = records[place]
        whole[place] = replace(record, known={**record.known, **added}, unfit=record.unfit | (source.unfit - {DATE}))
    row_lines = [others[j].line for j, _ in usable]
    visit_lines = [records[k].line for k, _ in dated]
    hits = [Hit(rule="joined", line=visit_lines[at]) for at in found.pairs]
    hits += [Hit(rule="join_without_row", line=visit_lines[at]) for at in found.without_row]
    hits += [Hit(rule="join_without_visit", line=row_lines[at], column=second) for at in found.without_visit]
    hits += [Hit(rule="join_surplus", line=row_lines[at], column=second) for at in found.surplus]
    hits += [Hit(rule="join_tie", line=row_lines[at], column=second) for at in found.tied_rows]
    hits += [Hit(rule="join_tie", line=visit_lines[at]) for at in found.tied_visits]
    problems: list[Problem] = []
    if ties == "error":
        problems += [_tie(f"line {row_lines[at]} of the second file", "visits") for at in found.tied_rows]
        problems += [
            _tie(f"the visit in line {visit_lines[at]}", "rows of the second file") for at in found.tied_visits
        ]
    if not found.pairs:
        what = "no row of the second file has the subject and a near date of any visit"
        problems.append(Problem(found=what, expected="at least one", column=shorter(second)))
    return Joined(records=whole, problems=problems, hits=hits)


def _dated(records: Sequence[Record]) -> list[tuple[int, tuple[str, date]]]:
    """Return the places of the records with a date, each with subject and date."""
    return [
        (k, (record.subject, moment.date()))
        for k, record in enumerate(records)
        if isinstance(moment := record.known.get(DATE), datetime)
    ]


def _nearest(day: date, candidates: Mapping[int, date], ties: Ties) -> tuple[int, bool]:
    """Return the candidate nearest to a day, and whether another one is as near."""
    gap = min(abs((other - day).days) for other in candidates.values())
    nearest = [k for k, other in candidates.items() if abs((other - day).days) == gap]
    sign = -1 if ties == "later" else 1
    return min(nearest, key=lambda k: (sign * candidates[k].toordinal(), k)), len(nearest) > 1


def _tie(what: str, others: str) -> Problem:
    return Problem(
        found=f"{what} with two {others} equally near",
        expected="one that is nearest",
        advice='Declare ties = "earlier" or "later" under [import.companion].',
    )
