"""Figures of observed means by protocol and of changes from baseline."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import t as student

from harness.study.model_rows import by_visit, own_visits
from harness.study.pictures import colour_of, marker_of, picture_of
from harness.study.plan import StudyPlan
from harness.study.section import Estimate, Picture
from harness.study.shown import scale_title, signed

_SHIFT = 0.06  # between protocols, so that intervals do not cover each other


def means_picture(rows: pd.DataFrame, plan: StudyPlan, scale: str) -> Picture:
    """Return observed means by protocol with 95 % limits, each protocol on its own visits.

    Visits with fewer patients than the limit for small counts are left out.
    """
    figure = Figure(figsize=(7.0, 4.2), layout="constrained")
    axes = figure.add_subplot()
    told: list[str] = []
    for k, protocol in enumerate(plan.protocols):
        visits = own_visits(plan, protocol)
        scores = by_visit(rows[rows["protocol"] == protocol], scale, visits)
        counts = scores.notna().sum()
        shown = [visit for visit in visits if counts[visit] >= plan.small_cell_limit]
        # Rounded, because a mean of whole numbers with many digits would tell how many they are.
        means = np.round([float(scores[visit].mean()) for visit in shown], 1)
        halves = np.round([_half_width(scores[visit].dropna()) for visit in shown], 1)
        places = np.array([plan.model_visits.index(visit) for visit in shown]) + _SHIFT * (k - len(plan.protocols) / 2)
        axes.errorbar(
            places,
            means,
            yerr=halves,
            label=f"{protocol}, {len(scores)} patients",
            capsize=3,
            color=colour_of(k),
            marker=marker_of(k),
        )
        values = ", ".join(f"{mean:.1f} at {visit}" for mean, visit in zip(means, shown, strict=True))
        told.append(f"{protocol}: {values}")
    axes.set_xticks(range(len(plan.model_visits)), plan.model_visits)
    axes.set_xlabel("visit")
    axes.set_ylabel(f"{scale_title(scale)}, mean of those rated")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, title="protocol")
    return picture_of(
        figure,
        name=f"{scale}-means",
        caption=f"{scale_title(scale)}: observed means with 95 % limits by protocol, each on the visits that it has.",
        description=f"Lines over visits, one a protocol. {'; '.join(told)}.",
    )


def changes_picture(plan: StudyPlan, scale: str, changes: Sequence[Estimate]) -> Picture:
    """Return the changes from baseline of model A with simultaneous limits."""
    figure = Figure(figsize=(6.0, 0.45 * len(changes) + 1.3), layout="constrained")
    axes = figure.add_subplot()
    places = np.arange(len(changes))[::-1]
    values = np.array([change.value for change in changes])
    lower = np.array([np.nan if change.lower is None else change.lower for change in changes])
    upper = np.array([np.nan if change.upper is None else change.upper for change in changes])
    axes.errorbar(values, places, xerr=[values - lower, upper - values], fmt="o", capsize=3, color=colour_of(0))
    axes.axvline(0, color="0.5", linewidth=0.8)
    visits = [change.path.split(".")[-1] for change in changes]
    axes.set_yticks(places, visits)
    axes.set_xlabel(f"change of {scale_title(scale)} from {plan.model_visits[0]}, points")
    told = ", ".join(f"{signed(value)} at {visit}" for value, visit in zip(values, visits, strict=True))
    return picture_of(
        figure,
        name=f"{scale}-changes",
        caption=f"{scale_title(scale)}: changes from {plan.model_visits[0]} by model A, limits holding together.",
        description=f"One point with its 95 % limits a visit: {told}. Below zero is improvement.",
    )


def _half_width(scores: pd.Series) -> float:
    n = len(scores)
    return float(student.ppf(0.975, n - 1) * scores.std(ddof=1) / np.sqrt(n))
