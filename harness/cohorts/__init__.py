"""Cohorts: read tables by a schema, check them, simulate them."""
