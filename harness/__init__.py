"""Mixed models and trajectory models in pure Python, cross-checked against R.

>>> import harness
>>> fit = harness.fit_lmm("madrs ~ visit * protocol + (1 + week | id)", data)
>>> print(fit.summary())
>>> harness.compare(fit, reference="lme4")
"""

from harness.api import compare, fit_gbtm, fit_lmm
from harness.cohorts import Cohort, cohort_from_frame, fixture_cohort, read_cohort, read_schema, simulate_ketamine

__all__ = [
    "Cohort",
    "cohort_from_frame",
    "compare",
    "fit_gbtm",
    "fit_lmm",
    "fixture_cohort",
    "read_cohort",
    "read_schema",
    "simulate_ketamine",
]
