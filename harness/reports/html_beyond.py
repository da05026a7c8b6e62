"""What lies beyond single pairs: who moved since the pins, how near to the limits over time, who stands alone."""

import math
from collections.abc import Sequence

from harness.comparison.consensus import Consensus, Dissent
from harness.comparison.run import Run
from harness.comparison.traces import Trace
from harness.comparison.triangle import Moved, Mover, Triangle
from harness.comparison.verdict import Outcome
from harness.quantities import Value
from harness.reports.elements import Html, breakable, element, join
from harness.reports.html_overview import pill
from harness.reports.words import ABSENT, counted, name, number, sentence, times

_MOST_ROWS = 40
_MOST_POINTS = 60
_NUMBERS = {"now", "digits", "D", "runs"}
_SPARK = (120.0, 26.0)


def beyond_pairs(run: Run) -> Html:
    """Return the three tables; each says so where it has nothing to show."""
    if not run.comparisons:
        return join()
    return element("section", element("h2", "Beyond single pairs", id="beyond"), _drift(run), _traces(run), _alone(run))


def _drift(run: Run) -> Html:
    title = element("h3", "Who moved since the pins were recorded")
    moved = [triangle for triangle in run.triangles if _has_moved(triangle)]
    if not run.triangles:
        return join(title, element("p", "No reference ran live beside its pin in this run.", class_="quiet"))
    total = counted(len(run.triangles), "comparison")
    if not moved:
        return join(title, element("p", f"Nobody moved in {total}."))
    said = f"Somebody moved in {len(moved)} of {total}."
    heads = ("case and engine", "moved", "ours, pin", "R, pin", "ours, R", "what happened")
    rows = [_triangle(triangle) for triangle in moved[:_MOST_ROWS]]
    return join(title, element("p", said), _table(heads, rows, "Who moved"), _rest(len(moved) - _MOST_ROWS))


def _has_moved(triangle: Triangle) -> bool:
    return triangle.mover is not Mover.NOBODY or Outcome.DISAGREE in {triangle.ours_pinned, triangle.live_pinned}


def _triangle(triangle: Triangle) -> Html:
    worst = "".join(f" {_moved(item)}" for item in triangle.moved[:3])
    rest = len(triangle.moved) - 3
    return element(
        "tr",
        element("th", breakable(name(triangle.case)), f" {name(triangle.engine, 24)}", scope="row"),
        element("td", element("strong", triangle.mover.value)),
        *(element("td", pill(side)) for side in (triangle.ours_pinned, triangle.live_pinned, triangle.ours_live)),
        element(
            "td",
            f"{sentence(triangle.sentence)} {sentence(triangle.next_step)}".strip(),
            element("small", worst + (f" and {rest} more." if rest > 0 else "")),
        ),
    )


def _moved(moved: Moved) -> str:
    corners = (("ours", moved.ours), ("pin", moved.pinned), ("R", moved.live))
    values = ", ".join(f"{who} {number(value, 9)}" for who, value in corners)
    return f"{name(moved.quantity, 50)}: {values}."


def _traces(run: Run) -> Html:
    title = element("h3", "How near to the limits, run by run")
    if not run.traces:
        return join(title, element("p", "No history of earlier runs was kept.", class_="quiet"))
    ranked = sorted(run.traces, key=lambda trace: (not trace.warning, -_last(trace)))
    warned = sum(bool(trace.warning) for trace in run.traces)
    said = (
        f"{counted(warned, 'comparison')} came a step nearer to a limit."
        if warned
        else "No comparison came a step nearer to its limits."
    )
    heads = ("case and engine", "share of the limit", "now", "digits", "D", "runs", "what changed")
    rows = [_trace(trace) for trace in ranked[: max(10, min(warned, _MOST_ROWS))]]
    rest = len(ranked) - len(rows)
    return join(title, element("p", said), _table(heads, rows, "History of the shares of limits"), _rest(rest))


def _last(trace: Trace) -> float:
    found = trace.ratios[-1] if trace.ratios else None
    return 0.0 if found is None or math.isnan(found) else found


def _trace(trace: Trace) -> Html:
    return element(
        "tr",
        element("th", breakable(name(trace.case)), f" {name(trace.engine, 24)}", scope="row"),
        element("td", sparkline(trace.ratios)),
        element("td", times(trace.ratios[-1] if trace.ratios else None), class_="number"),
        element("td", number(trace.digits[-1] if trace.digits else None, 3), class_="number"),
        element("td", number(trace.distances[-1] if trace.distances else None, 2), class_="number"),
        element("td", str(len(trace.started)), class_="number"),
        element("td", sentence(trace.warning) or ABSENT),
    )


def sparkline(ratios: Sequence[float | None]) -> Html:
    """Return shares of a limit over runs on a logarithmic scale from a millionth of it to ten times it, as a line."""
    shown = list(ratios)[-_MOST_POINTS:]
    width, height = _SPARK
    found = [(k, ratio) for k, ratio in enumerate(shown) if ratio is not None and not math.isnan(ratio)]
    if not found:
        return join(ABSENT)

    def y(ratio: float) -> float:
        decade = math.log10(min(max(abs(ratio), 1e-6), 10.0))
        return height - 3 - (decade + 6) / 7 * (height - 6)

    step = (width - 8) / max(len(shown) - 1, 1)
    points = " ".join(f"{4 + k * step:.1f},{y(ratio):.1f}" for k, ratio in found)
    words = f"Shares of the limit over {counted(len(found), 'run')}, the last {times(found[-1][1])}"
    last, limit = found[-1], f"{y(1.0):.1f}"
    return element(
        "svg",
        element("title", words),
        element("line", x1="0", x2=f"{width:.0f}", y1=limit, y2=limit),
        element("polyline", points=points),
        element("circle", cx=f"{4 + last[0] * step:.1f}", cy=f"{y(last[1]):.1f}", r="2.5"),
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        role="img",
        class_="spark",
    )


def _alone(run: Run) -> Html:
    title = element("h3", "Three engines or more on one case")
    if not run.consensus:
        return join(title, element("p", "No case was fitted by three engines or more.", class_="quiet"))
    unanimous = sum(found.unanimous for found in run.consensus)
    dissents = [(found, dissent) for found in run.consensus for dissent in found.dissents]
    dissents.sort(key=lambda pair: pair[1].dissenter is None)
    cases = counted(len(run.consensus), "case")
    given = f"{counted(unanimous, 'quantity', 'quantities')} that three or more of them give"
    if not dissents:
        return join(title, element("p", f"{cases}; all engines agree on {given}."))
    said = f"{cases}; all engines agree on {given}, and differ on {len(dissents)}."
    heads = ("case", "quantity", "stands alone", "values", "what that means")
    rows = [_dissent(found, dissent) for found, dissent in dissents[:_MOST_ROWS]]
    return join(title, element("p", said), _table(heads, rows, "Dissenters"), _rest(len(dissents) - _MOST_ROWS))


def _dissent(found: Consensus, dissent: Dissent) -> Html:
    return element(
        "tr",
        element("th", breakable(name(found.case)), scope="row"),
        element("td", name(dissent.quantity, 60)),
        element("td", element("strong", name(dissent.dissenter, 24)) if dissent.dissenter is not None else "nobody"),
        element("td", _values(dissent)),
        element("td", sentence(dissent.sentence, 240) or ABSENT),
    )


def _values(dissent: Dissent) -> str:
    def text(value: Value) -> str:
        return number(value, 9)

    return ", ".join(f"{name(engine, 24)} {text(value)}" for engine, value in list(dissent.values.items())[:8])


def _table(heads: Sequence[str], rows: Sequence[Html], label: str) -> Html:
    head = element(
        "tr", *(element("th", text, scope="col", class_="number" if text in _NUMBERS else None) for text in heads)
    )
    table = element("table", element("thead", head), element("tbody", *rows), class_="told")
    return element("div", table, class_="scroll", role="region", aria_label=label, tabindex="0")


def _rest(n: int) -> Html:
    return element("p", f"and {n} more in run.json", class_="quiet") if n > 0 else join()
