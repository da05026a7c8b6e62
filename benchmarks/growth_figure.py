"""The figure of the table: seconds by subjects, both on logarithmic scales, with the exponents of growth."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_MARKERS = "os^Dv<>P"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """An engine's seconds by size, the exponent of their growth, and the first size at which a fit took too long."""

    engine: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]
    exponent: float
    late: int | None = None


def draw(path: Path, panels: Mapping[str, Sequence[Curve]], most_seconds: float) -> None:
    """Write the figure, one panel a model; a fit that took too long is an open mark on the line of its limit."""
    from matplotlib import rc_context  # noqa: PLC0415  # slow to import, and only here
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(5.4 * max(len(panels), 1), 4.4), layout="constrained")
    for place, (title, curves) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(1, len(panels), place)
        axes.axhline(most_seconds, color="0.6", linewidth=0.8, linestyle=":")
        for number, curve in enumerate(curves):
            marker = _MARKERS[number % len(_MARKERS)]
            (line,) = axes.loglog(curve.sizes, curve.seconds, marker=marker, markersize=4, label=_label(curve))
            if curve.late is not None:
                beyond = {"marker": marker, "markersize": 6, "fillstyle": "none", "linestyle": "--", "linewidth": 0.8}
                sizes, seconds = (*curve.sizes[-1:], curve.late), (*curve.seconds[-1:], most_seconds)
                axes.loglog(sizes, seconds, color=line.get_color(), markevery=[-1], **beyond)
        axes.set_title(title, fontsize="x-small")
        axes.set_xlabel("subjects")
        axes.set_ylabel("seconds of one processor")
        axes.legend(frameon=False, fontsize="x-small", title="engine, exponent", title_fontsize="x-small")
    with rc_context({"svg.hashsalt": "benchmarks"}):  # so that the same numbers give the same file
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _label(curve: Curve) -> str:
    return curve.engine if math.isnan(curve.exponent) else f"{curve.engine}, {curve.exponent:.2f}"
