"""Model D: the same means under other covariances of a patient's visits, and what that does to the last change."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from harness.api import fit_lmm
from harness.errors import SpecError
from harness.lmm.inference.contrasts import Contrast
from harness.lmm.result import LmmResult
from harness.study.cross_check import Asked, CrossChecks
from harness.study.parts import Later, Part
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Estimate, Table
from harness.study.shown import denominator, scale_title, signed

STRUCTURES = {
    "random_intercept": ("random intercept", "(1 | subject)"),
    "ar1": ("AR(1)", "ar1(visit | subject)"),
    "ar1_random_intercept": ("AR(1) and random intercept", "(1 | subject) + ar1(visit | subject)"),
    "car1": ("AR(1) in days", "car1(week | subject)"),
    "ar1h": ("AR(1), variances by visit", "ar1h(visit | subject)"),
    "unstructured": ("unstructured", "us(visit | subject)"),
}
"""By name, in words, and as a formula has them."""
SIMPLE = "random_intercept"
NOTABLE = 10.0
"""A difference of AIC beyond which the simpler model has no support (Burnham and Anderson 2002)."""
_HEADER = ("covariance", "log-likelihood (ML)", "parameters", "AIC", "BIC (rows)", "last change (REML)", "SE")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Structure:
    """One covariance: fitted by both criteria, with R's verdict on the REML fit."""

    by_ml: LmmResult
    by_reml: LmmResult
    asked: Asked


def covariance_structures(rows: pd.DataFrame, plan: StudyPlan, scale: str, checks: CrossChecks) -> Later:
    """Return, later, covariances by AIC and BIC, and the change to the last visit under each."""
    frame = rows[["subject", "visit", "week", scale]]
    found: dict[str, _Structure] = {}
    refused: list[str] = []
    for name, (words, text) in STRUCTURES.items():
        formula = f"{scale} ~ visit + {text}"
        try:
            by_ml, by_reml = fit_lmm(formula, frame, "ML"), fit_lmm(formula, frame)
        except SpecError as error:
            refused.append(f"{words}: {error}")
            continue
        found[name] = _Structure(by_ml=by_ml, by_reml=by_reml, asked=checks.ask(by_reml, "nlme"))
    n_all, limit = rows["subject"].nunique(), plan.small_cell_limit
    n = {name: denominator(one.by_reml.estimates.n_subjects, n_all, limit) for name, one in found.items()}
    return lambda: _part(plan, scale, found, refused, n)


def _part(
    plan: StudyPlan, scale: str, found: Mapping[str, _Structure], refused: list[str], n: Mapping[str, int | None]
) -> Part:
    title, last = scale_title(scale), plan.model_visits[-1]
    changes = {name: _last_change(one, last) for name, one in found.items()}
    rows: list[tuple[Cell, ...]] = [
        (
            STRUCTURES[name][0],
            one.by_ml.log_likelihood,
            one.by_ml.estimates.n_parameters,
            one.by_ml.aic,
            one.by_ml.bic,
            changes[name].estimate,
            changes[name].standard_error,
        )
        for name, one in found.items()
    ]
    best = STRUCTURES[min(found, key=lambda name: found[name].by_ml.aic)][0]
    values = [change.estimate for change in changes.values()]
    sentence = (
        f"{title}, covariances of visits: AIC is lowest for {best}; the change to {last} is between "
        f"{signed(min(values))} and {signed(max(values))} under all of them."
    )
    estimates = tuple(
        Estimate(
            path=f"{scale}.last_change.{name}",
            label=f"{title}, change to {last} with covariance: {STRUCTURES[name][0]} (model D)",
            value=change.estimate,
            standard_error=change.standard_error,
            lower=change.lower,
            upper=change.upper,
            p=change.p,
            denominator=n[name],
            check=found[name].asked.of(f"fixed[visit[{last}]].estimate", f"fixed[visit[{last}]].standard_error"),
        )
        for name, change in changes.items()
    )
    return Part(
        warnings=_too_simple(title, found, changes),
        paragraphs=(sentence,),
        tables=(
            Table(
                name=f"{scale}.covariances",
                caption=f"{title}: model D, covariances of a patient's visits",
                header=_HEADER,
                rows=tuple(rows),
                digits=(0, 2, 0, 1, 1, 2, 2),
                notes=(
                    "Criteria compare maximum likelihood fits of the same rows; estimates are of REML fits.",
                    *refused,
                ),
            ),
        ),
        estimates=estimates,
    )


def _last_change(one: _Structure, last: str) -> Contrast:
    return one.by_reml.contrast({f"visit[{last}]": 1.0}, "satterthwaite")


def _too_simple(title: str, found: Mapping[str, _Structure], changes: Mapping[str, Contrast]) -> tuple[str, ...]:
    """Return the warning that models A and B assume less correlation between near visits than there is."""
    best = min(found, key=lambda name: found[name].by_ml.aic)
    behind = found[SIMPLE].by_ml.aic - found[best].by_ml.aic if SIMPLE in found else 0.0
    if behind < NOTABLE:
        return ()
    errors = changes[best].standard_error, changes[SIMPLE].standard_error
    sentence = (
        f"{title}: a random intercept alone, as in models A and B, is {behind:.0f} behind the covariance "
        f"{STRUCTURES[best][0]} by AIC, under which the last change has a standard error of {errors[0]:.2f} instead of "
        f"{errors[1]:.2f}: limits and p values of A and B are likely too optimistic."
    )
    return (sentence,)
