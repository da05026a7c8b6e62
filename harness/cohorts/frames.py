"""Cohorts from pandas DataFrames and back, for notebooks."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd
from pandas.api import types

from harness.arrays import Vector, read_only
from harness.cohorts.cells import Cells, convert
from harness.cohorts.checks import long_key_problems
from harness.cohorts.cohort import Cohort, Factor
from harness.cohorts.levels import factor, number_label
from harness.cohorts.plain_columns import plain_factor, plain_numbers
from harness.cohorts.schema import Column, Role
from harness.cohorts.tables import Table, shorter
from harness.cohorts.violations import refuse
from harness.errors import Problem

TO_DAYS = "Convert it to days since the first visit, or leave the column out."


def cohort_from_frame(
    frame: pd.DataFrame,
    *,
    subject: str,
    time: str | None = None,
    name: str = "data",
    columns: Sequence[str] | None = None,
    factors: Sequence[str] = (),
) -> Cohort:
    """Return a long DataFrame, one row a visit, as a cohort.

    Columns of integers and floats (nullable ones too) become numeric; of booleans, categories and texts become
    factors; `subject` is a factor whatever it holds, and large integer ids stay exact. Categories keep their order,
    other labels are sorted (as numbers where all are whole numbers). None, NaN, pd.NA and blank texts are missing.
    Row numbers in messages count from 1, whatever the index.

    Parameters
    ----------
    frame
        The data; it is not changed.
    subject, time
        Names of columns; without `time`, rows of a subject are not checked for being distinct.
    name
        The cohort's name in reports.
    columns
        Which columns are looked at, besides subject and time; all if not given.
    factors
        Other columns that are factors whatever they hold, as numbered sites are.

    Raises
    ------
    CohortError
        Names that are unknown, repeated or no text; dates; complex or infinite numbers; integers that no double
        holds; numbers and texts in one column; missing subjects or times; the same subject and time twice; no rows.
        All problems are listed.
    """
    where = f"DataFrame {name!r}"
    keys = [subject] if time is None else [subject, time]
    wanted = list(dict.fromkeys([*keys, *(frame.columns if columns is None else columns)]))
    problems = _frame_problems(frame, wanted)
    if problems:
        refuse(where, problems)
    # With a time the rows of a subject are compared, for which both must be judged cell by cell.
    judged = [] if time is None else keys
    plain = [column for column in wanted if column not in judged]
    numeric, coded = _plain_columns(frame, plain, subject, {subject, *factors})
    others = [column for column in wanted if column not in numeric and column not in coded]
    table = Table(
        header=others,
        columns={column: _objects(frame[column]) for column in others},
        lines=range(1, len(frame) + 1),
        textual=False,
    )
    roles: dict[str | None, Role] = {**dict.fromkeys(factors, "factor"), time: "time", subject: "subject"}
    found: dict[str, Cells] = {}
    for column in others:
        role = _role(frame[column], table.columns[column], asked=roles.get(column))
        if isinstance(role, Problem):
            problems.append(role)
        else:
            found[column] = convert(table, column, Column(name=column, role=role, source=column), decimal=".")
            problems += found[column].problems
    if subject in found and (time is None or time in found):
        problems += long_key_problems(list(found.values()), table.lines)
    if problems:
        refuse(where, problems)
    for column, cells in found.items():
        if cells.column.is_numeric:
            numeric[column] = read_only(cells.numbers)
        else:
            coded[column] = factor(cells.labels, _categories(frame[column]))
    return Cohort(name=name, subject=subject, time=time, numeric=numeric, factors=coded)


def _plain_columns(
    frame: pd.DataFrame, columns: Sequence[str], subject: str, always: Collection[str]
) -> tuple[dict[str, Vector], dict[str, Factor]]:
    """Return those of the columns that raise no question, numbers and factors, which some are `always`.

    A subject raises none if no row lacks it.
    """
    numeric: dict[str, Vector] = {}
    factors: dict[str, Factor] = {}
    for column in columns:
        series = frame[column]
        if series.dtype.kind in "fiu" and column not in always:
            numbers = plain_numbers(series)
            if numbers is not None:
                numeric[column] = numbers
            continue
        labels = plain_factor(series)
        if labels is not None and not (column == subject and (labels.codes < 0).any()):
            factors[column] = labels
    return numeric, factors


def to_frame(cohort: Cohort) -> pd.DataFrame:
    """Return a cohort as a DataFrame: subject, time, then all other columns by name; factors are categories."""
    keys = [cohort.subject] if cohort.time is None else [cohort.subject, cohort.time]
    order = [*keys, *(column for column in cohort.columns if column not in keys)]
    return pd.DataFrame({column: _series(cohort, column) for column in order})


def _series(cohort: Cohort, column: str) -> pd.Categorical | np.ndarray:
    if column in cohort.numeric:
        return cohort.numeric[column].copy()
    found = cohort.factors[column]
    return pd.Categorical.from_codes(found.codes, categories=pd.Index(found.levels, dtype=object))


def _frame_problems(frame: pd.DataFrame, wanted: Sequence[object]) -> list[Problem]:
    problems = [Problem(found="no rows", expected="at least one row")] if frame.empty else []
    present = list(frame.columns)
    for column in wanted:
        if not isinstance(column, str):
            problems.append(Problem(found=f"a column named {column!r:.40}", expected="a text as name"))
        elif (count := present.count(column)) == 0:
            problems.append(Problem(found="no such column", expected="one of the frame's", column=shorter(column)))
        elif count > 1:
            problems.append(Problem(found=f"{count} columns of this name", expected="one", column=shorter(column)))
    return problems


def _objects(series: pd.Series) -> list[object]:
    """Return the cells as plain objects, None where missing."""
    missing = series.isna().to_numpy()
    return [None if gap else cell for gap, cell in zip(missing, series.astype(object), strict=True)]


def _role(series: pd.Series, cells: Sequence[object], asked: Role | None) -> Role | Problem:
    """Return what the column is: what was asked for if its values allow that, else a covariate or a factor."""
    kind = _kind(series, cells)
    column = shorter(str(series.name))
    if kind == "date":
        return Problem(found="dates or durations", expected="numbers or labels", column=column, advice=TO_DAYS)
    if kind not in {"number", "label"}:
        return Problem(found=kind, expected="numbers or labels throughout", column=column)
    if asked == "time" and kind == "label":
        return Problem(found="labels as time", expected="numbers", column=column)
    return asked or ("covariate" if kind == "number" else "factor")


def _kind(series: pd.Series, cells: Sequence[object]) -> str:
    """Return "number", "label", "date", or in words what else the column holds."""
    dtype = series.dtype
    if types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        return "date"
    if types.is_complex_dtype(dtype):
        return "complex numbers"
    if types.is_bool_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
        return "label"
    if types.is_numeric_dtype(dtype):
        return "number"
    sorts = {_sort(cell) for cell in cells if cell is not None}
    if len(sorts) > 1:
        return " and ".join(sorted(f"{sort}s" for sort in sorts)) + " in one column"
    return {"number": "number", "text": "label", "truth value": "label", "date": "date"}.get(
        sorts.pop() if sorts else "number", "objects that are neither"
    )


def _sort(cell: object) -> str:
    if isinstance(cell, str):
        return "text"
    if isinstance(cell, bool | np.bool_):
        return "truth value"
    if isinstance(cell, Real | Decimal):
        return "number"
    return "date" if hasattr(cell, "year") or hasattr(cell, "total_seconds") else "object"


def _categories(series: pd.Series) -> tuple[str, ...]:
    """Return the declared levels of a categorical column, none for any other."""
    if not isinstance(series.dtype, pd.CategoricalDtype):
        return ()
    return tuple(
        category if isinstance(category, str) else number_label(category)
        for category in series.dtype.categories
        if category != ""
    )
