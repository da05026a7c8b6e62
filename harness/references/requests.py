"""A case as R gets it: columns named v1 ... vk, the model as a tree of those names, numbers only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from harness.cohorts.cohort import Cohort
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
) -> Request:
    """Return the request of a model's tree; `letters` maps v1 ... vk to the columns that travel."""
    return Request(
        payload={"columns": {letter: _column(cohort, name) for letter, name in letters.items()}, "spec": tree},
        names=letters,
        levels={letter: cohort.factors[name].levels for letter, name in letters.items() if name in cohort.factors},
        pieces=pieces or {},
    )


def _column(cohort: Cohort, name: str) -> dict[str, Any]:
    if name in cohort.numeric:
        values = cohort.numeric[name]
        return {"type": "double", "values": wire.with_missing(values, np.isnan(values))}
    factor = cohort.factors[name]
    codes = np.where(factor.codes < 0, wire.MISSING_INTEGER, factor.codes + 1)
    return {"type": "factor", "codes": codes, "n_levels": len(factor.levels)}
