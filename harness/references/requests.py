"""A case as R gets it: columns named v1 ... vk, the model as a tree of those names, numbers only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from harness.arrays import Codes, Matrix, Vector
from harness.cohorts.cohort import Cohort, Factor
from harness.gbtm.rows import read_rows
from harness.gbtm.spec import GbtmSpec
from harness.gbtm.working_columns import natural_spline
from harness.quantities import Point
from harness.references import wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What travels, the payload, and what does not.

    `names` maps v1 ... vk to the user's columns, `levels` the letters of factors to their levels; `pieces` maps what R
    calls a column of a variable, such as v3L2, to the atom of the formula and our name of the column.
    """

    payload: Mapping[str, Any]
    names: Mapping[str, str]
    levels: Mapping[str, tuple[str, ...]]
    pieces: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def label(self, level: str, columns: Sequence[str]) -> str:
        """Return our name of a level that R calls L3, or of a combination of the levels of several columns, L3:L1."""
        codes = [int(part.removeprefix("L")) - 1 for part in level.split(":")]
        return ":".join(self.levels[column][code] for column, code in zip(columns, codes, strict=True))

    def started_at(self, point: Point | None) -> "Request":
        """Return the request with a start, or as it is."""
        return self if point is None else self._with(start=np.array(point, dtype=np.float64))

    def with_points(self, points: Sequence[Point]) -> "Request":
        """Return the request with parameters at which the log-likelihood is wanted."""
        return self._with(points=[np.array(point, dtype=np.float64) for point in points])

    def asking(self, **more: Any) -> "Request":  # noqa: ANN401  # as below
        """Return the request with more in its model's tree."""
        return self._with(spec={**self.payload["spec"], **more})

    def _with(self, **more: Any) -> "Request":  # noqa: ANN401  # a payload holds any value that can travel
        return replace(self, payload={**self.payload, **more})


def gbtm_request(spec: GbtmSpec, cohort: Cohort) -> Request:
    """Return the request of a trajectory model.

    Covariates travel as the columns of their design, so that R codes none; on rows without an outcome they are missing.
    """
    subjects, (rows,) = read_rows((spec,), cohort)
    letters = {"v1": spec.outcome, "v3": spec.subject}
    further = {"trials": spec.trials, "exposure": spec.exposure}
    designs = {
        "covariates": rows.covariates.values,
        "common": rows.common.values,
        "membership": subjects.membership.values[rows.panel.subject],
        "basis": time_columns(spec, rows.time)[:, : None if spec.knots else 0],  # R forms powers itself
    }
    made: dict[str, Vector] = {}
    if spec.time is None:
        made["v2"] = np.zeros(cohort.n_rows)  # every class is constant, and R's formulas need no other case
    else:
        letters["v2"] = spec.time
    tree: dict[str, Any] = {"outcome": "v1", "time": "v2", "subject": "v3"}
    for role, name in further.items():
        tree[role] = None if name is None else f"v{len(letters) + len(made) + 1}"
        if name is not None:
            letters[tree[role]] = name
    for role, values in designs.items():
        tree[role] = wire.Text()
        for column in values.T:
            tree[role].append(f"v{len(letters) + len(made) + 1}")
            made[tree[role][-1]] = _on_all_rows(column, rows.cohort_row, cohort.n_rows)
    request = request_of(cohort, letters, {**tree, **_choices(spec)})
    return request._with(  # noqa: SLF001  # of this module
        columns={**request.payload["columns"], **{letter: _double(column) for letter, column in made.items()}}
    )


def _choices(spec: GbtmSpec) -> Mapping[str, Any]:
    """Return what of a spec is no column."""
    return {
        "family": spec.family,
        "orders": np.array(spec.orders, dtype=np.int64),
        "sigma": spec.sigma,
        "limits": None if spec.limits is None else np.array(spec.limits, dtype=np.float64),
        "zero_orders": None if spec.zero_orders is None else np.array(spec.zero_orders, dtype=np.int64),
        "random": spec.random,
        "random_covariance": spec.random_covariance,
        "random_scale": spec.random_scale,
        "errors": spec.errors,
    }


def time_columns(spec: GbtmSpec, times: Vector) -> Matrix:
    """Return the columns of time after the intercept, (n, highest order), at the times of the rows used."""
    if not spec.knots:
        return np.vander(times, max(spec.orders) + 1, increasing=True)[:, 1:]
    knots = np.array([times.min(), *spec.knots, times.max()])
    return natural_spline(times, knots)[:, : max(spec.orders)]


def _on_all_rows(values: Vector, rows: Codes, n_rows: int) -> Vector:
    column = np.full(n_rows, np.nan)
    column[rows] = values
    return column


def request_of(
    cohort: Cohort,
    letters: Mapping[str, str],
    tree: Mapping[str, Any],
    pieces: Mapping[str, tuple[str, str]] | None = None,
    as_factors: Collection[str] = (),
) -> Request:
    """Return the request of a model's tree; `letters` maps v1 ... vk to the columns that travel.

    Numeric columns with a letter of `as_factors` travel as factors, whose levels are their values in order.
    """
    columns = {letter: _column(cohort, name, as_factor=letter in as_factors) for letter, name in letters.items()}
    return Request(
        payload={
            "columns": {
                letter: _double(column) if isinstance(column, np.ndarray) else _factor(column)
                for letter, column in columns.items()
            },
            "spec": tree,
        },
        names=letters,
        levels={letter: column.levels for letter, column in columns.items() if isinstance(column, Factor)},
        pieces=pieces or {},
    )


def _column(cohort: Cohort, name: str, *, as_factor: bool) -> Vector | Factor:
    if name in cohort.factors:
        return cohort.factors[name]
    values = cohort.numeric[name]
    if not as_factor:
        return values
    known = np.unique(values[~np.isnan(values)])
    codes = np.where(np.isnan(values), -1, np.searchsorted(known, values))
    return Factor(codes=codes, levels=tuple(f"{value:.15g}" for value in known))


def _double(values: Vector) -> dict[str, Any]:
    return {"type": "double", "values": wire.with_missing(values, np.isnan(values))}


def _factor(factor: Factor) -> dict[str, Any]:
    codes = np.where(factor.codes < 0, wire.MISSING_INTEGER, factor.codes + 1)
    return {"type": "factor", "codes": codes, "n_levels": len(factor.levels)}
