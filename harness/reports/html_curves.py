"""Both engines' fitted curves over each other, as one inline drawing that scales with the page."""

import math
from collections.abc import Sequence

from harness.comparison.curves import CurvePair
from harness.comparison.verdict import Comparison
from harness.reports.elements import Html, element, join
from harness.reports.words import counted, name, number, shorten

_MOST_CURVES = 8
_WIDTH, _HEIGHT = 420.0, 230.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 22.0, 8.0, 24.0
_FLAT = 0.2  # a point that lies nearer than this to the line through its neighbours is not seen

Pixels = tuple[float, float]


class _Frame:
    """Where times and means lie in the drawing."""

    def __init__(self, pairs: Sequence[CurvePair]) -> None:
        times = [t for pair in pairs for t in (*pair.times, *(time for time, _ in pair.observed))]
        means = [m for pair in pairs for m in (*pair.left, *pair.right, *(mean for _, mean in pair.observed))]
        self.times, self.means = (min(times), max(times)), (min(means), max(means))

    def x(self, time: float) -> float:
        return _LEFT + _share(time, self.times) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, mean: float) -> float:
        return _HEIGHT - _BOTTOM - _share(mean, self.means) * (_HEIGHT - _TOP - _BOTTOM)

    def points(self, pair: CurvePair, means: Sequence[float]) -> str:
        places = _simplified([(self.x(t), self.y(m)) for t, m in zip(pair.times, means, strict=True)])
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def curves(comparison: Comparison) -> Html:
    """Return the drawing with its caption; empty where there are no curves, or nothing in them can be drawn."""
    pairs = [pair for pair in comparison.curves if _can_be_drawn(pair)]
    shown = pairs[:_MOST_CURVES]
    if not shown:
        return join()
    left, right = name(comparison.left.engine, 24), name(comparison.right.engine, 24)
    along, outcome = name(shown[0].along, 30), name(shown[0].outcome, 30)
    largest = max(abs(a - b) for pair in pairs for a, b in zip(pair.left, pair.right, strict=True))
    said = f"Fitted means of {outcome} over {along}; the curves are at most {number(largest, 2)} apart"
    rest = len(pairs) - len(shown)
    rings = "; rings: observed means" if any(pair.observed for pair in shown) else ""
    caption = element(
        "figcaption",
        f"{said}. Line: {left}; dashes: {right}{rings}. ",
        *_labels(shown),
        f" {counted(rest, 'more curve')} not drawn." if rest else "",
    )
    frame = _Frame(shown)
    drawn = (_curve(pair, k, frame, is_alone=len(shown) == 1) for k, pair in enumerate(shown, start=1))
    drawing = element(
        "svg",
        element("title", f"{said}, for {counted(len(shown), 'curve')}"),
        *_axes(frame, shown[0]),
        *drawn,
        viewBox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}",
        role="img",
    )
    return element("figure", drawing, caption, class_="curves")


def _can_be_drawn(pair: CurvePair) -> bool:
    numbers = (*pair.times, *pair.left, *pair.right, *(value for point in pair.observed for value in point))
    aligned = len(pair.times) == len(pair.left) == len(pair.right) > 0
    return aligned and all(math.isfinite(value) and abs(value) < 1e150 for value in numbers)


def _labels(shown: Sequence[CurvePair]) -> list[Html]:
    if len(shown) == 1:
        return []
    return [
        element("span", element("b", str(k), class_=f"k{k}"), f" {name(pair.label, 30)} ", class_="key-label")
        for k, pair in enumerate(shown, start=1)
    ]


def _curve(pair: CurvePair, k: int, frame: _Frame, *, is_alone: bool) -> Html:
    rings = (element("circle", cx=f"{frame.x(t):.1f}", cy=f"{frame.y(m):.1f}", r="2.5") for t, m in pair.observed)
    end = element("text", str(k), x=f"{frame.x(pair.times[-1]) + 5:.1f}", y=f"{frame.y(pair.left[-1]) + 4:.1f}")
    return element(
        "g",
        *rings,
        element("polyline", points=frame.points(pair, pair.left)),
        element("polyline", points=frame.points(pair, pair.right), class_="theirs"),
        "" if is_alone else end,
        class_=f"k{k}",
    )


def _axes(frame: _Frame, first: CurvePair) -> list[Html]:
    found = []
    for value in _ticks(*frame.means):
        y = f"{frame.y(value):.1f}"
        found += [
            element("line", x1=f"{_LEFT:.0f}", x2=f"{_WIDTH - _RIGHT:.0f}", y1=y, y2=y),
            element("text", number(value, 3), x=f"{_LEFT - 6:.0f}", y=f"{frame.y(value) + 4:.1f}", class_="end"),
        ]
    places = [(float(k), shorten(level, 9)) for k, level in enumerate(first.levels)]
    places = places[:: math.ceil(len(places) / 6)] if places else [(t, number(t, 3)) for t in _ticks(*frame.times)]
    for place, text in places:
        if frame.times[0] <= place <= frame.times[1]:
            found.append(element("text", text, x=f"{frame.x(place):.1f}", y=f"{_HEIGHT - 6:.0f}", class_="mid"))
    return [element("g", *found, class_="axes")]


def _ticks(low: float, high: float) -> list[float]:
    """Return three to six round numbers between two."""
    if high - low <= 1e-9 * max(abs(low), abs(high)) + 1e-290:
        return [low]
    raw = (high - low) / 4
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next((unit * m for m in (1, 2, 5) if unit * m >= 0.85 * raw), 10 * unit)
    first = math.ceil(low / step)
    return [(first + k) * step for k in range(8) if (first + k) * step <= high * (1 + 1e-12) + 1e-300]


def _share(value: float, ends: tuple[float, float]) -> float:
    return (value - ends[0]) / (ends[1] - ends[0]) if ends[1] > ends[0] else 0.5


def _simplified(places: Sequence[Pixels]) -> list[Pixels]:
    """Return the points without those that lie on the line through the last one kept and the next."""
    kept, start = [places[0]], 0
    for k in range(1, len(places) - 1):
        (x0, y0), (x2, y2) = places[start], places[k + 1]
        between = places[start + 1 : k + 1]
        if x2 <= x0 or any(abs(y0 + (y2 - y0) * (x - x0) / (x2 - x0) - y) > _FLAT for x, y in between):
            kept.append(places[k])
            start = k
    return [*kept, *places[-1:]] if len(places) > 1 else kept
