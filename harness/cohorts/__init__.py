"""Cohorts: read tables by a schema, check them, simulate them."""

from harness.cohorts.cohort import Cohort, Factor
from harness.cohorts.describe import describe
from harness.cohorts.fixtures import fixture_cohort
from harness.cohorts.frames import cohort_from_frame, to_frame
from harness.cohorts.reading import read_cohort
from harness.cohorts.schema import Column, FileOptions, Schema
from harness.cohorts.schema_file import read_schema
from harness.cohorts.simulate import simulate_ketamine

__all__ = [
    "Cohort",
    "Column",
    "Factor",
    "FileOptions",
    "Schema",
    "cohort_from_frame",
    "describe",
    "fixture_cohort",
    "read_cohort",
    "read_schema",
    "simulate_ketamine",
    "to_frame",
]
