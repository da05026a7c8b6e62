"""The history of comparisons in a terminal: a line of bars for each, with the warnings before it."""

import math
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.comparison.traces import Trace
from harness.reports.lines import lines_of
from harness.reports.words import counted, name, number, sentence, times

_BARS = "▁▂▃▄▅▆▇█"
_DECADES = 6.0
"""The lowest bar stands for a millionth of the limit and less, the highest for the limit and more."""

_NOTHING = "·"


def render(traces: Sequence[Trace], width: int = 100, *, colour: bool = False) -> str:
    """Return the traces as lines of at most `width` columns, those with warnings first."""
    ranked = sorted(traces, key=lambda trace: (not trace.warning, -_last(trace)))
    warned = [trace for trace in ranked if trace.warning]
    said = f"{counted(len(traces), 'comparison')}, {counted(len(warned), 'warning')}"
    return lines_of([Text(said), *map(_warning, warned), *_table(ranked)], width, colour=colour)


def bars(ratios: Sequence[float | None]) -> str:
    """Return a bar for each share of a limit, on a logarithmic scale; a dot where a run has none."""
    return "".join(map(_bar, ratios))


def _warning(trace: Trace) -> RenderableType:
    said = f"{name(trace.case)} {name(trace.engine)}: {sentence(trace.warning)}"
    return Text.assemble(("Warning: ", "bold yellow"), said)


def _bar(ratio: float | None) -> str:
    if ratio is None or math.isnan(ratio):
        return _NOTHING
    height = 1 + math.log10(min(max(ratio, 10**-_DECADES), 1.0)) / _DECADES
    return _BARS[round(height * (len(_BARS) - 1))]


def _table(traces: Sequence[Trace]) -> list[RenderableType]:
    if not traces:
        return []
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("case and engine", overflow="fold", ratio=1, min_width=20)
    table.add_column("share of the limit", no_wrap=True)
    for heading in ("now", "digits", "D", "runs"):
        table.add_column(heading, justify="right", no_wrap=True)
    for trace in traces:
        table.add_row(
            Text(f"{name(trace.case)} {name(trace.engine)}"),
            Text(bars(trace.ratios)),
            times(trace.ratios[-1] if trace.ratios else None),
            number(trace.digits[-1] if trace.digits else None, 3),
            number(trace.distances[-1] if trace.distances else None, 2),
            str(len(trace.started)),
        )
    return [table]


def _last(trace: Trace) -> float:
    found = trace.ratios[-1] if trace.ratios else None
    return 0.0 if found is None or math.isnan(found) else found
