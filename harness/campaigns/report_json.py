"""The campaign as JSON: every number of the other reports, unrounded."""

import json
from collections.abc import Mapping
from typing import Any

from harness.campaigns.agreement import CellSummary, Rate
from harness.campaigns.report import Report
from harness.campaigns.report_words import SAME, cautions, headline

MOST_ROWS = 1000


def render(report: Report) -> str:
    """Return the document; of the disagreements it has the first thousand, the Parquet files have all."""
    plan = report.plan
    document = {
        "headline": headline(report),
        "cautions": cautions(report),
        "command": report.command,
        "started": report.started,
        "seconds": report.seconds,
        "complete": report.complete,
        "digest": report.digest,
        "digest_of": SAME,
        "versions": [dict(found) for found in report.versions],
        "replicates": {"computed": report.computed, "stored_before": report.stored, "deaths_of_workers": report.deaths},
        "plan": {
            "name": plan.name,
            "seed": plan.seed,
            "replicates": plan.replicates,
            "batch": plan.batch,
            "stop": plan.stop,
            "required": plan.required,
            "deadline": plan.deadline,
            "references": list(plan.references),
            "factors": {name: list(values) for name, values in plan.factors.items()},
            "model": dict(plan.model),
        },
        "agreement": _rate(report.overall),
        "cells": [
            {
                "key": one.cell.key,
                "label": one.label,
                "reference": one.cell.reference,
                "factors": dict(one.cell.factors),
                "standing": one.standing,
                "ended_early": one.ended_early,
                **_summary(one.summary),
            }
            for one in report.cells
        ],
        "disagreements": [dict(row) for row in report.disagreements[:MOST_ROWS]],
        "disagreements_left_out": max(len(report.disagreements) - MOST_ROWS, 0),
    }
    return json.dumps(_plain(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _summary(summary: CellSummary) -> Mapping[str, Any]:
    return {
        "agreement": _rate(summary.agreement),
        "outcomes": dict(summary.outcomes),
        "attributions": dict(summary.attributions),
        "better_optimum": dict(summary.better),
        "distance_quantiles": {f"{at:g}": value for at, value in summary.distances.items()},
        "replicates_with_distance": summary.n_distances,
        "digits_quantiles": {f"{at:g}": value for at, value in summary.digits.items()},
        "coverage": {
            one.kind: {parameter: _rate(rate) for parameter, rate in one.rates.items()} for one in summary.coverage
        },
        "left_seconds_median": summary.left_seconds,
        "right_seconds_median": summary.right_seconds,
        "seconds_ratio": summary.speed,
        "worst": None
        if summary.worst is None
        else {name: summary.worst[name] for name in ("replicate", "worst_quantity", "worst_ratio")},
    }


def _rate(rate: Rate) -> Mapping[str, Any]:
    return {"events": rate.events, "n": rate.n, "lower": rate.lower, "upper": rate.upper}


def _plain(value: Any) -> Any:  # noqa: ANN401  # any value of JSON
    """Return a value without numbers that JSON does not have: they become text."""
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case float() if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124  # NaN
            return str(value)
        case _:
            return value
