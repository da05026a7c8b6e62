"""Inference on the fixed effects of a mixed model: degrees of freedom, tests, tables, intervals, robust errors."""
