"""A case as R gets it: columns named v1 ... vk, the model as a tree of those names, numbers only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from harness.arrays import Vector
from harness.cohorts.cohort import Cohort, Factor
from harness.gbtm.spec import GbtmSpec
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
    """Return the request of a trajectory model."""
    tree = {
        "outcome": "v1",
        "time": "v2",
        "subject": "v3",
        "orders": np.array(spec.orders, dtype=np.int64),
        "sigma": spec.sigma,
    }
    return request_of(cohort, {"v1": spec.outcome, "v2": spec.time, "v3": spec.subject}, tree)


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
