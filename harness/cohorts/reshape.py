"""Bring a wide table, one row a subject, into long form, one row a visit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from harness.cohorts.cells import Cells
from harness.cohorts.schema import Column


def to_long(
    fixed: Sequence[Cells], repeated: Mapping[str, Mapping[float, Cells]], time: Column, n_subjects: int
) -> list[Cells]:
    """Return long columns: every subject at every time that any repeated column has, missing where it has none.

    `fixed` columns are repeated over the visits; `repeated` holds, by column name, the cells at each time.
    """
    times = sorted({at for cells in repeated.values() for at in cells})
    rows = np.repeat(np.arange(n_subjects), len(times))
    clock = Cells(
        column=time,
        numbers=np.tile(np.array(times, dtype=float), n_subjects),
        labels=[],
        unfit=np.zeros(len(rows), dtype=bool),
        problems=[],
    )
    return [*(_spread(cells, rows) for cells in fixed), clock, *(_stacked(cells, times) for cells in repeated.values())]


def _spread(cells: Cells, rows: np.ndarray) -> Cells:
    if cells.column.is_numeric:
        return replace(cells, numbers=cells.numbers[rows], unfit=cells.unfit[rows])
    return replace(cells, labels=[cells.labels[row] for row in rows], unfit=cells.unfit[rows])


def _stacked(at: Mapping[float, Cells], times: Sequence[float]) -> Cells:
    first = next(iter(at.values()))
    blank = np.full(len(first.numbers), np.nan)
    values = np.column_stack([at[time].numbers if time in at else blank for time in times])
    unfit = np.column_stack([at[time].unfit if time in at else blank > 0 for time in times])
    return replace(first, numbers=values.ravel(), unfit=unfit.ravel(), problems=[])
