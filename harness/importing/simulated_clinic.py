"""Simulate what a clinic would send: the same 24 patients as a REDCap export, a wide spreadsheet, and two files.

Scores come from `simulate_ketamine`; items share a total by fixed weights with some noise; the first infusion falls on
a random day of the start year. Labels of patients, notes and dates are as in real exports, so that tests can look for
them where none may be.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from harness.arrays import Vector
from harness.cohorts.ketamine_recipe import SUBJECTS as STUDY_SUBJECTS
from harness.cohorts.ketamine_recipe import Protocol
from harness.cohorts.random_stream import RandomStream
from harness.cohorts.simulate import SHIPPED_SEED as COHORT_SEED
from harness.cohorts.simulate import simulate_ketamine

SHIPPED_SEED = 11
SUBJECTS: Mapping[Protocol, int] = {"four": 12, "six": 12}
STUDY_SEED, STUDY_FILE = COHORT_SEED, "ketamine_redcap.csv"
"""The export of a whole study, whose scores are those of the shipped cohort ketamine_real."""
MADRS_WEIGHTS = np.array([3.5, 4.0, 3.2, 3.0, 1.8, 3.6, 3.7, 3.7, 3.3, 1.8])
GAD7_WEIGHTS = np.array([2.1, 2.0, 2.1, 2.0, 1.5, 1.8, 1.6])
MADRS_NAMES = (
    *("apparent_sadness", "reported_sadness", "tension", "sleep", "appetite", "concentration", "lassitude"),
    *("inability_to_feel", "pessimism", "suicidal"),
)
MADRS_COLUMNS = tuple(f"madrs_{k:02}_{name}" for k, name in enumerate(MADRS_NAMES, start=1))
GAD7_COLUMNS = tuple(f"gad7_{k}" for k in range(1, 8))

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """One visit that took place; scores are None where not rated."""

    number: str
    arm: int
    event: str
    visit: str
    day: date
    age: int
    sex: str
    madrs: int | None
    gad7: int | None
    madrs_items: Sequence[int]
    gad7_items: Sequence[int]
    gad7_day: date


def clinic_texts(seed: int = SHIPPED_SEED) -> dict[str, str]:
    """Return the simulated files by name."""
    visits = _visits(seed, SUBJECTS)
    return {
        "clinic_redcap.csv": _redcap(visits),
        "clinic_wide.csv": _wide(visits),
        "clinic_madrs.csv": _madrs_sheet(visits),
        "clinic_gad7.csv": _gad7_portal(visits),
    }


def write_clinic(folder: Path) -> None:
    """Write the files as they stand among the fixtures; the wide one is in Latin-1, as old spreadsheets are."""
    for name, text in clinic_texts().items():
        encoding = "latin-1" if name == "clinic_wide.csv" else "utf-8-sig" if name == "clinic_gad7.csv" else "utf-8"
        (folder / name).write_bytes(text.encode(encoding))


def study_export(seed: int = STUDY_SEED, subjects: Mapping[Protocol, int] = STUDY_SUBJECTS) -> str:
    """Return the REDCap export of a whole study."""
    return _redcap(_visits(seed, subjects))


def write_study_export(folder: Path) -> None:
    """Write the export of the study as it stands among the fixtures."""
    (folder / STUDY_FILE).write_text(study_export(), encoding="utf-8", newline="\n")


def simulated_clinic(seed: int = SHIPPED_SEED, subjects: Mapping[Protocol, int] = SUBJECTS) -> pd.DataFrame:
    """Return the visits that took place, in long form, as `simulate_ketamine` has them; labels are the clinic's."""
    frame = simulate_ketamine("real", seed, subjects)
    rated = frame["madrs"].notna() | frame["gad7"].notna()
    # A visit before a later one took place, even if nothing was rated there; a missed follow-up did not.
    later = rated[::-1].groupby(frame["subject"]).cummax()[::-1]
    kept = frame[rated | (later & frame["visit"].str.startswith("inf"))].copy()
    kept["subject"] = "MRN-" + (70000 + 137 * kept["subject"].str[1:].astype(int)).astype(str)
    return kept


def _visits(seed: int, subjects: Mapping[Protocol, int]) -> list[_Visit]:
    frame, stream = simulated_clinic(seed, subjects), RandomStream(seed)
    visits = []
    for number, rows in frame.groupby("subject", sort=True):
        start = date(int(rows["start_year"].iloc[0]), 1, 1) + timedelta(days=int(stream.integers(0, 330, 1)[0]))
        gaps = rows["day"].diff().fillna(0)
        for (_, row), gap in zip(rows.iterrows(), gaps, strict=True):
            day = start + timedelta(days=int(row["day"]))
            madrs, gad7 = (None if np.isnan(row[name]) else int(row[name]) for name in ("madrs", "gad7"))
            # The questionnaire is filled in on the evening before, unless the visit before was then.
            evening = timedelta(days=int(gap > 2 and stream.happens(0.5, 1)[0]))
            visits.append(
                _Visit(
                    number=str(number),
                    arm=1 if row["protocol"] == "four" else 2,
                    event={"fu_1wk": "week_1", "fu_1mo": "month_1"}.get(
                        row["visit"], "baseline" if row["visit"] == "inf1" else f"infusion_{row['visit'][3:]}"
                    ),
                    visit=row["visit"],
                    day=day,
                    age=int(row["age"]),
                    sex=row["sex"],
                    madrs=madrs,
                    gad7=gad7,
                    madrs_items=_items(madrs or 0, MADRS_WEIGHTS, 6, stream),
                    gad7_items=_items(gad7 or 0, GAD7_WEIGHTS, 3, stream),
                    gad7_day=day - evening,
                )
            )
    return visits


def _items(total: int, weights: Vector, highest: int, stream: RandomStream) -> list[int]:
    """Return items that make the total: its shares with noise, mended by single points at random places."""
    items = np.clip(np.rint(weights / weights.sum() * total + 0.56 * stream.normal(len(weights))), 0, highest)
    while (gap := total - items.sum()) != 0:
        place = int(stream.integers(0, len(weights) - 1, 1)[0])
        items[place] = np.clip(items[place] + np.sign(gap), 0, highest)
    return [int(item) for item in items]


def _redcap(visits: Sequence[_Visit]) -> str:
    """Return an export in which GAD-7 is a repeated instrument, -9 means not done, and some event rows are empty."""
    status = {"enrolment": "enrolment_complete", "madrs": "madrs_complete", "gad7": "gad7_complete"}
    header = [
        *("record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"),
        *("redcap_data_access_group", "age", "sex", "diagnosis___1", "diagnosis___2", status["enrolment"]),
        *("visit_date", *MADRS_COLUMNS, "madrs_total", "notes", status["madrs"]),
        *(*GAD7_COLUMNS, "gad7_8_difficult", "gad7_total", status["gad7"]),
    ]
    rows: list[Row] = []
    for visit in visits:
        who = {"record_id": visit.number, "redcap_data_access_group": "north"}
        event = {"redcap_event_name": f"{visit.event}_arm_{visit.arm}"}
        if visit.visit == "inf1":
            sex = {"F": "1", "M": "2"}[visit.sex]
            enrolment = {"redcap_event_name": f"enrolment_arm_{visit.arm}", "age": str(visit.age), "sex": sex}
            rows.append({**who, **enrolment, "diagnosis___1": "1", "diagnosis___2": "0", status["enrolment"]: "2"})
        madrs = dict.fromkeys([*MADRS_COLUMNS, "madrs_total"], "-9")
        if visit.madrs is not None:
            madrs = dict(zip(MADRS_COLUMNS, map(str, visit.madrs_items), strict=True)) | {
                "madrs_total": str(visit.madrs)
            }
        notes = "lives with sister,\nphone 555-0137" if visit.visit == "inf2" else ""
        rows.append({**who, **event, "visit_date": f"{visit.day}", **madrs, "notes": notes, status["madrs"]: "2"})
        if visit.gad7 is not None:
            gad7 = dict(zip(GAD7_COLUMNS, map(str, visit.gad7_items), strict=True))
            repeat = {"redcap_repeat_instrument": "gad7", "redcap_repeat_instance": "1"}
            rows.append(
                {
                    **who,
                    **event,
                    **repeat,
                    **gad7,
                    "gad7_8_difficult": "1",
                    "gad7_total": str(visit.gad7),
                    status["gad7"]: "2",
                }
            )
        if visit.visit == "fu_1wk":
            rows.append({**who, "redcap_event_name": f"month_6_arm_{visit.arm}"})
    return _csv(header, rows, ",")


def _wide(visits: Sequence[_Visit]) -> str:
    """Return one row a patient: semicolons, decimal commas, German words and dates."""
    names = sorted({visit.visit for visit in visits}, key=lambda name: (name.startswith("fu"), name != "fu_1wk", name))
    header = ["Patient", "Arm", "Alter", "Geschlecht", "Gewicht"]
    header += [f"{what}_{name}" for name in names for what in ("Datum", "MADRS", "GAD7")]
    rows: dict[str, dict[str, str]] = {}
    for visit in visits:
        own = rows.setdefault(visit.number, {"Patient": visit.number, "Arm": str({1: 4, 2: 6}[visit.arm])})
        own |= {
            "Alter": str(visit.age),
            "Geschlecht": {"F": "weiblich", "M": "m\N{LATIN SMALL LETTER A WITH DIAERESIS}nnlich"}[visit.sex],
        }
        own |= {"Gewicht": f"{60 + visit.age / 4:.1f}".replace(".", ",")}
        own[f"Datum_{visit.visit}"] = f"{visit.day:%d.%m.%Y}"
        own[f"MADRS_{visit.visit}"] = "" if visit.madrs is None else str(visit.madrs)
        own[f"GAD7_{visit.visit}"] = "" if visit.gad7 is None else str(visit.gad7)
    return _csv(header, list(rows.values()), ";")


def _madrs_sheet(visits: Sequence[_Visit]) -> str:
    """Return the clinicians' sheet: one row a visit, dates with the month first."""
    rows = [
        {
            "id": visit.number,
            "visit": visit.visit,
            "protocol": {1: "four", 2: "six"}[visit.arm],
            "date": f"{visit.day:%m/%d/%Y}",
            "age": str(visit.age),
            "sex": visit.sex,
            "MADRS_Total": "" if visit.madrs is None else str(visit.madrs),
        }
        for visit in visits
    ]
    return _csv(list(rows[0]), rows, ",")


def _gad7_portal(visits: Sequence[_Visit]) -> str:
    """Return the patients' portal: one row a questionnaire, some dated the evening before the visit."""
    rows = [
        {
            "mrn": visit.number,
            "completed": f"{visit.gad7_day}T20:15:00",
            **dict(zip(GAD7_COLUMNS, map(str, visit.gad7_items), strict=True)),
            "gad7_8_difficult": "2",
        }
        for visit in visits
        if visit.gad7 is not None
    ]
    return _csv(list(rows[0]), rows, ",")


def _csv(header: Sequence[str], rows: Sequence[Row], delimiter: str) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=header, restval="", delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
