"""Write what was imported in any of the shapes that can be imported, each with the mapping that reads it back.

The files hold new labels and days, never the original ones. What was checked at import is not checked again: the
mappings accept every rule.
"""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np

from harness.importing.fields import DAY, PROTOCOL
from harness.importing.layout import EVENT, INSTANCE, INSTRUMENT
from harness.importing.mapping import Covariate, Dating, ImportMapping, Score, TableFile
from harness.importing.pipeline import Imported
from harness.importing.rules import ACCEPTABLE

Row = Mapping[str, str]

FILE = TableFile(encoding="utf-8", delimiter=",", decimal=".")
SUBJECT = "record_id"
STATUS = ("enrolment_complete", "rating_complete")


def write_long(imported: Imported, path: Path) -> ImportMapping:
    """Write one row a visit; return the mapping that reads it."""
    constant, changing = _columns(imported)
    _write(path, [SUBJECT, "visit", *constant, *changing], _rows(imported))
    return replace(_mapping(imported), visit="visit")


def write_wide(imported: Imported, path: Path) -> ImportMapping:
    """Write one row a subject, with columns such as `madrs_v1`; return the mapping that reads it."""
    words = {visit.name: f"v{number}" for number, visit in enumerate(imported.mapping.visits, start=1)}
    constant, changing = _columns(imported)
    rows = []
    for _, own in groupby(_rows(imported), key=lambda row: row[SUBJECT]):
        whole: dict[str, str] = {}
        for row in own:
            whole |= {name: row[name] for name in (SUBJECT, *constant)}
            whole |= {f"{name}_{words[row['visit']]}": row[name] for name in changing}
        rows.append(whole)
    _write(path, [SUBJECT, *constant, *(f"{name}_{word}" for word in words.values() for name in changing)], rows)
    visits = tuple(replace(visit, named=(words[visit.name],)) for visit in imported.mapping.visits)
    return replace(_mapping(imported, suffix="_{visit}"), shape="wide", visits=visits)


def write_redcap(imported: Imported, path: Path) -> ImportMapping:
    """Write a longitudinal REDCap export whose arms are the protocols; return the mapping that reads it.

    What does not change in a subject stands at an event of its own, as REDCap projects have it.
    """
    mapping = imported.mapping
    arms = {protocol.name: f"arm_{k}" for k, protocol in enumerate(mapping.protocols, start=1)} or {"": "arm_1"}
    events = {visit.name: f"visit_{k}" for k, visit in enumerate(mapping.visits, start=1)}
    constant, changing = _columns(imported)
    constant = [name for name in constant if name != PROTOCOL]
    rows: list[Row] = []
    for subject, visits in groupby(_rows(imported), key=lambda row: row[SUBJECT]):
        group = list(visits)
        arm = arms[group[0].get(PROTOCOL, "")]
        enrolment = {name: group[0][name] for name in constant}
        rows.append({SUBJECT: subject, EVENT: f"enrolment_{arm}", STATUS[0]: "2", **enrolment})
        for row in group:
            rating = {name: row[name] for name in changing}
            rows.append({SUBJECT: subject, EVENT: f"{events[row['visit']]}_{arm}", STATUS[1]: "2", **rating})
    _write(path, [SUBJECT, EVENT, INSTRUMENT, INSTANCE, *constant, STATUS[0], *changing, STATUS[1]], rows)
    named = {visit: tuple(f"{event}_{arm}" for arm in arms.values()) for visit, event in events.items()}
    return replace(
        _mapping(imported),
        shape="redcap",
        protocol="",
        protocols=tuple(replace(protocol, named=(arms[protocol.name],)) for protocol in mapping.protocols),
        visits=tuple(replace(visit, named=named[visit.name]) for visit in mapping.visits),
        other_events=tuple(f"enrolment_{arm}" for arm in arms.values()),
    )


def _mapping(imported: Imported, suffix: str = "") -> ImportMapping:
    old = imported.mapping
    covariates = [
        replace(
            covariate,
            source=covariate.name + (suffix if covariate.changes else ""),
            levels={level: (level,) for level in covariate.levels},
            missing=(),
        )
        for covariate in old.covariates
    ]
    if old.start_year:
        covariates.append(Covariate(name="start_year", source="start_year", integer=True))
    return ImportMapping(
        name=old.name,
        shape="long",
        subject=SUBJECT,
        visits=tuple(replace(visit, named=(visit.name,)) for visit in old.visits),
        protocol=PROTOCOL if old.protocols else "",
        protocols=tuple(replace(protocol, named=(protocol.name,)) for protocol in old.protocols),
        scores=tuple(_score(score, imported, suffix) for score in old.all_scores),
        covariates=tuple(covariates),
        dating=Dating(day=DAY + suffix, planned=old.dating.planned),
        file=FILE,
        accept=tuple(ACCEPTABLE),
        time=old.time,
    )


def _score(score: Score, imported: Imported, suffix: str) -> Score:
    """Return where a score stands in the file; its total is as it was decided at import."""
    totals = imported.cohort.numeric[score.name]
    return replace(
        score,
        total=score.name + suffix,
        items=tuple(f"{name}{suffix}" for name in _item_names(score)) if score.items else (),
        range=score.total_range,
        integer=bool(np.all(np.isnan(totals) | (totals == totals.round()))),
        missing=(),
        differing="total",
    )


def _item_names(score: Score) -> list[str]:
    return [f"{score.name}_{number}" for number in range(1, len(score.items) + 1)]


def _columns(imported: Imported) -> tuple[list[str], list[str]]:
    """Return the columns that do not change in a subject, and those that do."""
    mapping = imported.mapping
    constant = [PROTOCOL] if mapping.protocols else []
    constant += [covariate.name for covariate in mapping.covariates if not covariate.changes]
    constant += ["start_year"] if mapping.start_year else []
    changing = [DAY, *(covariate.name for covariate in mapping.covariates if covariate.changes)]
    for score in mapping.all_scores:
        changing += [score.name, *(_item_names(score) if score.items else ())]
    return constant, changing


def _rows(imported: Imported) -> list[Row]:
    """Return the table with its items as texts, one row a visit, the visits of a subject together."""
    frame = imported.table.rename(columns={"subject": SUBJECT})
    for score in imported.mapping.all_scores:
        if score.items:
            items = imported.items[score.name].drop(columns=["subject", "visit"])
            frame[_item_names(score)] = items.to_numpy()
    return [{str(name): _text(cell) for name, cell in row.items()} for row in frame.to_dict("records")]


def _text(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    number = float(cell)  # type: ignore[arg-type]
    if math.isnan(number):
        return ""
    return str(int(number)) if number.is_integer() else repr(number)


def _write(path: Path, header: Sequence[str], rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(header), restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
