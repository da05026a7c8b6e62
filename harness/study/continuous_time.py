"""Model C: time as a number, with random intercepts and slopes; which curve, and whether the fit is a proper one."""

from collections.abc import Mapping

import pandas as pd

from harness.api import fit_lmm
from harness.convergence import Stop
from harness.lmm.result import LmmResult
from harness.study.cross_check import Asked, CrossChecks
from harness.study.mixed_estimates import METHOD, coefficients
from harness.study.parts import Later, Part
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Table
from harness.study.shown import denominator, scale_title

CURVES = {
    "straight line": "week",
    "parabola": "week + week^2",
    "logarithm of 1 + days": "log1p(day)",
}
"""Of the mean over time, and the fixed part of each."""
PRIMARY = "parabola"
RANDOM = ("(1 + week | subject)", "(1 + week || subject)", "(1 | subject)")
"""Tried in turn until a fit is no singular one."""
_HEADER = ("curve", "log-likelihood (ML)", "parameters", "AIC", "BIC (rows)", "covariance")


def continuous_time(rows: pd.DataFrame, plan: StudyPlan, scale: str, checks: CrossChecks) -> Later:
    """Return, later, the curves that were tried and the coefficients of the declared one."""
    frame = rows[["subject", "day", "week", scale]]
    tried = {words: fit_lmm(f"{scale} ~ {fixed} + {RANDOM[0]}", frame, "ML") for words, fixed in CURVES.items()}
    fit, random, passed = _proper(frame, scale)
    asked = checks.ask(fit, "pbkrtest")
    n = denominator(fit.estimates.n_subjects, rows["subject"].nunique(), plan.small_cell_limit)
    return lambda: _part(scale, tried, fit, asked, n=n, said=(random, passed))


def _proper(frame: pd.DataFrame, scale: str) -> tuple[LmmResult, str, tuple[str, ...]]:
    """Return the fit with the richest random part that is not singular, and the parts that were."""
    passed: list[str] = []
    for random in RANDOM[:-1]:
        fit = fit_lmm(f"{scale} ~ {CURVES[PRIMARY]} + {random}", frame)
        if fit.convergence.stop is Stop.OPTIMUM:
            return fit, random, tuple(passed)
        passed.append(f"{random}: {fit.convergence.stop.value}")
    return fit_lmm(f"{scale} ~ {CURVES[PRIMARY]} + {RANDOM[-1]}", frame), RANDOM[-1], tuple(passed)


def _part(
    scale: str,
    tried: Mapping[str, LmmResult],
    fit: LmmResult,
    asked: Asked,
    *,
    n: int | None,
    said: tuple[str, tuple[str, ...]],
) -> Part:
    title, (random, passed) = scale_title(scale), said
    wanted = {
        "week": (f"{scale}.curve.week", f"{title}, points a week at the start (model C)"),
        "week^2": (f"{scale}.curve.week_squared", f"{title}, points a week squared (model C)"),
    }
    table_rows: list[tuple[Cell, ...]] = [
        (
            words,
            one.log_likelihood,
            one.estimates.n_parameters,
            one.aic,
            one.bic,
            one.convergence.stop.value,
        )
        for words, one in tried.items()
    ]
    table = Table(
        name=f"{scale}.curves",
        caption=f"{title}: model C, the mean as a curve over time",
        header=_HEADER,
        rows=tuple(table_rows),
        digits=(0, 2, 0, 1, 1, 0),
        notes=(f"Each with {RANDOM[0]}, by maximum likelihood on the same rows; estimates are of REML fits.",),
    )
    warnings = tuple(f"{title}, model C with {text}; the next simpler random part was used." for text in passed)
    sentence = (
        f"{title}, model C: {scale} ~ {CURVES[PRIMARY]} + {random}, REML, ended at: {fit.convergence.stop.value}."
    )
    return Part(
        paragraphs=(sentence,),
        tables=(table,),
        estimates=coefficients(fit.inference(METHOD), asked, wanted, n),
        warnings=warnings,
    )
