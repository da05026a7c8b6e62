"""The complete machine-readable report; `run.schema.json` beside this file is its published JSON Schema.

Everything of a run is in it, unshortened. Field names are those of the dataclasses; keys are sorted. JSON has no
numbers that are not finite: they are the strings "NaN", "Infinity" and "-Infinity". All text is ASCII, other characters
are escaped, so that the file survives any encoding.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from importlib import resources

import numpy as np

from harness.comparison.run import Run
from harness.comparison.verdict import Outcome
from harness.reports.ranking import compared, outcome_of
from harness.reports.summary import summarise

SCHEMA_VERSION = "1.0"

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def render(run: Run) -> str:
    """Return the run as JSON, the same text for the same run."""
    return json.dumps(document(run), indent=1, sort_keys=True, allow_nan=False) + "\n"


def document(run: Run) -> dict[str, Json]:
    """Return the run as JSON values."""
    return {"schema_version": SCHEMA_VERSION, "summary": _summary(run), "run": plain(run)}


def schema() -> str:
    """Return the JSON Schema of what `render` returns."""
    return resources.files("harness.reports").joinpath("run.schema.json").read_text(encoding="utf-8")


def plain(value: object) -> Json:  # noqa: PLR0911  # one return a type
    """Return a value of the harness as JSON values.

    Raises
    ------
    TypeError
        For a type that no report knows, rather than its repr.
    """
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | int() | str():
            return value
        case float():
            return _number(value)
        case np.generic() | np.ndarray():
            return plain(value.tolist())
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _ if is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"no JSON for {type(value).__name__}; expected a value of the harness")


def _number(value: float) -> Json:
    if math.isfinite(value):
        return float(value)
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _summary(run: Run) -> dict[str, Json]:
    summary = summarise(run)
    return {
        "overall": summary.overall.value,
        "headline": summary.headline,
        "pinned": list(summary.pinned),
        "not_compared": list(summary.not_compared),
        "not_given": list(summary.not_given),
        "engines": plain(summary.engines),
        "quantities": {outcome.value: run.count(outcome) for outcome in Outcome},
        "comparisons": [
            {
                "case": comparison.case,
                "left": comparison.left.engine,
                "right": comparison.right.engine,
                "source": comparison.right.source,
                "outcome": outcome_of(comparison).value,
                "compared": compared(comparison),
            }
            for comparison in run.comparisons
        ],
    }
