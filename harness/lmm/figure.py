"""The figure of a fit: each subject's outcomes, their means, and the fitted population curve with its band."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.arrays import Mask, Vector
from harness.lmm.curve import curve_columns, population_curves
from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates
from harness.lmm.spec import LmmSpec

# More distinct times than this are grouped into as many equally filled bins before means are taken.
_MEANS = 12


def draw(spec: LmmSpec, design: LmmDesign, estimates: LmmEstimates) -> Figure:
    """Return the figure; without a column that varies within subjects it shows outcomes by subject only."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    along, apart = curve_columns(spec, design)
    axes.set_ylabel(spec.formula.outcome)
    if along is None:
        axes.set_xlabel(":".join(spec.formula.subject))
        axes.plot(np.repeat(np.arange(design.n_subjects), np.diff(design.starts)), design.y, ".", alpha=0.5)
        return figure
    axes.set_xlabel(along)
    frame = design.frame
    x = frame.numeric[along] if along in frame.numeric else frame.codes[along].astype(float)
    for k, curve in enumerate(population_curves(design, estimates, along, apart)):
        own: Mask = frame.codes[apart] == k if apart is not None else np.ones(frame.n_rows, dtype=bool)
        colour = f"C{k % 10}"
        _draw_observed(axes, design, x, own, colour)
        axes.fill_between(curve.x, curve.lower, curve.upper, color=colour, alpha=0.25, linewidth=0)
        axes.plot(curve.x, curve.mean, color=colour, linewidth=2.5, label=curve.level or "fitted, 95 % band")
    if along in frame.codes:
        axes.set_xticks(range(len(frame.levels[along])), labels=list(frame.levels[along]))
    axes.set_title("Observed (thin), means (dots) and fitted population curve with 95 % band")
    axes.legend(title=apart)
    return figure


def _draw_observed(axes: Axes, design: LmmDesign, x: Vector, own: Mask, colour: str) -> None:
    # One line for all subjects, broken by NaN between them: one artist a subject would be slow.
    order = np.lexsort((x, np.repeat(np.arange(design.n_subjects), np.diff(design.starts))))
    ends = design.starts[1:-1]
    shown_x = np.insert(np.where(own, x, np.nan)[order], ends, np.nan)
    shown_y = np.insert(np.where(own, design.y, np.nan)[order], ends, np.nan)
    axes.plot(shown_x, shown_y, color=colour, alpha=0.15, linewidth=0.7)
    places, means = _means(x[own], design.y[own])
    axes.plot(places, means, "o", color=colour, markersize=5)


def _means(x: Vector, y: Vector) -> tuple[Vector, Vector]:
    places, bins = np.unique(x, return_inverse=True)
    if len(places) > _MEANS:
        edges = np.quantile(x, np.linspace(0, 1, _MEANS + 1)[1:-1])
        _, bins = np.unique(np.searchsorted(edges, x), return_inverse=True)
    counts = np.bincount(bins)
    return np.bincount(bins, x) / counts, np.bincount(bins, y) / counts
