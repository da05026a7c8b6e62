"""Figures of models of several outcomes, made without the global state of pyplot."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from harness.arrays import Vector
from harness.gbtm.figure import Drawn, draw_classes
from harness.gbtm.spec import GbtmSpec


def outcomes(curves: pd.DataFrame, observed: pd.DataFrame, shares: Vector, specs: Sequence[GbtmSpec]) -> Figure:
    """Return one panel an outcome, each with its own axis and the same classes in the same colours."""
    drawn = [
        Drawn(
            curves=curves[curves["outcome"] == spec.outcome],
            observed=observed[observed["outcome"] == spec.outcome],
            shares=shares,
            time=str(spec.time),
            outcome=spec.outcome,
        )
        for spec in specs
    ]
    return panels(drawn)


def panels(drawn: Sequence[Drawn]) -> Figure:
    """Return one panel a model, with axes of their own."""
    figure = Figure(figsize=(4.2 * len(drawn), 3.8), layout="constrained")
    for axes, one in zip(figure.subplots(1, len(drawn), squeeze=False).ravel(), drawn, strict=True):
        draw_classes(axes, one)
        axes.set_xlabel(one.time)
        axes.set_ylabel(one.outcome)
        axes.legend(fontsize="x-small", frameon=False)
    return figure
