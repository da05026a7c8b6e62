"""Targets of speed: ours side by side with R's and Python's in one run, one thread each, in turn.

python -m benchmarks.speed [--rounds N] [--large N] [--searches N] [--only TABLE]
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from benchmarks.machine import environment, pin_threads, timing_worker
from benchmarks.mixed_models import large_panel, refits, small_panel
from benchmarks.tables import Table, closing, exit_status, render
from benchmarks.trajectories import bootstrap_of_classes, trajectory_model


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--rounds", type=_count, default=15, metavar="N", help="rounds of the small panel (15)")
    parser.add_argument("--large", type=_count, default=3, metavar="N", help="rounds of the large panel (3)")
    parser.add_argument("--searches", type=_count, default=3, metavar="N", help="rounds of the trajectory model (3)")
    parser.add_argument("--only", choices=_TABLES, help="print one table")
    options = parser.parse_args(arguments)
    tables = []
    with timing_worker() as worker:
        measures: Mapping[str, Callable[[], Table]] = {
            "small": lambda: small_panel(worker, options.rounds),
            "large": lambda: large_panel(worker, options.large),
            "refits": lambda: refits(worker),
            "trajectories": lambda: trajectory_model(worker, options.searches),
            "classes": bootstrap_of_classes,
        }
        print(environment(worker))
        for name, measure in measures.items():
            if options.only in {None, name}:
                tables.append(measure())
                print(f"\n{render(tables[-1])}", flush=True)
    print(f"\n{closing(tables)}")
    return exit_status(tables)


_TABLES = ("small", "large", "refits", "trajectories", "classes")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    pin_threads()
    sys.exit(main())
