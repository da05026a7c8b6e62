"""Figures of what a fit leaves over, of the random effects, and of who moves the fixed effects."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtri

from harness.arrays import Vector
from harness.lmm.diagnostics.influence import Influence
from harness.lmm.diagnostics.residuals import Residuals
from harness.lmm.inference.distributions import WALD_95
from harness.lmm.prediction.modes import Modes

_NAMED = 5  # sets whose labels stand in the figure of influence
_BARS = 60  # levels of a caterpillar that get a label each
_GREY = "0.6"


def draw_residuals(residuals: Residuals, spread: pd.DataFrame, along: str, apart: str | None = None) -> Figure:
    """Return residuals against fitted values, their normal quantiles, and their standard deviation by visit and arm.

    `spread` is `spread_by` of the conditional residuals, by the columns `along` and, if there is one, `apart`.
    """
    figure = Figure(figsize=(12, 4), layout="constrained")
    fitted, quantiles, spreads = figure.subplots(1, 3)
    fitted.axhline(0.0, color=_GREY, linewidth=1)
    fitted.plot(residuals.fitted, residuals.pearson, ".", alpha=0.4)
    fitted.set(xlabel="fitted", ylabel="residual / sd", title="Residuals given the random effects")
    _draw_quantiles(quantiles, residuals.whitened)
    _draw_spreads(spreads, spread, along, apart)
    return figure


def draw_modes(modes: Modes, names: tuple[str, ...], labels: tuple[str, ...], grouping: str) -> Figure:
    """Return a panel a random effect: modes in their order, with 95 % intervals from the prediction variance."""
    m, q = modes.modes.shape
    figure = Figure(figsize=(4 * q, max(3.0, min(12.0, 0.2 * m))), layout="constrained")
    for j, axes in enumerate(figure.subplots(1, q, squeeze=False)[0]):
        order = np.argsort(modes.modes[:, j], kind="stable")
        half = WALD_95 * np.sqrt(modes.prediction_cov[order, j, j])
        axes.axvline(0.0, color=_GREY, linewidth=1)
        axes.errorbar(modes.modes[order, j], np.arange(m), xerr=half, fmt="o", markersize=3, linewidth=1)
        axes.set(xlabel=names[j])
        if m <= _BARS:
            axes.set_yticks(range(m), labels=[labels[i] for i in order])
        else:
            axes.set_yticks([])
    figure.supylabel(grouping)
    figure.suptitle("Random effects with 95 % prediction intervals")
    return figure


def draw_influence(influence: Influence) -> Figure:
    """Return Cook's distance of every set of rows, and its DFBETAS of every fixed effect."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    distance, moves = figure.subplots(1, 2)
    m = len(influence.labels)
    distance.vlines(np.arange(m), 0.0, influence.cooks_distance)
    distance.set(xlabel="left out", ylabel="Cook's distance", title="All fixed effects together")
    known = np.flatnonzero(np.isfinite(influence.cooks_distance))
    for i in known[np.argsort(-influence.cooks_distance[known], kind="stable")][:_NAMED].tolist():
        distance.annotate(influence.labels[i], (i, influence.cooks_distance[i]), ha="center", va="bottom")
    moves.axvline(0.0, color=_GREY, linewidth=1)
    for j in range(len(influence.names)):
        moves.plot(influence.dfbetas[:, j], np.full(m, j), ".", alpha=0.5)
    moves.set_yticks(range(len(influence.names)), labels=list(influence.names))
    moves.invert_yaxis()
    moves.set(xlabel="change in standard errors", title="Each fixed effect")
    return figure


def _draw_quantiles(axes: Axes, values: Vector) -> None:
    ordered = np.sort(values)
    expected = ndtri((np.arange(len(ordered)) + 0.5) / len(ordered))
    axes.axline((0.0, 0.0), slope=1.0, color=_GREY, linewidth=1)
    axes.plot(expected, ordered, ".", alpha=0.4)
    axes.set(xlabel="normal quantile", ylabel="whitened residual", title="Whitened residuals")


def _draw_spreads(axes: Axes, spread: pd.DataFrame, along: str, apart: str | None) -> None:
    places = spread[along].cat.codes if isinstance(spread[along].dtype, pd.CategoricalDtype) else spread[along]
    arms = [None] if apart is None else list(spread[apart].unique())
    for arm in arms:
        own = np.ones(len(spread), dtype=bool) if apart is None else (spread[apart] == arm).to_numpy()
        axes.plot(places[own], spread["standard_deviation"][own], "o-", label=arm)
        for x, y, count in zip(places[own], spread["standard_deviation"][own], spread["count"][own], strict=True):
            if np.isfinite(y):
                axes.annotate(f"{count}", (x, y), fontsize=7, xytext=(3, 3), textcoords="offset points")
    if isinstance(spread[along].dtype, pd.CategoricalDtype):
        axes.set_xticks(range(len(spread[along].cat.categories)), labels=list(spread[along].cat.categories))
        axes.tick_params(axis="x", rotation=45)
    if apart is not None:
        axes.legend(title=apart)
    axes.set(xlabel=along, ylabel="sd of residuals", title="Spread and count by visit")
    axes.set_ylim(bottom=0.0)
