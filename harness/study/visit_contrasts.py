"""Model A: each visit against the baseline, whatever the protocol, with effect sizes by both of their definitions."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from harness.api import fit_lmm
from harness.lmm.means.marginal import MarginalMeans
from harness.lmm.result import LmmResult
from harness.study.cross_check import Asked, CrossChecks
from harness.study.mixed_estimates import METHOD, of_mean, row_of
from harness.study.model_rows import by_visit, own_visits
from harness.study.parts import Later, Part
from harness.study.plan import StudyPlan
from harness.study.section import Cell, Estimate, Table
from harness.study.shown import count_cell, denominator, p_cell, scale_title, signed

_HEADER = (
    *("visit", "n", "of", "mean", "SD", "model mean", "SE", "2.5 %", "97.5 %"),
    *("change", "SE of change", "lower", "upper", "p", "d (baseline)", "d (change)"),
)
_DIGITS = (0, 0, 0, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 3, 2, 2)
_METHOD = (
    "Random intercept, REML, Kenward-Roger degrees of freedom. Limits and p of changes hold together (Dunnett, by the "
    "joint t distribution); R is asked for each change by itself."
)
_SIZES = (
    "d (baseline) divides the change by the observed standard deviation at baseline, d (change) by that of the "
    "observed changes; they are different effect sizes."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """What was observed at a visit: how many of how many, mean and deviation, and the deviation of the change."""

    n: int
    of: int
    mean: float
    deviation: float
    n_changes: int
    change_deviation: float


def visit_model(rows: pd.DataFrame, scale: str) -> LmmResult:
    """Return the mixed model of visits with a random intercept, by REML."""
    return fit_lmm(f"{scale} ~ visit + (1 | subject)", rows[["subject", "visit", scale]])


def visit_contrasts(rows: pd.DataFrame, plan: StudyPlan, scale: str, fit: LmmResult, checks: CrossChecks) -> Later:
    """Return, later, means of visits and changes from baseline.

    Parameters
    ----------
    rows
        As `model_rows` gives them.
    plan, scale
        The study, and which of its scales.
    fit
        Of `visit_model`.
    checks
        R's verdicts.
    """
    asked = checks.ask(fit, "emmeans")
    return lambda: _part(rows, plan, scale, fit, asked)


def _part(rows: pd.DataFrame, plan: StudyPlan, scale: str, fit: LmmResult, asked: Asked) -> Part:
    title, first = scale_title(scale), plan.model_visits[0]
    visits = _observed(rows, plan, scale)
    n = denominator(fit.estimates.n_subjects, rows["subject"].nunique(), plan.small_cell_limit)
    means = fit.means("visit", df=METHOD)
    changes = means.contrasts("baseline", reference=first)
    found = _means(means, plan, scale, asked, n)
    changed = _changes(changes, plan, scale, asked, n)
    table = Table(
        name=f"{scale}.changes",
        caption=f"{title}: mixed model A, each visit against {first}",
        header=_HEADER,
        rows=tuple(_row(visit, visits, found[visit], changed.get(visit), plan) for visit in plan.model_visits),
        digits=_DIGITS,
        notes=(
            f"{scale} ~ visit + (1 | subject). {_METHOD}",
            _SIZES,
            *_late_visits(plan),
        ),
    )
    last = changed[plan.model_visits[-1]]
    size = abs(last.value / visits[first].deviation)
    sentence = (
        f"{title} changed by {signed(last.value)} points from {first} to {plan.model_visits[-1]} (simultaneous 95 % "
        f"limits {signed(last.lower or 0.0)} to {signed(last.upper or 0.0)}), {size:.2f} standard deviations of the "
        "baseline."
    )
    return Part(paragraphs=(sentence,), tables=(table,), estimates=(*found.values(), *changed.values()))


def _means(means: MarginalMeans, plan: StudyPlan, scale: str, asked: Asked, n: int | None) -> dict[str, Estimate]:
    found = {}
    for k, visit in enumerate(plan.model_visits):
        own = f"{METHOD}.means[{visit}]"
        found[visit] = of_mean(
            means,
            k,
            path=f"{scale}.mean.{visit}",
            label=f"{scale_title(scale)}, mean of model A at {visit}",
            n=n,
            check=asked.of(f"{own}.estimate", f"{own}.standard_error", f"{own}.df"),
            tested=False,
        )
    return found


def _changes(changes: MarginalMeans, plan: StudyPlan, scale: str, asked: Asked, n: int | None) -> dict[str, Estimate]:
    found, first = {}, plan.model_visits[0]
    for k, visit in enumerate(plan.model_visits[1:]):
        own = f"{METHOD}.contrasts[{first} - {visit}]"
        found[visit] = of_mean(
            changes,
            k,
            path=f"{scale}.change.{visit}",
            label=f"{scale_title(scale)}, change from {first} to {visit} (limits and p by Dunnett)",
            n=n,
            check=asked.of(f"{own}.estimate", f"{own}.standard_error", f"{own}.df"),
        )
    return found


def _row(
    visit: str, visits: Mapping[str, _Visit], mean: Estimate, change: Estimate | None, plan: StudyPlan
) -> tuple[Cell, ...]:
    seen, limit = visits[visit], plan.small_cell_limit
    # A mean of whole numbers with many digits would tell how many they are.
    observed: tuple[Cell, ...] = (None, None) if 0 < seen.n < limit else (round(seen.mean, 1), round(seen.deviation, 1))
    own = (visit, count_cell(seen.n, seen.of, limit), seen.of, *observed, *row_of(mean))
    if change is None:
        return (*own, *(None for _ in _HEADER[len(own) :]))
    sizes: tuple[Cell, ...] = (
        change.value / visits[plan.model_visits[0]].deviation,
        None if seen.n_changes < limit else change.value / seen.change_deviation,
    )
    return (*own, *row_of(change), p_cell(change.p or 0.0), *sizes)


def _observed(rows: pd.DataFrame, plan: StudyPlan, scale: str) -> dict[str, _Visit]:
    scores = by_visit(rows, scale, plan.model_visits)
    protocol_of = rows.groupby("subject")["protocol"].first()
    found = {}
    for visit in plan.model_visits:
        planned = [protocol for protocol in plan.protocols if visit in own_visits(plan, protocol)]
        changes = (scores[visit] - scores[plan.model_visits[0]]).dropna()
        found[visit] = _Visit(
            n=int(scores[visit].notna().sum()),
            of=int(protocol_of.isin(planned).sum()),
            mean=float(scores[visit].mean()),
            deviation=float(scores[visit].std(ddof=1)),
            n_changes=len(changes),
            change_deviation=float(changes.std(ddof=1)),
        )
    return found


def _late_visits(plan: StudyPlan) -> list[str]:
    """Return the sentence on visits that not every protocol has."""
    having = {
        visit: [protocol for protocol in plan.protocols if visit in own_visits(plan, protocol)]
        for visit in plan.model_visits
    }
    late = [visit for visit, protocols in having.items() if len(protocols) < len(plan.protocols)]
    if not late:
        return []
    protocols = " and ".join(dict.fromkeys(name for visit in late for name in having[visit]))
    return [f"Visits {', '.join(late)} belong to protocol {protocols} alone; nothing there compares protocols."]
