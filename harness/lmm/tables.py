"""Estimates as tables: variances and conditional modes, one row a number."""

import numpy as np
import pandas as pd

from harness.lmm.estimates import LmmEstimates, RandomEffects


def random_effect_table(estimates: LmmEstimates) -> pd.DataFrame:
    """Return one row a level and random effect: conditional mode and its conditional standard deviation.

    The column of levels is named after the grouping factor where there is one only, else `level` beside `grouping`.
    """
    tables = [_modes(one) for one in estimates.random]
    if len(tables) == 1:
        return tables[0].rename(columns={"level": estimates.random[0].grouping})
    for one, table in zip(estimates.random, tables, strict=True):
        table.insert(0, "grouping", one.grouping)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def variance_table(estimates: LmmEstimates) -> pd.DataFrame:
    """Return one row an entry of each random covariance (lower triangle by rows), then sigma or the residual's own."""
    rows = [row for one in estimates.random for row in _entries(one)]
    if estimates.sigma is not None:
        rows.append(("residual", "residual", "residual", "sd", estimates.sigma, np.nan))
    rows += [
        ("residual", name, "", "parameter", value, np.nan) for name, value in estimates.residual_parameters.items()
    ]
    table = pd.DataFrame(rows, columns=["grouping", "effect", "with", "quantity", "estimate", "correlation"])
    errors = None if estimates.variance_cov is None else np.sqrt(np.diag(estimates.variance_cov))
    table["standard_error"] = np.full(len(rows), np.nan) if errors is None else errors
    return table


def _modes(one: RandomEffects) -> pd.DataFrame:
    m, q = one.modes.shape
    columns = {"level": np.repeat(one.labels, q), "effect": list(one.names) * m, "mode": one.modes.ravel()}
    if one.modes_cov is not None:
        variances = np.diagonal(one.modes_cov, axis1=1, axis2=2)
        columns["standard_deviation"] = np.sqrt(np.maximum(variances, 0.0)).ravel()
    return pd.DataFrame(columns)


def _entries(one: RandomEffects) -> list[tuple[str, str, str, str, float, float]]:
    sds = np.sqrt(np.diag(one.cov))
    rows = []
    for a, b in zip(*np.tril_indices(len(one.names)), strict=True):
        scale = float(sds[a] * sds[b])
        correlation = float(one.cov[a, b]) / scale if a != b and scale > 0 else np.nan
        quantity = "variance" if a == b else "covariance"
        rows.append((one.grouping, one.names[a], one.names[b], quantity, float(one.cov[a, b]), correlation))
    return rows
