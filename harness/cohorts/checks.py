"""What must hold for a table as a whole, beyond each of its cells. Messages give lines, never values."""

from collections.abc import Mapping, Sequence

import numpy as np

from harness.arrays import Codes, Mask
from harness.cohorts.cells import Cells
from harness.cohorts.levels import factor
from harness.cohorts.schema import Schema
from harness.cohorts.tables import shorter
from harness.errors import Problem

NO_SECOND_ROW = "Remove one of the two; the harness does not choose."


def long_key_problems(columns: Sequence[Cells], lines: Sequence[int]) -> list[Problem]:
    """Return missing subjects and times of a long table, and rows with the same subject and time (or visit)."""
    (subject,) = (cells for cells in columns if cells.column.role == "subject")
    times = [cells for cells in columns if cells.column.role == "time"]
    visits = [cells for cells in columns if cells.column.role == "visit"]
    problems = [found for time in times for found in _missing(time, lines)]
    problems += _missing(subject, lines)
    for key in (*times, *visits):
        problems += _repeated([subject, key], lines)
    return problems


def wide_key_problems(subject: Cells, lines: Sequence[int]) -> list[Problem]:
    """Return missing and repeated subjects of a wide table, before it is brought into long form."""
    return [*_missing(subject, lines), *_repeated([subject], lines)]


def outcome_problems(schema: Schema, columns: Mapping[str, Cells], lines: Sequence[int]) -> list[Problem]:
    """Return outcomes that say nothing and subjects of whom nothing is known, in a long table."""
    (subject,) = schema.with_role("subject")
    outcomes = [columns[column.name] for column in schema.with_role("outcome")]
    problems = [found for cells in outcomes for found in _uninformative(cells)]
    if not any(_is_empty(cells) for cells in outcomes):
        problems += _unobserved(columns[subject.name], outcomes, lines)
    return problems


def codes(cells: Cells) -> Codes:
    """Return integers that are equal where cells are equal, -1 where no value stands."""
    if not cells.column.is_numeric:
        return factor(cells.labels).codes
    found = np.unique(cells.numbers, return_inverse=True)[1].astype(np.int64)
    found[np.isnan(cells.numbers)] = -1
    return found


def _missing(cells: Cells, lines: Sequence[int]) -> list[Problem]:
    role = cells.column.role
    return [
        Problem(
            found=f"no {role}", expected=f"a {role} in every row", line=lines[row], column=shorter(cells.column.source)
        )
        for row in np.flatnonzero(cells.missing).tolist()
    ]


def _repeated(keys: Sequence[Cells], lines: Sequence[int]) -> list[Problem]:
    found = np.column_stack([codes(cells) for cells in keys])
    usable = np.flatnonzero((found >= 0).all(axis=1)).tolist()
    what = " and ".join(cells.column.role for cells in keys)
    first: dict[bytes, int] = {}
    problems = []
    for row in usable:
        earlier = first.setdefault(found[row].tobytes(), row)
        if earlier != row:
            problems.append(
                Problem(
                    found=f"the same {what} as in line {lines[earlier]}",
                    expected=f"each {what} once",
                    line=lines[row],
                    advice=NO_SECOND_ROW,
                )
            )
    return problems


def _uninformative(outcome: Cells) -> list[Problem]:
    name, values = outcome.column.name, outcome.numbers[~np.isnan(outcome.numbers)]
    if _is_empty(outcome):
        return [Problem(found="no value at all", expected="an outcome with values", column=name)]
    if len(values) > 1 and not outcome.unfit.any() and np.all(values == values[0]):
        return [Problem(found="the same value in every row", expected="an outcome that varies", column=name)]
    return []


def _is_empty(outcome: Cells) -> bool:
    return bool(outcome.missing.all())


def _unobserved(subject: Cells, outcomes: Sequence[Cells], lines: Sequence[int]) -> list[Problem]:
    observed: Mask = np.logical_or.reduce([~cells.missing for cells in outcomes])
    own = codes(subject)
    if np.any(own < 0):
        return []  # a row without its subject may hold the outcome that seems to be absent
    subjects, first_rows = np.unique(own, return_index=True)
    lacking = ~np.isin(subjects, own[observed])
    names = ", ".join(cells.column.name for cells in outcomes)
    return [
        Problem(
            found="a subject without any observed outcome",
            expected=f"at least one value of {names}",
            line=lines[row],
            advice="Leave such subjects out, and report how many they were.",
        )
        for row in first_rows[lacking].tolist()
    ]
