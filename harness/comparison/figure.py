"""Where two optima differ: one dot an estimate, in standard errors, over the band of agreement."""

from math import copysign

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, SymmetricalLogLocator

from harness.comparison.tolerances import Measure
from harness.comparison.verdict import Comparison, Outcome, Verdict
from harness.quantities import Kind

AGREEING, DIFFERING, BAND = "#1b6ca8", "#b3261e", "#dfe7ec"
"""Blue and red of different lightness, with different marks, so that the figure also reads in grey."""

LONGEST_LABEL = 44


def differences(comparison: Comparison) -> Figure:
    """Return a dot plot of left minus right for each OPTIMUM quantity that was judged in standard errors.

    The band is the limit of agreement. The axis is linear up to the limit and logarithmic beyond, so that a single
    large difference does not hide the others.
    """
    rows = [v for v in comparison.verdicts if _is_shown(v)]
    figure = Figure(figsize=(7.5, 1.5 + 0.28 * max(len(rows), 1)), layout="constrained")
    axes = figure.subplots()
    ours, theirs = comparison.left.engine, comparison.right.engine
    axes.set_title(
        f"{comparison.case or 'Estimates'}: {ours} minus {theirs}", loc="left", fontsize=11, parse_math=False
    )
    axes.spines[["top", "right", "left"]].set_visible(False)
    if not rows:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "No estimate was judged in standard errors.", ha="center", transform=axes.transAxes)
        return figure
    limit = max(v.limit for v in rows if v.limit is not None)
    axes.axvspan(-limit, limit, color=BAND, lw=0, zorder=0, label=f"agreement: within {limit:g}")
    axes.axvline(0, color="#7a8791", lw=0.8, zorder=1)
    for outcome, mark, colour, label in (
        (True, "o", AGREEING, "within the limit"),
        (False, "D", DIFFERING, "beyond the limit"),
    ):
        chosen = [(signed_difference(v), y) for y, v in enumerate(rows) if (v.outcome is Outcome.AGREE) is outcome]
        if chosen:
            axes.plot(*zip(*chosen, strict=True), mark, color=colour, ms=5.5, ls="none", label=label, zorder=2)
    _scale(axes, limit, max(abs(signed_difference(v)) for v in rows))
    axes.set_yticks(range(len(rows)), [_label(v.quantity) for v in rows], fontsize=8, parse_math=False)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel("difference in standard errors")
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def signed_difference(verdict: Verdict) -> float:
    """Return left minus right in standard errors, from a verdict in that metric."""
    if verdict.observed is None or not isinstance(verdict.left_value, int | float):
        return float("nan")
    if not isinstance(verdict.right_value, int | float):
        return float("nan")
    return copysign(verdict.observed, verdict.left_value - verdict.right_value)


def _is_shown(verdict: Verdict) -> bool:
    in_standard_errors = verdict.metric in {Measure.DISTANCE, f"moment {Measure.DISTANCE}"}
    return verdict.kind is Kind.OPTIMUM and in_standard_errors and verdict.left_value is not None


def _scale(axes: Axes, limit: float, largest: float) -> None:
    """Fit the axis to the band, or to the largest difference on a scale that is logarithmic beyond the band."""
    if largest <= limit:
        axes.set_xlim(-1.15 * limit, 1.15 * limit)
        axes.xaxis.set_major_locator(MaxNLocator(5, symmetric=True))
    else:
        axes.set_xscale("symlog", linthresh=limit)
        axes.set_xlim(-4 * largest, 4 * largest)
        decades = SymmetricalLogLocator(base=10, linthresh=limit)
        decades.set_params(numticks=7)
        axes.xaxis.set_major_locator(decades)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _label(path: str) -> str:
    text = path.removesuffix(".estimate")
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"
