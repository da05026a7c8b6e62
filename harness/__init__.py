"""Mixed models and trajectory models in pure Python, cross-checked against R.

>>> import harness
>>> fit = harness.fit_lmm("madrs ~ visit * protocol + (1 + week | id)", data)
>>> print(fit.summary())
>>> harness.compare(fit, reference="lme4")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api import bootstrap_ratio, compare, fit_lmm, likelihood_ratio, load_fit
    from harness.choosing import (
        blrt,
        search_orders,
        select_classes,
        selection_stability,
        spurious_checks,
        vuong_lo_mendell_rubin,
    )
    from harness.cohorts import Cohort, cohort_from_frame, fixture_cohort, read_cohort, read_schema, simulate_ketamine
    from harness.comparison.figure import differences
    from harness.figures import overlay
    from harness.several_outcomes import (
        distal_outcome,
        fit_dual_trajectory,
        fit_multi_trajectory,
        membership_predictors,
        outcome_model,
    )
    from harness.trajectories import fit_gbtm

_HOMES = {
    "harness.api": ("bootstrap_ratio", "compare", "fit_lmm", "likelihood_ratio", "load_fit"),
    "harness.choosing": (
        "blrt",
        "search_orders",
        "select_classes",
        "selection_stability",
        "spurious_checks",
        "vuong_lo_mendell_rubin",
    ),
    "harness.comparison.figure": ("differences",),
    "harness.figures": ("overlay",),
    "harness.several_outcomes": (
        "distal_outcome",
        "fit_dual_trajectory",
        "fit_multi_trajectory",
        "membership_predictors",
        "outcome_model",
    ),
    "harness.trajectories": ("fit_gbtm",),
    "harness.cohorts": (
        "Cohort",
        "cohort_from_frame",
        "fixture_cohort",
        "read_cohort",
        "read_schema",
        "simulate_ketamine",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Cohort",
    "blrt",
    "bootstrap_ratio",
    "cohort_from_frame",
    "compare",
    "differences",
    "distal_outcome",
    "fit_dual_trajectory",
    "fit_gbtm",
    "fit_lmm",
    "fit_multi_trajectory",
    "fixture_cohort",
    "likelihood_ratio",
    "load_fit",
    "membership_predictors",
    "outcome_model",
    "overlay",
    "read_cohort",
    "read_schema",
    "search_orders",
    "select_classes",
    "selection_stability",
    "simulate_ketamine",
    "spurious_checks",
    "vuong_lo_mendell_rubin",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  # whatever the name stands for
    """Load a public name when it is first used: the process that runs R needs none of them, and pandas is slow."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
