"""Tables of a multi-trajectory model: those of a single outcome, with the outcome in a column of its own."""

from collections.abc import Callable, Sequence

import pandas as pd

from harness.gbtm import tables
from harness.gbtm.design import KIND_WIDTH, ClassKind, GbtmDesign
from harness.gbtm.estimates import GbtmEstimates


def coefficients(estimates: GbtmEstimates, design: GbtmDesign, level: float = 0.95) -> pd.DataFrame:
    """Return one row a parameter, as `tables.coefficients` does, with its `outcome`: empty for shares and log-odds."""
    table = tables.coefficients(estimates, level)
    mixture = design.mixture
    of_parameters = [""] * mixture.membership.n_free
    for label, density in zip(density_labels(design), mixture.densities, strict=True):
        of_parameters += [label] * density.n_free
    outcomes = [""] * estimates.n_classes + [of_parameters[k] for k in estimates.reported]
    named = zip(table["parameter"], outcomes, strict=True)
    table["parameter"] = [name.removeprefix(f"{label}: ") for name, label in named]
    table.insert(0, "outcome", outcomes)
    return table


def density_labels(design: GbtmDesign) -> tuple[str, ...]:
    """Return the outcome that each density of the mixture is of."""
    return design.mixture.labels or (design.spec.outcome,) * len(design.mixture.densities)


def by_outcome(design: GbtmDesign, table_of: Callable[[int], pd.DataFrame]) -> pd.DataFrame:
    """Return the tables of all outcomes, by number, below one another with the `outcome` in the first column."""
    frames = []
    for number, outcome in enumerate(design.outcomes):
        frame = table_of(number)
        frame.insert(0, "outcome", outcome.spec.outcome)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def with_orders_by_outcome(table: pd.DataFrame, kinds: Sequence[tuple[ClassKind, ...]]) -> pd.DataFrame:
    """Return a table of optima or starts whose `orders` are those of each outcome in turn, given each row's kinds."""
    orders = [tuple(tuple(kind[at] for kind in row) for at in range(0, len(row[0]), KIND_WIDTH)) for row in kinds]
    return table.assign(orders=pd.Series(orders, index=table.index, dtype=object))
