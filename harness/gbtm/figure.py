"""Figures of trajectory models, made without the global state of pyplot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure

from harness.arrays import Codes, Vector
from harness.gbtm.account import GbtmFit
from harness.gbtm.design import Outcome

_LARGEST_MARKER = 90.0
_MANY_LINES = 40  # of a panel; more of them are drawn fainter
_MOST_OPTIMA = 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """What a figure shows of one model: `curves` and `observed` as `class_curves` and `observed_means` give them."""

    curves: pd.DataFrame
    observed: pd.DataFrame
    shares: Vector
    time: str
    outcome: str

    @property
    def labels(self) -> list[str]:
        """One label a class, with its share."""
        return [f"class {g} ({100 * share:.1f} %)" for g, share in enumerate(self.shares, start=1)]


def trajectories(drawn: Drawn) -> Figure:
    """Return fitted curves with bands, and observed means whose area tells how much weight they rest on."""
    figure = Figure(figsize=(7.0, 4.5), layout="constrained")
    axes = figure.add_subplot()
    draw_classes(axes, drawn)
    axes.set_xlabel(drawn.time)
    axes.set_ylabel(drawn.outcome)
    figure.legend(title="fitted, 95 % band;\ndots: observed means", loc="outside right upper", frameon=False)
    return figure


def side_by_side(models: Sequence[Drawn], titles: Sequence[str]) -> Figure:
    """Return one panel a model on the same axes: what each further class splits."""
    columns = min(3, len(models))
    rows = -(-len(models) // columns)
    figure = Figure(figsize=(3.4 * columns, 2.9 * rows), layout="constrained")
    panels = np.atleast_1d(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)).ravel()
    for axes, drawn, title in zip(panels, models, titles, strict=False):
        draw_classes(axes, drawn)
        axes.set_title(title, fontsize="small")
        axes.legend(fontsize="x-small", frameon=False)
    for axes in panels[len(models) :]:
        axes.set_axis_off()
    figure.supxlabel(models[0].time)
    figure.supylabel(models[0].outcome)
    return figure


def spaghetti(drawn: Drawn, outcome: Outcome, assignment: Codes) -> Figure:
    """Return one panel a class: the observed course of each subject whose modal class it is, under the fitted curve.

    Parameters
    ----------
    drawn, outcome
        Of one model.
    assignment
        Modal class of each subject (N,), from 1.
    """
    K = len(drawn.shares)
    figure = Figure(figsize=(2.8 * K, 3.4), layout="constrained")
    panels = figure.subplots(1, K, sharex=True, sharey=True, squeeze=False).ravel()
    colour_of = _colours(K)
    for g, axes in enumerate(panels, start=1):
        members = np.flatnonzero(assignment == g)
        alpha = 0.5 if len(members) <= _MANY_LINES else 0.2
        for times, values in _courses(outcome, members):
            axes.plot(times, values, color="0.4", alpha=alpha, linewidth=0.7)
        curve = drawn.curves[drawn.curves["latent_class"] == g]
        axes.plot(curve[drawn.time], curve["fitted"], color=colour_of(g - 1), linewidth=2.5)
        axes.set_title(f"{drawn.labels[g - 1]}\n{len(members)} subjects assigned", fontsize="small")
    figure.supxlabel(drawn.time)
    figure.supylabel(drawn.outcome)
    return figure


def search(fit: GbtmFit) -> Figure:
    """Return every start of a search as a dot at the log-likelihood where it ended, by kind of start.

    One row of dots far to the right, whatever the kind, is what an easy optimum looks like.
    """
    starts = fit.starts
    kinds = list(dict.fromkeys(starts.kinds))
    figure = Figure(figsize=(7.0, 0.5 * len(kinds) + 1.6), layout="constrained")
    axes = figure.add_subplot()
    finite = np.isfinite(starts.log_likelihood)
    jitter = np.random.default_rng(0).uniform(-0.25, 0.25, len(finite))
    row = np.array([kinds.index(kind) for kind in starts.kinds])
    colour_of = _colours(_MOST_OPTIMA)
    for number in range(-1, int(starts.optimum.max()) + 1):
        here = finite & (starts.optimum == number)
        if here.any():
            colour = "0.7" if number < 0 or number >= _MOST_OPTIMA else colour_of(number)
            axes.scatter(starts.log_likelihood[here], row[here] + jitter[here], s=14, color=colour, alpha=0.7)
    axes.axvline(fit.log_likelihood, color="0.3", linewidth=0.8, linestyle="--")
    axes.set_yticks(range(len(kinds)), kinds)
    axes.invert_yaxis()
    axes.set_xlabel("log-likelihood at the end")
    axes.set_title(
        f"{fit.n_starts} starts, {len(fit.optima)} distinct ends, hit rate {100 * fit.hit_rate:.0f} %", fontsize="small"
    )
    return figure


def draw_classes(axes: Axes, drawn: Drawn) -> None:
    """Draw the classes of one model: curves, bands, observed means."""
    curves, observed = drawn.curves, drawn.observed
    colour_of = _colours(len(drawn.shares))
    heaviest = observed["weight"].max()
    for g, label in enumerate(drawn.labels, start=1):
        colour = colour_of((g - 1) % colour_of.N)
        curve, points = curves[curves["latent_class"] == g], observed[observed["latent_class"] == g]
        axes.plot(curve[drawn.time], curve["fitted"], color=colour, label=label)
        if curve["lower"].notna().all():
            axes.fill_between(curve[drawn.time], curve["lower"], curve["upper"], color=colour, alpha=0.2, linewidth=0)
        size = _LARGEST_MARKER * points["weight"] / heaviest
        axes.scatter(points[drawn.time], points["mean"], s=size, color=colour, alpha=0.7, linewidth=0)


def _courses(outcome: Outcome, members: Codes) -> Iterator[tuple[Vector, Vector]]:
    rows = outcome.rows
    wanted = set(members.tolist())
    ends = np.append(rows.panel.starts[1:], len(rows.y))
    for subject, first, last in zip(rows.panel.present.tolist(), rows.panel.starts, ends, strict=True):
        if subject in wanted:
            yield rows.time[first:last], rows.y[first:last]


def _colours(count: int) -> Colormap:
    return colormaps["tab10" if count <= _MOST_OPTIMA else "tab20"]
