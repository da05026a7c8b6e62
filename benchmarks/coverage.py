"""How often 95 % intervals of trajectory models cover the truth: 2 000 simulated panels of each kind of model.

python -m benchmarks.coverage [--replicates N] [--workers N] [--only MODEL]
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import pandas as pd

from benchmarks.coverage_models import SINGLE, Model
from benchmarks.coverage_pairs import PAIRS, Pair
from benchmarks.machine import pin_threads
from benchmarks.tables import Judged, Table, closing, exit_status, render

LOWEST, HIGHEST = 0.93, 0.97
SUBJECTS, REPLICATES, CHECKED = 150, 2000, 20
SEED = 20
MODELS: tuple[Model | Pair, ...] = (*SINGLE, *PAIRS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Covered:
    """B replicates of one model, p parameters: which intervals cover the truth, (B, p); NaN where there is none."""

    names: tuple[str, ...]
    observed: np.ndarray
    sandwich: np.ndarray
    same_optimum: np.ndarray


def coverage(models: Sequence[Model | Pair], replicates: int, workers: int) -> Table:
    """Return the table of all models."""
    noise = 100 * np.sqrt(0.05 * 0.95 / replicates)
    title = (
        f"Coverage of 95 % intervals (%), {SUBJECTS} subjects, two well separated classes, {replicates} replicates\n"
        f"  target: {100 * LOWEST:g} to {100 * HIGHEST:g} for every parameter, by the observed information; "
        f"Monte-Carlo error {noise:.1f}\n"
        f"  refits begin at the truth; `same`: how many of the first {CHECKED} end where a search does"
    )
    header = ("model", "parameters", "mean", "lowest", "of", "highest", "of", "sandwich", "no interval", "same")
    return Table(title=title, header=header, rows=tuple(_row(m, _run(m, replicates, workers)) for m in models))


def _row(model: Model | Pair, found: Covered) -> tuple[str | Judged, ...]:
    observed, sandwich = np.nanmean(found.observed, axis=0), np.nanmean(found.sandwich, axis=0)
    low, high = int(observed.argmin()), int(observed.argmax())
    return (
        model.name,
        f"{len(found.names)}",
        f"{100 * observed.mean():.1f}",
        Judged(value=round(100 * observed[low], 1), limit=100 * LOWEST, at_least=True),
        found.names[low],
        Judged(value=round(100 * observed[high], 1), limit=100 * HIGHEST),
        found.names[high],
        f"{100 * sandwich.min():.1f} to {100 * sandwich.max():.1f}",
        f"{int(np.isnan(found.observed).any(axis=1).sum())}",
        f"{int(found.same_optimum.sum())}",
    )


def _run(model: Model | Pair, replicates: int, workers: int) -> Covered:
    numbers = range(replicates)
    if workers == 1:
        found = [_replicate(model.name, number) for number in numbers]
    else:
        with ProcessPoolExecutor(max_workers=workers) as pool:
            found = list(pool.map(_replicate, repeat(model.name), numbers, chunksize=20))
    return Covered(
        names=found[0][0],
        observed=np.array([one[1] for one in found]),
        sandwich=np.array([one[2] for one in found]),
        same_optimum=np.array([one[3] for one in found[:CHECKED]]),
    )


def _replicate(name: str, number: int) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, bool]:
    model = next(model for model in MODELS if model.name == name)
    stream = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(MODELS.index(model), number)))
    panel = model.draw(stream, SUBJECTS)
    truth = model.truth(panel)
    fit = model.fit(panel, start=True)
    covered, names = [], ()
    for kind in ("observed information", "sandwich"):
        table = model.table(fit, kind)
        inside = (table["lower"] <= truth) & (truth <= table["upper"])
        covered.append(np.where(table["lower"].isna(), np.nan, inside.astype(float)))
        names = tuple(_names(table))
    same = True
    if number < CHECKED:
        same = abs(model.fit(panel, start=False).log_likelihood - fit.log_likelihood) < 1e-6
    return names, covered[0], covered[1], same


def _names(table: pd.DataFrame) -> list[str]:
    return [f"{row.parameter} {row.latent_class or ''}".strip() for row in table.itertuples()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 0 if every coverage keeps its limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=REPLICATES)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=[model.name for model in MODELS])
    given = parser.parse_args(arguments)
    table = coverage([m for m in MODELS if given.only in {None, m.name}], given.replicates, given.workers)
    print(render(table))
    print(closing([table]))
    return exit_status([table])


if __name__ == "__main__":
    pin_threads()
    sys.exit(main())
