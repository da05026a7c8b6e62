"""Tables of outcomes drawn from a fitted model, ready to be fitted again."""

import numpy as np
import pandas as pd

from harness.cohorts.cohort import Cohort
from harness.cohorts.frames import to_frame
from harness.errors import Problem, SpecError
from harness.gbtm.account import GbtmFit
from harness.gbtm.design import GbtmDesign
from harness.gbtm.simulation import simulate


def simulated(
    fit: GbtmFit, design: GbtmDesign, cohort: Cohort, replicates: int | None = None, seed: int = 1
) -> pd.DataFrame:
    """Return the cohort's table with outcomes drawn from a fit, NaN where none was observed.

    Parameters
    ----------
    fit, design, cohort
        Of one model.
    replicates
        How many tables, one below the other, numbered from 1 in the first column, `replicate`; None for one table
        without such a column.
    seed
        From which the stream of each replicate follows.

    Raises
    ------
    SpecError
        For a number of replicates that is none, or a model that decides which visits there are (dropout).
    """
    is_count = isinstance(replicates, int) and not isinstance(replicates, bool) and replicates >= 1
    if replicates is not None and not is_count:
        found = f"{replicates!r:.40} replicates"
        raise SpecError("simulate", [Problem(found=found, expected="a whole number >= 1, or None for one table")])
    tables = []
    for number in range(replicates or 1):
        table = to_frame(cohort)
        stream = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
        for outcome, drawn in zip(design.outcomes, simulate(fit, design, stream), strict=True):
            column = np.full(cohort.n_rows, np.nan)
            column[outcome.rows.cohort_row] = drawn
            table[outcome.spec.outcome] = column
        if replicates is not None:
            table.insert(0, "replicate", number + 1)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
