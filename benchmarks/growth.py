"""How time and memory grow with the number of subjects: each size in a process of its own, whose peak is measured."""

import resource
import time
from multiprocessing import get_context

from benchmarks.tables import Judged, Table
from benchmarks.trial import FORMULA, trial
from harness import fit_lmm

SIZES = (100_000, 300_000, 1_000_000)
MOST_GIB = 8.0
MOST_GROWTH = 1.5
_GIB = 2.0**20  # of the kibibytes that the system counts in


def growth(sizes: tuple[int, ...] = SIZES) -> Table:
    """Fit the simulated trial with more and more subjects."""
    measured = []
    for m in sizes:
        with get_context("spawn").Pool(1) as pool:
            measured.append(pool.apply(measure, (m,)))
    per_row = [seconds / rows for rows, seconds, _, _ in measured]
    title = (
        f"{FORMULA}, REML, simulated trials, from data frame to fit with tests\n"
        f"  target: at most {MOST_GIB:g} GiB in all, and {MOST_GROWTH:g} times the time a row of the smallest"
    )
    return Table(
        title=title,
        header=("subjects", "rows", "seconds", "time a row", "GiB at the peak", "of it the data"),
        rows=tuple(
            (
                f"{m}",
                f"{rows}",
                f"{seconds:.2f}",
                Judged(value=each / per_row[0], limit=MOST_GROWTH),
                Judged(value=peak, limit=MOST_GIB),
                f"{before:.2f}",
            )
            for m, (rows, seconds, peak, before), each in zip(sizes, measured, per_row, strict=True)
        ),
    )


def measure(n_subjects: int) -> tuple[int, float, float, float]:
    """Return rows, seconds, the peak of this process in GiB, and its peak before the fit."""
    fit_lmm(FORMULA, trial(100))
    frame = trial(n_subjects)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _GIB
    started = time.process_time()
    fit = fit_lmm(FORMULA, frame)
    for method in ("satterthwaite", "kenward-roger"):
        fit.fixed_effects(method)
    seconds = time.process_time() - started
    return len(frame), seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _GIB, before
