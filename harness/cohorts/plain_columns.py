"""Columns that need no judgement cell by cell, because their type or their few distinct values answer for all cells.

What they return is what `harness.cohorts.cells.convert` would make of the same column; where that could report a
problem they return None and leave the column to it.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.arrays import Vector, read_only
from harness.cohorts.cohort import Factor
from harness.cohorts.levels import is_label, sorted_levels

# Every whole number up to here is a double.
_EXACT = 2**53
_WIDEST_DOUBLE = 8


def plain_numbers(series: pd.Series) -> Vector | None:
    """Return a numeric column as doubles, NaN where missing; None if a number is infinite or no double holds it."""
    dtype = series.dtype
    if not isinstance(dtype, np.dtype) or dtype.kind not in "fiu" or dtype.itemsize > _WIDEST_DOUBLE:
        return None
    values = series.to_numpy()
    if dtype.kind == "f":
        if np.isinf(values).any():
            return None
    elif len(values) and (values.max() > _EXACT or values.min() < -_EXACT):
        return None
    return read_only(values.astype(np.float64) + 0.0)  # -0.0 is 0.0, so that equal values have equal hashes


def plain_factor(series: pd.Series) -> Factor | None:
    """Return a column of labels as a factor; None if a label needs a closer look.

    Categories keep their order, texts are sorted (as numbers where all are whole numbers), and so are integers.
    """
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories = dtype.categories.tolist()
        return _factor(series.array.codes, categories) if _are_labels(categories) else None
    if isinstance(dtype, np.dtype) and dtype.kind in "iu":
        codes, numbers = pd.factorize(series.to_numpy())
        order = np.argsort(numbers)
        return _factor(np.argsort(order)[codes], map(str, numbers[order].tolist()))
    if isinstance(dtype, pd.StringDtype) or pd.api.types.infer_dtype(series, skipna=True) == "string":
        codes, found = pd.factorize(series)
        labels = found.to_numpy(dtype=object).tolist() if isinstance(found, pd.Index) else list(found)
        if not _are_labels(labels):
            return None
        levels = sorted_levels(labels)
        place = {level: code for code, level in enumerate(levels)}
        moved = np.array([*(place[label] for label in labels), -1], dtype=np.int64)
        return _factor(moved[codes], levels)
    return None


def _factor(codes: NDArray[np.integer], levels: Iterable[str]) -> Factor:
    return Factor(codes=read_only(codes.astype(np.int64)), levels=tuple(levels))


def _are_labels(values: Iterable[object]) -> bool:
    return all(type(value) is str and is_label(value) for value in values)
