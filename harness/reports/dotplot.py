"""Differences in standard-error units as dots on a signed logarithmic axis, with the limit as a band.

One small SVG a row, placed by percentages, so that dots and text keep their size on a phone and the plot is a table
that a screen reader can read.
"""

import math
from dataclasses import dataclass

from harness.comparison.tolerances import Measure
from harness.comparison.verdict import Comparison, Outcome, Verdict
from harness.reports.elements import Html, element, join
from harness.reports.ranking import MARK, worst_first
from harness.reports.words import counted, name, number, signed

_MOST_ROWS = 30
_MOST_ROWS_OF_AGREEMENT = 6
_EDGE = 4.0  # per cent of the width left free at each side
_ROW_HEIGHT = "22"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A signed logarithmic axis: linear near zero, decades beyond a thousandth of the limit."""

    limit: float
    largest: float

    @property
    def ticks(self) -> tuple[float, ...]:
        """Return the sizes that are labelled: the limit and each second decade beyond it."""
        return tuple(tick for tick in (self.limit * 100.0**k for k in range(4)) if self._share(tick) <= 1)

    def place(self, value: float) -> str:
        """Return where a value lies, in per cent of the width; what is beyond the end stays at the edge."""
        return f"{50 + math.copysign(min(1.0, self._share(abs(value))), value) * (50 - _EDGE):.2f}%"

    def band(self, limit: float) -> str:
        """Return the width from -limit to +limit, in per cent."""
        return f"{self._share(limit) * 2 * (50 - _EDGE):.2f}%"

    def _share(self, size: float) -> float:
        end = 1.1 * max(self._stretched(self.largest), self._stretched(10 * self.limit))
        return self._stretched(size) / end

    def _stretched(self, size: float) -> float:
        return math.log10(1 + min(size, 1e12) / (self.limit / 1000))


def dot_plot(comparison: Comparison) -> Html:
    """Return the plot of all quantities judged in standard errors; empty where there is none."""
    drawn = [verdict for verdict in comparison.verdicts if _is_drawn(verdict)]
    if not drawn:
        return join()
    most = _MOST_ROWS if any(verdict.outcome is not Outcome.AGREE for verdict in drawn) else _MOST_ROWS_OF_AGREEMENT
    chosen = set(map(id, worst_first(drawn)[:most]))
    rows = [verdict for verdict in drawn if id(verdict) in chosen]
    finite = [size for size in (abs(_signed(verdict)) for verdict in rows) if math.isfinite(size)]
    axis = Axis(limit=max(verdict.limit or 0.0 for verdict in rows), largest=max(finite, default=0.0))
    left, right = name(comparison.left.engine), name(comparison.right.engine)
    rest = len(drawn) - len(rows)
    limits = sorted({verdict.limit or 0.0 for verdict in rows})
    band = number(limits[0], 2) if len(limits) == 1 else f"{number(limits[0], 2)} to {number(limits[-1], 2)}"
    caption = f"{left} minus {right}, in standard errors; the band is the limit of {band}, the axis is logarithmic"
    return element(
        "table",
        element("caption", caption + (f"; {counted(rest, 'smaller difference')} not drawn" if rest else "")),
        element("thead", _heading(axis)),
        element("tbody", *(_row(verdict, axis) for verdict in rows)),
        class_="dots",
    )


def _heading(axis: Axis) -> Html:
    labels = [element("text", "0", x="50%", y="14")]
    for tick in axis.ticks:
        labels += [
            element("text", text, x=axis.place(value), y="14")
            for value, text in ((-tick, number(-tick, 2)), (tick, number(tick, 2)))
        ]
    ruler = element("svg", *labels, height="20", width="100%", aria_hidden="true")
    return element(
        "tr",
        element("th", "quantity", scope="col"),
        element("th", element("span", "plot", class_="unseen"), ruler, scope="col"),
        element("th", "difference", scope="col", class_="number"),
    )


def _row(verdict: Verdict, axis: Axis) -> Html:
    beyond = verdict.outcome is Outcome.DISAGREE
    return element(
        "tr",
        element("th", name(verdict.quantity.removesuffix(".estimate"), 44), scope="row"),
        element("td", _picture(verdict, axis)),
        element("td", signed(_signed(verdict)), f" {MARK[verdict.outcome]}" if beyond else "", class_="number"),
        class_="beyond" if beyond else None,
    )


def _picture(verdict: Verdict, axis: Axis) -> Html:
    """Return the drawing of a row; the row's other cells say the same, so that nobody need hear it twice."""
    value, limit = _signed(verdict), verdict.limit or 0.0
    marks = [
        element("rect", x=axis.place(-limit), y="0", width=axis.band(limit), height=_ROW_HEIGHT, class_="band"),
        element("line", x1="50%", x2="50%", y1="0", y2=_ROW_HEIGHT),
    ]
    if not math.isnan(value):
        marks.append(_mark(axis.place(value), verdict.outcome))
    return element("svg", *marks, height=_ROW_HEIGHT, width="100%", aria_hidden="true")


def _mark(place: str, outcome: Outcome) -> Html:
    """Return a dot, for a disagreement a diamond, for a known difference a square: colour isn't the only sign."""
    if outcome is Outcome.AGREE:
        return element("circle", cx=place, cy="11", r="4")
    outline = "M-6 11 0 5 6 11 0 17z" if outcome is Outcome.DISAGREE else "M-4 7H4V15H-4z"
    drawn = element("path", d=outline, class_="disagree" if outcome is Outcome.DISAGREE else "known")
    return element("svg", drawn, x=place, y="0", overflow="visible")


def _is_drawn(verdict: Verdict) -> bool:
    sides = (verdict.left_value, verdict.right_value)
    numeric = all(isinstance(side, float | int) and not isinstance(side, bool) for side in sides)
    # An axis needs a limit that is neither zero nor endless; any limit in standard errors is far from both.
    measured = verdict.observed is not None and verdict.limit is not None and 1e-12 < verdict.limit < 1e6
    return numeric and measured and verdict.metric == Measure.DISTANCE and verdict.outcome is not Outcome.NOT_COMPARED


def _signed(verdict: Verdict) -> float:
    """Return the observed distance with the sign of left minus right."""
    left, right = float(verdict.left_value or 0.0), float(verdict.right_value or 0.0)
    return math.copysign(verdict.observed or 0.0, left - right) if not math.isnan(left - right) else math.nan
