"""Figures of models of several outcomes, made without the global state of pyplot."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from harness.arrays import Matrix, Vector
from harness.gbtm.figure import Drawn, draw_classes
from harness.gbtm.spec import GbtmSpec


def outcomes(curves: pd.DataFrame, observed: pd.DataFrame, shares: Vector, specs: Sequence[GbtmSpec]) -> Figure:
    """Return one panel an outcome, each with its own axis and the same classes in the same colours."""
    drawn = [_of_outcome(curves, observed, shares, spec) for spec in specs]
    figure = Figure(figsize=(4.2 * len(drawn), 3.8), layout="constrained")
    for axes, one in zip(figure.subplots(1, len(drawn), squeeze=False).ravel(), drawn, strict=True):
        draw_classes(axes, one)
        axes.set_xlabel(one.time)
        axes.set_ylabel(one.outcome)
        axes.legend(fontsize="x-small", frameon=False)
    return figure


def _of_outcome(curves: pd.DataFrame, observed: pd.DataFrame, shares: Vector, spec: GbtmSpec) -> Drawn:
    return Drawn(
        curves=curves[curves["outcome"] == spec.outcome],
        observed=observed[observed["outcome"] == spec.outcome],
        shares=shares,
        time=str(spec.time),
        outcome=spec.outcome,
    )


def dual(
    curves: pd.DataFrame,
    observed: pd.DataFrame,
    shares: Sequence[Vector],
    specs: Sequence[GbtmSpec],
    second_given_first: Matrix,
) -> Figure:
    """Return the classes of each outcome in a panel, and between them the probabilities of one given the other."""
    figure = Figure(figsize=(11.0, 3.8), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(4, 2, 4))
    for axes, spec, own in zip((left, right), specs, shares, strict=True):
        drawn = _of_outcome(curves, observed, own, spec)
        draw_classes(axes, drawn)
        axes.set_xlabel(drawn.time)
        axes.set_ylabel(drawn.outcome)
        axes.legend(fontsize="x-small", frameon=False)
    J, K = second_given_first.shape
    middle.imshow(second_given_first, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    for j in range(J):
        for k in range(K):
            value = second_given_first[j, k]
            middle.text(k, j, f"{100 * value:.0f} %", ha="center", va="center", color="w" if value > 0.5 else "k")
    middle.set_xticks(range(K), [str(k + 1) for k in range(K)])
    middle.set_yticks(range(J), [str(j + 1) for j in range(J)])
    middle.set_xlabel(f"class of {specs[1].outcome}")
    middle.set_ylabel(f"given class of {specs[0].outcome}")
    return figure
