"""How time and memory of a trajectory model grow with the number of subjects, as a table and a figure."""

import resource
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.tables import Judged, Table

SIZES = (1_000, 10_000, 100_000, 1_000_000)
VISITS, CLASSES, STARTS = 6, 4, 10
MOST_GIB = 8.0
MOST_GROWTH = 1.5
FIGURE = Path(__file__).parent / "trajectory_growth.svg"
_GIB = 2.0**20  # of the kibibytes that the system counts in
_CURVES = ((31.0, -9.0, 1.0), (25.0, -4.5, 0.45), (34.0, -3.5, 0.3), (36.5, -0.9, 0.1))
_SHARES = (0.17, 0.33, 0.32, 0.18)
_SIGMA = 3.4


def trajectory_growth(sizes: tuple[int, ...] = SIZES) -> Table:
    """Fit four quadratic classes to more and more subjects, each size in a process whose peak is measured."""
    measured = []
    for m in sizes:
        with get_context("spawn").Pool(1) as pool:
            measured.append(pool.apply(measure, (m,)))
    reference = len(sizes) - 2  # small panels pay for many small calls: growth is read from the large ones
    per_row = [seconds / rows for rows, seconds, _, _, _ in measured]
    draw([rows for rows, *_ in measured], [seconds for _, seconds, *_ in measured])
    title = (
        f"Four quadratic classes, {STARTS} starts with standard errors, simulated subjects with {VISITS} visits\n"
        f"  target: at most {MOST_GIB:g} GiB in all, and {MOST_GROWTH:g} times the time a row of "
        f"{sizes[reference]} subjects; figure: {FIGURE.name}"
    )
    return Table(
        title=title,
        header=(
            "subjects",
            "rows",
            "seconds",
            "time a row",
            "GiB at the peak",
            "of it the data",
            "largest share error",
        ),
        rows=tuple(
            (
                f"{m}",
                f"{rows}",
                f"{seconds:.2f}",
                Judged(value=each / per_row[reference], limit=MOST_GROWTH)
                if k >= reference
                else f"{each / per_row[2]:.2g}",
                Judged(value=peak, limit=MOST_GIB),
                f"{before:.2f}",
                f"{error:.4f}",
            )
            for k, (m, (rows, seconds, peak, before, error), each) in enumerate(
                zip(sizes, measured, per_row, strict=True)
            )
        ),
    )


def measure(n_subjects: int) -> tuple[int, float, float, float, float]:
    """Return rows, seconds, the peak of this process in GiB, its peak before the fit, and the error of the shares."""
    from harness import fit_gbtm  # noqa: PLC0415  # in the process that is measured

    frame = simulated(n_subjects)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _GIB
    started = time.process_time()
    fit = fit_gbtm(frame, outcome="score", time="visit", subject="id", orders=(2,) * CLASSES, n_starts=STARTS)
    fit.coefficients()
    seconds = time.process_time() - started
    error = float(np.max(np.abs(np.sort(fit.class_shares) - np.sort(_SHARES))))
    return len(frame), seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _GIB, before, error


def simulated(n_subjects: int, seed: int = 1) -> pd.DataFrame:
    """Return subjects of four classes, all visits observed."""
    stream = np.random.default_rng(seed)
    latent = stream.choice(CLASSES, n_subjects, p=_SHARES)
    visit = np.tile(np.arange(VISITS, dtype=np.float64), n_subjects)
    means = np.array([np.polynomial.polynomial.polyval(np.arange(VISITS), curve) for curve in _CURVES])[latent].ravel()
    score = means + _SIGMA * stream.standard_normal(len(visit))
    return pd.DataFrame({"id": np.repeat(np.arange(n_subjects), VISITS), "visit": visit, "score": score})


def draw(rows: list[int], seconds: list[float]) -> None:
    """Write the figure: seconds by rows, both on a logarithmic scale, with a line of slope 1."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # only here

    figure = Figure(figsize=(5.0, 3.6), layout="constrained")
    axes = figure.add_subplot()
    axes.loglog(rows, seconds, marker="o", label="measured")
    axes.loglog(rows, [seconds[-1] * n / rows[-1] for n in rows], linestyle=":", color="0.4", label="slope 1")
    slope = np.polyfit(np.log(rows[-2:]), np.log(seconds[-2:]), 1)[0]
    axes.set_title(f"four classes, {STARTS} starts; slope of the last step {slope:.2f}", fontsize="small")
    axes.set_xlabel("rows")
    axes.set_ylabel("seconds of one processor")
    axes.legend(frameon=False)
    figure.savefig(FIGURE, metadata={"Date": None})
