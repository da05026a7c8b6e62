"""Who moved since the pins were recorded, and what comes near to breaking, as lines of the report in a terminal."""

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from harness.comparison.run import Run
from harness.comparison.triangle import Mover, Triangle
from harness.reports.words import counted, listed, name, sentence

MOST = 8


def drift_lines(run: Run) -> list[Text]:
    """Return one line where nobody moved, else a line for each of the first that moved; and the first warnings."""
    moved = sorted(
        (triangle for triangle in run.triangles if triangle.mover is not Mover.NOBODY),
        key=lambda triangle: not triangle.blocks,
    )
    warned = [trace for trace in run.traces if trace.warning]
    return [
        *([Text(_told(run.triangles))] if run.triangles else []),
        *(_moved(triangle) for triangle in moved[:MOST]),
        *_rest(len(moved), "moved"),
        *(
            Text.assemble(
                ("Warning: ", "bold yellow"), f"{name(trace.case)} {name(trace.engine)}: {sentence(trace.warning)}"
            )
            for trace in warned[:MOST]
        ),
        *_rest(len(warned), "came a step nearer to a limit"),
    ]


def _told(triangles: Sequence[Triangle]) -> str:
    movers = Counter(triangle.mover for triangle in triangles)
    still, total = movers[Mover.NOBODY], counted(len(triangles), "comparison")
    beside = f"{total} with a live engine beside its pin"
    if still == len(triangles):
        return f"Since the pins were recorded nobody moved, in {beside}."
    who = listed([f"{mover.value} in {movers[mover]}" for mover in Mover if movers[mover]], len(Mover))
    return f"Who moved since the pins were recorded, in {beside}: {who}."


def _moved(triangle: Triangle) -> Text:
    style = "bold red" if triangle.blocks else "bold yellow"
    text = (
        f"{name(triangle.case)} {name(triangle.engine)}: {sentence(triangle.sentence)} {sentence(triangle.next_step)}"
    )
    return Text.assemble((f"Moved, {triangle.mover.value}: ", style), text)


def _rest(total: int, what: str) -> list[Text]:
    return [Text(f"{total - MOST} more {what}: see the reports in files.")] if total > MOST else []
