"""The figure of marginal means or contrasts: points with intervals, joined along the first column."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from harness.lmm.means.marginal import CONTRAST, MarginalMeans, by_values

_SPREAD = 0.06


def draw(means: MarginalMeans) -> Figure:
    """Return the figure: a colour for each combination of the `by` columns, without rows that are not estimable."""
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    functions = means.functions
    own = [name for name in functions.columns if name not in means.by]
    parts = list(by_values(functions, means.by))
    ticks = list(dict.fromkeys(" ".join(functions.part(k, own)) for k in range(len(functions.labels))))
    shifts = _SPREAD * (np.arange(len(parts)) - (len(parts) - 1) / 2)
    joined = own[0] != CONTRAST
    for j, (values, rows) in enumerate(parts):
        shown = rows[~np.isnan(means.estimate[rows])]
        x = np.array([ticks.index(" ".join(functions.part(k, own))) for k in shown]) + shifts[j]
        half = means.upper[shown] - means.estimate[shown]
        style = "o-" if joined else "o"
        label = ", ".join(values) or None
        axes.errorbar(x, means.estimate[shown], yerr=half, fmt=style, color=f"C{j % 10}", capsize=3, label=label)
    if not joined:
        axes.axhline(0, color="0.5", linewidth=0.8)
    axes.set_xticks(range(len(ticks)), labels=ticks)
    if not _short(ticks):
        axes.tick_params(axis="x", labelrotation=30)
    axes.set_xlabel(", ".join(own))
    axes.set_ylabel("difference" if not joined else "marginal mean")
    adjusted = "" if means.adjust == "none" else f", adjusted: {means.adjust}"
    axes.set_title(f"{means.level:.0%} intervals, degrees of freedom: {means.method.name}{adjusted}", fontsize="medium")
    if any(values for values, _ in parts):
        axes.legend(title=", ".join(means.by))
    return figure


def _short(ticks: Sequence[str]) -> bool:
    return max(map(len, ticks)) * len(ticks) < 70
