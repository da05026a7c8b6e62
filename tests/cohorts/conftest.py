"""A small trial that every cohort test can write to a file and break."""

import pytest

SCHEMA = """
[cohort]
name = "trial"

[columns.id]
role = "subject"

[columns.week]
role = "time"
unit = "weeks"

[columns.madrs]
role = "outcome"
unit = "points"
range = [0, 60]
integer = true
missing = [-9, "not done"]

[columns.dose]
role = "covariate"
unit = "mg/kg"

[columns.arm]
role = "factor"
levels = ["four", "six"]
"""
ROWS = """id,week,madrs,dose,arm
1,0,30,0.5,four
1,1.5,22,0.5,four
2,0,35,0.1,six
2,1.5,-9,0.1,six
10,0,28,,four
10,2,11,,four
"""


@pytest.fixture
def schema_text():
    return SCHEMA


@pytest.fixture
def rows_text():
    return ROWS


@pytest.fixture
def write(tmp_path):
    """Write a table and its schema; return their paths."""

    def write_both(rows=ROWS, schema=SCHEMA, name="trial.csv"):
        table, rules = tmp_path / name, tmp_path / "trial.toml"
        table.write_bytes(rows if isinstance(rows, bytes) else rows.encode())
        rules.write_text(schema, encoding="utf-8")
        return table, rules

    return write_both
