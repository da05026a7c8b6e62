"""How fast, in how much memory, and how exact: all engines on the same data, from a hundred subjects to a million.

python -m benchmarks.table [--sizes N ...] [--repeats N] [--seconds S] [--only ENGINE ...] [--figure FILE]
"""

import argparse
import math
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from json import JSONDecodeError, loads
from pathlib import Path

import numpy as np

from benchmarks.engines import ENGINES, MODELS, OURS, Engine
from benchmarks.growth_figure import Curve, draw
from benchmarks.machine import ONE_THREAD, environment, pin_threads, timing_worker
from benchmarks.point import Point
from benchmarks.races import digits
from benchmarks.tables import Table, render

SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
REPEATS, SECONDS = 3, 60.0
FIGURE = Path(__file__).parent / "growth.svg"
READ_FROM = 3
"""An exponent is fitted to so many of the largest sizes: small ones pay for calls, not for subjects."""
_HEADER = (
    "model",
    "engine",
    "subjects",
    "seconds",
    "min-max",
    "fits",
    "times ours",
    "MiB",
    "MiB more",
    "digits of logL",
    "worst beta",
    "exponent",
)
_START = 300.0  # seconds for starting, importing and simulating, beyond the fits


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One engine at one size."""

    engine: Engine
    n_subjects: int
    point: Point

    @property
    def seconds(self) -> float:
        """The median of its fits; NaN where none ended in time."""
        return statistics.median(self.point.seconds) if self.point.seconds else math.nan


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, draw the figure and return the exit status: 1 if nothing of ours was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.table", description=str(__doc__).partition("\n")[0])
    names = tuple(dict.fromkeys(engine.name for engine in ENGINES))
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="numbers of subjects")
    parser.add_argument("--repeats", type=int, default=REPEATS, metavar="N", help=f"fits a point ({REPEATS})")
    parser.add_argument("--seconds", type=float, default=SECONDS, metavar="S", help=f"for one fit ({SECONDS:g})")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="ENGINE", help="beside ours")
    parser.add_argument(
        "--figure", type=Path, default=FIGURE, metavar="FILE", help=f"where it is drawn ({FIGURE.name})"
    )
    options = parser.parse_args(arguments)
    if min(*options.sizes, options.repeats, options.seconds, 1) <= 0:
        parser.error("sizes, repeats and seconds must be positive")
    engines = [engine for engine in ENGINES if engine.name in {OURS, *options.only}]
    rows = tuple(measured(engines, sorted(options.sizes), options.repeats, options.seconds))
    with timing_worker() as worker:
        in_r = [engine.name for engine in ENGINES if engine.in_r]
        print(environment(worker, in_r, [name for name in names if name not in {OURS, *in_r}]))
    print(f"\n{render(table(rows, options.repeats, options.seconds))}")
    draw(options.figure, curves(rows), options.seconds)
    print(f"\nfigure: {options.figure}")
    return 0 if any(row.engine.name == OURS and row.point.seconds for row in rows) else 1


def measured(engines: Iterable[Engine], sizes: Sequence[int], repeats: int, seconds: float) -> Iterable[Row]:
    """Yield each engine at each size, each measured in a process of its own.

    Where an engine has not ended in time, or not at all, larger sizes are not run: they are shown as what they are.
    """
    for engine in engines:
        stopped: Point | None = None
        for n_subjects in sizes:
            point = stopped or in_a_process(engine, n_subjects, repeats, seconds)
            if point.failure:
                stopped = point
            yield Row(engine=engine, n_subjects=n_subjects, point=point)
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def in_a_process(engine: Engine, n_subjects: int, repeats: int, seconds: float) -> Point:
    """Return what `benchmarks.point` measures, or why there is nothing."""
    command = [sys.executable, "-m", "benchmarks.point", engine.model, engine.name, str(n_subjects), str(repeats)]
    try:
        ended = subprocess.run(
            [*command, str(seconds)],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, **ONE_THREAD},
            timeout=_START + (repeats + 2) * seconds,
        )
    except subprocess.TimeoutExpired:
        return Point(failure="it did not end", late=True)
    if ended.returncode == -signal.SIGPROF:
        return Point(failure="a fit took too long", late=True)
    try:
        return Point(**{name: _frozen(value) for name, value in loads(ended.stdout.splitlines()[-1]).items()})
    except (IndexError, JSONDecodeError, TypeError):
        said = ended.stderr.strip().splitlines() or [f"exit status {ended.returncode}"]
        return Point(failure=said[-1])


def table(rows: Sequence[Row], repeats: int, seconds: float) -> Table:
    """Return all rows as one table, model after model."""
    of_model = {name: [row for row in rows if row.engine.model == name] for name in MODELS}
    models = "".join(f"  {name:<11} {MODELS[name].title}\n" for name, own in of_model.items() if own)
    missing = dict.fromkeys(
        f"{row.engine.name}: {row.point.failure}" for row in rows if row.point.failure and not row.point.late
    )
    title = (
        "Time, memory and agreement by number of subjects, one thread, every point in a process of its own\n"
        f"{models}"
        f"  seconds     of the processor, the median of {repeats} fits or more after a small one that warms up;\n"
        f"              '> {seconds:g}' where one fit takes longer, and for all larger sizes, which are not run\n"
        "  times ours  seconds by ours at that size\n"
        "  MiB         the largest resident set during the fits, of Python's or of R's process, and how much of it\n"
        "              is more than when the data were ready\n"
        "  digits      log relative error of the log-likelihood against the best that any engine reached\n"
        "  worst beta  the fixed effect farthest from that engine's, in standard errors\n"
        f"  exponent    of growth of the seconds with subjects, fitted to the {READ_FROM} largest sizes measured"
    )
    lines = (_line(row, own, seconds) for own in of_model.values() for row in own)
    return Table(title=title, header=_HEADER, rows=tuple(lines), not_run=tuple(missing))


def curves(rows: Sequence[Row]) -> Mapping[str, tuple[Curve, ...]]:
    """Return what is drawn: seconds by subjects, a curve an engine, by the title of the model."""
    found: dict[str, tuple[Curve, ...]] = {}
    for name, model in MODELS.items():
        own = [row for row in rows if row.engine.model == name]
        engines = dict.fromkeys(row.engine.name for row in own)
        drawn = tuple(_curve(engine, [row for row in own if row.engine.name == engine]) for engine in engines)
        shown = tuple(curve for curve in drawn if curve.sizes or curve.late)
        if shown:
            found[model.title] = shown
    return found


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return the slope of log seconds by log size over the largest sizes; NaN with fewer than two."""
    pairs = sorted((size, time) for size, time in zip(sizes, seconds, strict=True) if time > 0)[-READ_FROM:]
    if len(pairs) < 2:
        return math.nan
    logs = np.log(np.array(pairs))
    return float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])


def _curve(engine: str, rows: Sequence[Row]) -> Curve:
    ended = [row for row in rows if row.point.seconds]
    sizes, seconds = [row.n_subjects for row in ended], [row.seconds for row in ended]
    late = [row.n_subjects for row in rows if row.point.late]
    return Curve(
        engine=engine,
        sizes=tuple(sizes),
        seconds=tuple(seconds),
        exponent=exponent(sizes, seconds),
        late=late[0] if late else None,
    )


def _line(row: Row, rows: Sequence[Row], seconds: float) -> tuple[str, ...]:
    """Return the cells of one engine at one size; `rows` are those of the same model."""
    name, head = row.engine.name, (row.engine.model, row.engine.name, f"{row.n_subjects}")
    if not row.point.seconds:
        told = f"> {seconds:g}" if row.point.late else "not run"
        return (*head, told, *[""] * (len(_HEADER) - len(head) - 1))
    alike = [other for other in rows if other.n_subjects == row.n_subjects and other.point.seconds]
    ours = next((other for other in alike if other.engine.name == OURS), None)
    best = max(alike, key=lambda other: other.point.log_likelihood or -math.inf)
    took = row.point.seconds
    own = [other for other in rows if other.engine.name == name and other.point.seconds]
    is_last = row is own[-1]
    slope = exponent([other.n_subjects for other in own], [other.seconds for other in own]) if is_last else math.nan
    return (
        *head,
        f"{row.seconds:.4g}",
        f"{min(took):.3g}-{max(took):.3g}",
        f"{len(took)}",
        "" if ours is None or ours is row else f"{row.seconds / ours.seconds:.3g}",
        f"{row.point.peak:.0f}",
        f"{row.point.peak - row.point.before:.0f}",
        "best" if row is best else digits(row.point.log_likelihood or math.nan, best.point.log_likelihood or math.nan),
        _worst(row.point, best.point, ours),
        "" if math.isnan(slope) else f"{slope:.2f}",
    )


def _worst(point: Point, best: Point, ours: Row | None) -> str:
    """Return how far the fixed effect is that is farthest, in our standard errors."""
    errors = () if ours is None else ours.point.errors
    if not len(point.beta) == len(best.beta) == len(errors) or not errors:
        return ""
    apart = np.abs(np.array(point.beta) - np.array(best.beta)) / np.array(errors)
    return f"{apart.max():.1e}"


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


if __name__ == "__main__":
    pin_threads()
    sys.exit(main())
