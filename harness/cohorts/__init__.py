"""Cohorts: read tables by a schema, check them, simulate them."""

from harness.cohorts.cohort import Cohort, Factor
from harness.cohorts.fixtures import fixture_cohort
from harness.cohorts.reading import read_cohort
from harness.cohorts.schema import Column, FileOptions, Schema
from harness.cohorts.schema_file import read_schema

__all__ = ["Cohort", "Column", "Factor", "FileOptions", "Schema", "fixture_cohort", "read_cohort", "read_schema"]
