"""The tidy long table and the cohort: re-keyed, without dates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from harness.arrays import Vector, read_only
from harness.cohorts.cohort import Cohort
from harness.cohorts.frames import to_frame
from harness.cohorts.levels import factor
from harness.importing.fields import PROTOCOL
from harness.importing.mapping import ImportMapping
from harness.importing.records import Record, Value
from harness.importing.rekeying import new_labels
from harness.importing.totals import ScoreColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """The cohort, the same as a table, the items of each scale, and old labels with their new ones."""

    cohort: Cohort
    table: pd.DataFrame
    items: Mapping[str, pd.DataFrame]
    labels: Mapping[str, str] = field(repr=False)


def assembled(
    mapping: ImportMapping,
    *,
    records: Sequence[Record],
    days: Sequence[float],
    scores: Mapping[str, ScoreColumn],
    constants: Mapping[str, Mapping[str, Value]],
    start_years: Mapping[str, int],
) -> Assembled:
    """Return what is known, one row a subject and visit, ordered by the new label and the visit."""
    infusion = {visit.name: float(visit.infusion - 1) for visit in mapping.visits if visit.infusion is not None}
    numeric: dict[str, list[float | None]] = {"day": list(days), "week": [day / 7 for day in days]}
    labels: dict[str, list[str | None]] = {"visit": [record.visit for record in records]}
    levels = {"visit": tuple(visit.name for visit in mapping.visits)}
    if infusion:
        numeric["infusion"] = [infusion.get(record.visit) for record in records]
    for name, column in scores.items():
        numeric[name] = list(column.totals)
    if mapping.protocols:
        labels[PROTOCOL] = [_text(constants[record.subject].get(PROTOCOL)) for record in records]
        levels[PROTOCOL] = tuple(protocol.name for protocol in mapping.protocols)
    for covariate in mapping.covariates:
        values = [
            record.known.get(covariate.name) if covariate.changes else constants[record.subject].get(covariate.name)
            for record in records
        ]
        if covariate.levels:
            labels[covariate.name] = [_text(value) for value in values]
            levels[covariate.name] = tuple(covariate.levels)
        else:
            numeric[covariate.name] = [value if isinstance(value, float) else None for value in values]
    if mapping.start_year:
        numeric["start_year"] = [float(start_years[record.subject]) for record in records]
    items = [column for score in scores.values() for column in zip(*score.items, strict=True)]
    subjects = new_labels(_texts(records, [*numeric.values(), *labels.values()]), _texts(records, items))
    place = {visit: k for k, visit in enumerate(levels["visit"])}
    order = sorted(range(len(records)), key=lambda k: (subjects[records[k].subject], place[records[k].visit]))
    labels["subject"] = [subjects[record.subject] for record in records]
    cohort = Cohort(
        name=mapping.name,
        subject="subject",
        time=mapping.time,
        numeric={name: read_only(_vector(values, order)) for name, values in numeric.items()},
        factors={name: factor([texts[k] for k in order], levels.get(name, ())) for name, texts in labels.items()},
        units={
            **{score.name: "points" for score in mapping.all_scores},
            **{covariate.name: covariate.unit for covariate in mapping.covariates if covariate.unit},
            "day": "days",
            "week": "weeks",
        },
    )
    table = _table(cohort, ["subject", PROTOCOL, "visit", *numeric, *labels])
    return Assembled(
        cohort=cohort,
        table=table,
        items={
            score.name: _items(table, score.scale.item_names, [scores[score.name].items[k] for k in order])
            for score in mapping.all_scores
            if score.scale is not None and score.items
        },
        labels=subjects,
    )


def _texts(records: Sequence[Record], columns: Sequence[Sequence[float | str | None]]) -> dict[str, list[str]]:
    """Return the rows of each subject as texts."""
    rows: dict[str, list[str]] = {}
    for k, record in enumerate(records):
        rows.setdefault(record.subject, []).append("\x1f".join(repr(column[k]) for column in columns))
    return rows


def _table(cohort: Cohort, order: Sequence[str]) -> pd.DataFrame:
    """Return the cohort as a table with its columns in a readable order."""
    return to_frame(cohort)[[name for name in dict.fromkeys(order) if name in cohort.columns]]


def _items(table: pd.DataFrame, names: Sequence[str], rows: Sequence[Sequence[float | None]]) -> pd.DataFrame:
    cells = {
        name: _vector(list(column), range(len(rows)))
        for name, column in zip(names, zip(*rows, strict=True), strict=True)
    }
    return pd.concat([table[["subject", "visit"]], pd.DataFrame(cells)], axis="columns")


def _vector(values: Sequence[float | None], order: Sequence[int]) -> Vector:
    return np.array([np.nan if values[k] is None else values[k] for k in order], dtype=np.float64)


def _text(value: Value | None) -> str | None:
    return None if value is None else str(value)
