"""From the rows of an outcome to its `Response`."""

import numpy as np

from harness.arrays import Vector, read_only
from harness.gbtm.response import Response, coefficient_index
from harness.gbtm.rows import Rows
from harness.gbtm.spec import GbtmSpec
from harness.gbtm.working_columns import WorkingColumns, train_columns

GAUSSIAN = {"gaussian", "censored_normal"}


def build_response(spec: GbtmSpec, rows: Rows) -> tuple[Response, WorkingColumns]:
    """Return the response in working units and what makes its columns at other rows."""
    n_time = max(spec.orders)
    columns = train_columns(rows.time, rows.covariates.values, rows.common.values, n_time, spec.knots)
    X = columns.at(rows.time, rows.covariates.values, rows.common.values)
    n_covariates, n_common = len(rows.covariates.names), len(rows.common.names)
    in_all = np.r_[: 1 + n_covariates + min(spec.orders), X.shape[1] - n_common : X.shape[1]]
    pooled, scale, y = np.zeros(X.shape[1]), 1.0, rows.y
    if spec.family in GAUSSIAN:
        # Only columns that every class has: else a class of a lower order would not keep its zeros in working units.
        pooled[in_all], residuals = _pooled(rows.y, X[:, in_all], columns_only=spec.family == "gaussian")
        scale = float(np.sqrt(np.mean(residuals**2)))
        y = residuals / scale
    response = Response(
        y=read_only(np.array(y)),
        time=rows.time,
        offset=rows.offset,
        panel=rows.panel,
        X=read_only(X),
        index=coefficient_index(spec.orders, n_covariates, n_time, n_common),
        T=read_only(columns.raw_from_working()),
        scale=scale,
        pooled=read_only(pooled),
        names=("intercept", *rows.covariates.names, *time_names(spec, n_time), *rows.common.names),
        orders=spec.orders,
        n_covariates=n_covariates,
        n_common=n_common,
    )
    return response, columns


def _pooled(y: Vector, X: Vector, *, columns_only: bool) -> tuple[Vector, Vector]:
    """Return the coefficients of the pooled regression and its residuals; of a censored outcome only its mean."""
    mean = y.mean()  # taken off first: exact where the outcome has an offset that dwarfs its spread
    centred = y - mean
    coefficients = np.linalg.lstsq(X, centred, rcond=None)[0] if columns_only else np.zeros(X.shape[1])
    residuals = centred - X @ coefficients
    coefficients[0] += mean / X[0, 0]
    return coefficients, residuals


def time_names(spec: GbtmSpec, n_time: int) -> tuple[str, ...]:
    """Return the names of the columns of time: powers, or columns of the natural spline."""
    time = str(spec.time)
    if spec.knots:
        return tuple(time if k == 1 else f"ns({time})[{k}]" for k in range(1, n_time + 1))
    return tuple(power_name(time, k) for k in range(1, n_time + 1))


def power_name(time: str, power: int) -> str:
    """Return the name of a coefficient of a power of time, as in a formula."""
    return ("intercept", time)[power] if power < 2 else f"{time}^{power}"
