"""Valid files that are damaged, each with the function that reads its like."""

import json
from functools import cache
from pathlib import Path

import hostile

from harness.campaigns.plan_file import read_plan
from harness.cases import read_case, read_own_case
from harness.claims.claims_file import read_claims
from harness.claims.spec_file import read_claims_spec
from harness.cohorts import read_cohort, read_schema
from harness.comparison.known import read_known
from harness.counterexamples.file_format import read_counterexample
from harness.importing.mapping_file import read_mapping
from harness.locations import fixtures_folder
from harness.references.pins import read_pin
from harness.scoring.instrument_file import read_instrument
from harness.study.study_file import read_study

SCHEMA = """
[cohort]
name = "mine"
[file]
delimiter = ","
missing = ["-9"]
[columns.id]
role = "subject"
[columns.week]
role = "time"
unit = "weeks"
[columns.score]
role = "outcome"
range = [0, 60]
integer = true
missing = [-9, "not done"]
[columns.arm]
role = "protocol"
levels = ["a", "b"]
[columns.dose]
role = "covariate"
"""
LMM = """
[model]
kind = "lmm"
formula = "score ~ week * arm + dose + (1 + week | id)"
criterion = "REML"
"""
GBTM = """
[model]
kind = "gbtm"
outcome = "score"
time = "week"
subject = "id"
orders = [1, 2]
family = "gaussian"
sigma = "shared"
n_starts = 3
seed = 1
"""
RATES = """
[model]
kind = "rates"
events = "score"
by = "arm"
"""
TABLE = "id,week,score,arm,dose\n" + "".join(
    f"p{i},{week},{20 + i % 7 - week + (i * week) % 3},{'ab'[i % 2]},{0.1 * i:.1f}\n"
    for i in range(8)
    for week in range(4)
)
INSTRUMENT = """
name = "anxiety_state"
title = "State anxiety"
rater = "self"
recall_days = 0
remission = 5
relapse = 8
[items]
names = ["calm", "tense", "upset"]
range = [1, 4]
reversed = ["calm"]
labels = { calm = "I feel calm" }
[missing]
least_answered = 3
least_ever = 2
[bands]
name = "our own"
ranges = { low = [3, 6], high = [7, 12] }
[subscales]
distress = ["tense", "upset"]
"""
COUNTEREXAMPLE = json.dumps(
    {
        "format": 1,
        "references": ["lme4"],
        "found": {"code": "hessian", "sentence": "x", "date": "2026-11-26", "by": "x", "versions": {"R": "4.2.2"}},
        "note": "x",
        "subject": "id",
        "time": "t",
        "model": {"kind": "lmm", "formula": "y ~ t + (1 | id)", "criterion": "REML"},
        "levels": {"arm": ["four", "six"]},
        "numbers": {"t": [0.0, 1.0] * 3, "y": [1.5, None, 2.0, 2.5, 3.0, 1.0]},
        "labels": {"id": ["s1", "s1", "s2", "s2", "s3", "s3"], "arm": ["four", None] * 3},
    },
    indent=1,
)


@cache
def texts(pattern):
    """Return the fixtures that fit a pattern; of long ones the beginning would be no file, so they are left out."""
    found = [path.read_text(encoding="utf-8") for path in sorted(fixtures_folder().glob(pattern))]
    return [text for text in found if len(text) < 60_000]


def case_file(chance, folder):
    read_case(hostile.written(folder / "a__b.toml", hostile.damaged(chance, chance.choice(texts("cases/*.toml")))))


def own_spec(chance, folder):
    data = hostile.written(folder / "mine.csv", TABLE)
    spec = SCHEMA + chance.choice((LMM, GBTM, RATES))
    read_own_case(data, hostile.written(folder / "mine.toml", hostile.damaged(chance, spec)))


def schema_file(chance, folder):
    read_schema(hostile.written(folder / "s.toml", hostile.damaged(chance, chance.choice(texts("cohorts/*.toml")))))


def table(chance, folder):
    suffix = chance.choice((".csv", ".csv", ".csv", ".tsv", ".tab", ".xlsx", ".sav", ".dta", ".xpt", ".exe", ""))
    read_cohort(hostile.written(folder / f"mine{suffix}", hostile.damaged(chance, TABLE)), _schema(folder))


def cells(chance, folder):
    """A table whose cells are hostile one by one, properly quoted."""
    rows = [line.split(",") for line in TABLE.splitlines()]
    for _ in range(chance.randint(1, 5)):
        row = chance.choice(rows)
        row[chance.randrange(len(row))] = hostile.text(chance)
    lines = (",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    read_cohort(hostile.written(folder / "mine.csv", "\n".join(lines)), _schema(folder))


def pin(chance, folder):
    source = hostile.damaged(chance, chance.choice(texts("pins/two_rates*.json") + texts("pins/orthodont*nlme.json")))
    read_pin(hostile.written(folder / "a.lme4.json", source))


def counterexample(chance, folder):
    read_counterexample(hostile.written(folder / "c.json", hostile.damaged(chance, COUNTEREXAMPLE)))


def claims(chance, folder):
    read_claims(hostile.written(folder / "c.csv", hostile.damaged(chance, texts("claims/ketamine.csv")[0])))


def claims_spec(chance, folder):
    read_claims_spec(hostile.written(folder / "c.toml", hostile.damaged(chance, texts("claims/ketamine.toml")[0])))


def study(chance, folder):
    plans = [text for text in texts("studies/*.toml") if "[study]" in text]
    hostile.written(folder / "bdi2.toml", texts("studies/bdi2.toml")[0])  # which one of them names
    read_study(hostile.written(folder / "study.toml", hostile.damaged(chance, chance.choice(plans))))


def mapping(chance, folder):
    read_mapping(hostile.written(folder / "m.toml", hostile.damaged(chance, chance.choice(texts("imports/*.toml")))))


def plan(chance, folder):
    read_plan(hostile.written(folder / "p.toml", hostile.damaged(chance, chance.choice(texts("campaigns/*.toml")))))


def known_differences(chance, folder):
    read_known(hostile.written(folder / "k.toml", hostile.damaged(chance, texts("known_differences.toml")[0])))


def instrument(chance, folder):
    scales = (INSTRUMENT, texts("studies/bdi2.toml")[0])
    read_instrument(hostile.written(folder / "i.toml", hostile.damaged(chance, chance.choice(scales))))


def _schema(folder: Path):
    path = folder / "schema.toml"
    if not path.exists():
        path.write_text(SCHEMA, encoding="utf-8")
    return path
