"""The columns of a table as numbers and labels, and every cell that is unfit or empty."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.arrays import Mask, Vector
from harness.cohorts.cells import Cells, convert
from harness.cohorts.cohort import Cohort, Factor
from harness.cohorts.frames import to_frame
from harness.cohorts.levels import factor
from harness.cohorts.plain_columns import plain_factor, plain_numbers
from harness.cohorts.schema import Column
from harness.cohorts.tables import Table, shorter
from harness.errors import Problem, SpecError, nearest


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parsed:
    """The columns of a table that were asked for, as numbers and as labels."""

    numeric: Mapping[str, Vector]
    factors: Mapping[str, Factor]


def as_frame(data: object) -> pd.DataFrame:
    """Return a DataFrame as it is, and a cohort as one.

    Raises
    ------
    SpecError
        If it is neither.
    """
    if isinstance(data, Cohort):
        return to_frame(data)
    if not isinstance(data, pd.DataFrame):
        found = f"{data!r:.40} of type {type(data).__name__}"
        raise SpecError(
            "predict", [Problem(found=found, expected="a pandas DataFrame or a Cohort, one row an occasion")]
        )
    return data


def column_problems(data: pd.DataFrame, columns: Sequence[Column]) -> Iterator[Problem]:
    """Yield columns that the table lacks or has twice, and that it has no rows."""
    present = list(data.columns)
    names = [name for name in present if isinstance(name, str)]
    if not len(data):
        yield Problem(found="no rows", expected="at least one row")
    for column in columns:
        count = present.count(column.name)
        if count == 0:
            advice = nearest(column.name, names)
            yield Problem(
                column=shorter(column.name), found="no such column", expected="it, the model needs it", advice=advice
            )
        elif count > 1:
            yield Problem(column=shorter(column.name), found=f"{count} columns of this name", expected="one")


def parsed_columns(data: pd.DataFrame, columns: Sequence[Column], may_miss: str) -> tuple[Parsed, list[Problem]]:
    """Return the columns, converted, and every cell that is unfit or empty."""
    numeric: dict[str, Vector] = {}
    factors: dict[str, Factor] = {}
    problems: list[Problem] = []
    for column in columns:
        series, name = data[column.name], column.name
        if column.is_numeric:
            plain = plain_numbers(series)
            if plain is not None:
                numeric[name], missing = plain, np.isnan(plain)
            else:
                cells = _cells(series, column)
                numeric[name], missing = cells.numbers, cells.missing
                problems += cells.problems
        else:
            label = plain_factor(series)
            if label is not None and _all_known(label, column):
                factors[name], missing = label, label.codes < 0
            else:
                cells = _cells(series, column)
                factors[name], missing = factor(cells.labels), cells.missing
                problems += cells.problems
        if name != may_miss:
            problems += _gaps(name, missing)
    return Parsed(numeric=numeric, factors=factors), problems


def _cells(series: pd.Series, column: Column) -> Cells:
    missing = series.isna().to_numpy()
    objects = [None if gap else cell for gap, cell in zip(missing, series.astype(object), strict=True)]
    table = Table(header=[column.name], columns={column.name: objects}, lines=range(1, len(objects) + 1), textual=False)
    return convert(table, column.name, column, decimal=".")


def _all_known(label: Factor, column: Column) -> bool:
    observed = {label.levels[code] for code in np.unique(label.codes).tolist() if code >= 0}
    return not column.levels or observed <= set(column.levels)


def _gaps(name: str, missing: Mask) -> Iterator[Problem]:
    for row in np.flatnonzero(missing).tolist():
        yield Problem(line=row + 1, column=shorter(name), found="no value", expected="one in every row")
