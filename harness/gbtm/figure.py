"""Figures of trajectory models, made without the global state of pyplot."""

import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure

from harness.arrays import Vector

_LARGEST_MARKER = 90.0


def trajectories(curves: pd.DataFrame, observed: pd.DataFrame, shares: Vector, time: str, outcome: str) -> Figure:
    """Return fitted curves with bands, and observed means whose area tells how much weight they rest on.

    Parameters
    ----------
    curves, observed
        As `class_curves` and `observed_means` give them.
    shares
        Class shares (K,), for the legend.
    time, outcome
        Column names, for the axes.
    """
    figure = Figure(figsize=(7.0, 4.5), layout="constrained")
    axes = figure.add_subplot()
    colours = colormaps["tab10" if len(shares) <= 10 else "tab20"]
    for g, share in enumerate(shares, start=1):
        colour = colours((g - 1) % colours.N)
        curve, points = curves[curves["latent_class"] == g], observed[observed["latent_class"] == g]
        axes.plot(curve[time], curve["fitted"], color=colour, label=f"class {g} ({100 * share:.1f} %)")
        if curve["lower"].notna().all():
            axes.fill_between(curve[time], curve["lower"], curve["upper"], color=colour, alpha=0.2, linewidth=0)
        size = _LARGEST_MARKER * points["weight"] / observed["weight"].max()
        axes.scatter(points[time], points["mean"], s=size, color=colour, alpha=0.7, linewidth=0)
    axes.set_xlabel(time)
    axes.set_ylabel(outcome)
    figure.legend(title="fitted, 95 % band;\ndots: observed means", loc="outside right upper", frameon=False)
    return figure
