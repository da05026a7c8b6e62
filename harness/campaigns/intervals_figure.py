"""Rates and distances as points with their intervals, a row each: small SVGs in a table that can be read aloud."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.reports.elements import Html, element
from harness.reports.words import name, number

_HEIGHT = "22"
_EDGE = 3.0  # per cent of the width left free at each side


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A linear or logarithmic axis; what lies beyond an end is drawn at it."""

    low: float
    high: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return where a value lies, in per cent of the width."""
        low, high, at = (self._scaled(one) for one in (self.low, self.high, value))
        share = (at - low) / (high - low) if high > low else 0.5
        return _EDGE + min(max(share, 0.0), 1.0) * (100 - 2 * _EDGE)

    @property
    def ticks(self) -> tuple[float, ...]:
        """Return what is labelled: five places, or every second or third decade."""
        if not self.logarithmic:
            return tuple(self.low + (self.high - self.low) * k / 4 for k in range(5))
        first, last = round(math.log10(self.low)), round(math.log10(self.high))
        step = max(1, math.ceil((last - first) / 5))
        return tuple(10.0**k for k in range(first, last + 1, step))

    def _scaled(self, value: float) -> float:
        return math.log10(max(value, 1e-300)) if self.logarithmic else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the figure: a point between two ends, its words, and whether it is beyond what is drawn as a limit."""

    label: str
    lower: float
    point: float
    upper: float
    words: str
    beyond: bool = False


def rate_axis(lowest: float) -> Axis:
    """Return an axis for rates up to 1 that has the lowest of them, from a round number on."""
    span = next((span for span in (0.01, 0.02, 0.04, 0.1, 0.2, 0.4) if lowest >= 1 - span), 1.0)
    return Axis(low=1 - span, high=1.0)


def decades(smallest: float, largest: float) -> Axis:
    """Return a logarithmic axis of whole decades that has both."""
    low = math.floor(math.log10(max(smallest, 1e-16)))
    high = math.ceil(math.log10(max(largest, 1e-15)))
    return Axis(low=10.0**low, high=10.0 ** max(high, low + 1), logarithmic=True)


def figure(lines: Sequence[Line], axis: Axis, *, caption: str, limit: float | None, unit: str) -> Html:
    """Return the figure as a table; `limit` is drawn as a line through all rows."""
    return element(
        "table",
        element("caption", caption),
        element("thead", _heading(axis, unit)),
        element("tbody", *(_row(line, axis, limit) for line in lines)),
        class_="dots",
    )


def _heading(axis: Axis, unit: str) -> Html:
    shown = (element("text", number(tick, 4), x=f"{axis.place(tick):.2f}%", y="14") for tick in axis.ticks)
    ruler = element("svg", *shown, height="20", width="100%", aria_hidden="true")
    return element(
        "tr",
        element("th", "cell", scope="col"),
        element("th", element("span", "plot", class_="unseen"), ruler, scope="col"),
        element("th", unit, scope="col", class_="number"),
    )


def _row(line: Line, axis: Axis, limit: float | None) -> Html:
    marks = [element("title", f"{name(line.label)}: {line.words}")]
    if limit is not None:
        at = f"{axis.place(limit):.2f}%"
        marks.append(element("line", x1=at, x2=at, y1="0", y2=_HEIGHT, class_="zero", stroke_dasharray="3 3"))
    low, high, middle = (f"{axis.place(value):.2f}%" for value in (line.lower, line.upper, line.point))
    marks += [
        element("line", x1=low, x2=high, y1="11", y2="11", stroke="currentColor", stroke_width="1.5"),
        element("circle", cx=middle, cy="11", r="4", class_="disagree" if line.beyond else None),
    ]
    picture = element(
        "svg", *marks, height=_HEIGHT, width="100%", role="img", aria_label=f"{name(line.label)}: {line.words}"
    )
    return element(
        "tr",
        element("th", name(line.label, 60), scope="row"),
        element("td", picture),
        element("td", line.words, class_="number"),
        class_="beyond" if line.beyond else None,
    )
