"""What is in a cohort, in a table."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from harness.arrays import Mask, Vector
from harness.cohorts.cohort import Cohort


def describe(cohort: Cohort, by: str | None = None) -> pd.DataFrame:
    """Return n, missing, mean, standard deviation (n - 1) and range of every numeric column.

    One row a column, or one a column and value of `by`: a factor such as the visit, or a numeric column such as the
    time. Statistics of nothing, and the deviation of a single value, are NaN.

    Raises
    ------
    KeyError
        `by` is no column of the cohort.
    """
    rows = [
        {"column": name, **({} if by is None else {by: label}), **_statistics(cohort.numeric[name][inside])}
        for name in sorted(set(cohort.numeric) - {by})
        for label, inside in _parts(cohort, by).items()
    ]
    table = pd.DataFrame(rows)
    table.insert(1, "unit", [cohort.units.get(name, "") for name in table["column"]])
    return table


def _parts(cohort: Cohort, by: str | None) -> Mapping[object, Mask]:
    if by is None:
        return {"": np.ones(cohort.n_rows, dtype=bool)}
    if by in cohort.numeric:
        values = cohort.numeric[by]
        return {float(value): values == value for value in np.unique(values[~np.isnan(values)])}
    found = cohort.factors[by]
    return {level: found.codes == code for code, level in enumerate(found.levels) if np.any(found.codes == code)}


def _statistics(values: Vector) -> Mapping[str, float]:
    observed = values[~np.isnan(values)]
    n = len(observed)
    return {
        "n": n,
        "missing": len(values) - n,
        "mean": float(observed.mean()) if n else np.nan,
        "sd": float(observed.std(ddof=1)) if n > 1 else np.nan,
        "smallest": float(observed.min()) if n else np.nan,
        "largest": float(observed.max()) if n else np.nan,
    }
