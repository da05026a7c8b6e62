"""Residuals of several kinds, and their spread by visit and arm."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.arrays import Vector, read_only
from harness.lmm.diagnostics.whitening import cholesky_whitened
from harness.lmm.prediction.distribution import Distribution
from harness.lmm.prediction.occasions import Occasions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Residuals:
    """What the fit leaves of each outcome (n,), in the rows' order.

    `marginal` is y - X beta; `conditional` is y - X beta - Zb at the conditional modes, R's ``resid(m)``; `pearson`
    divides that by the standard deviation of e, R's ``resid(m, type = "pearson", scaled = TRUE)``; `whitened` is the
    marginal residual made uncorrelated (`harness.lmm.diagnostics.whitening`). `fitted` is X beta + Zb.
    """

    fitted: Vector
    marginal: Vector
    conditional: Vector
    pearson: Vector
    whitened: Vector


def residuals(distribution: Distribution, at: Occasions, signal: Vector) -> Residuals:
    """Return all residuals; `signal` (n,) is Zb at the conditional modes."""
    expected = at.X @ distribution.beta
    marginal = at.outcome - expected
    conditional = marginal - signal
    return Residuals(
        fitted=read_only(expected + signal),
        marginal=read_only(marginal),
        conditional=read_only(conditional),
        pearson=read_only(conditional / np.sqrt(distribution.residual_variance(at))),
        whitened=read_only(cholesky_whitened(distribution, at)),
    )


def spread_by(values: Vector, columns: pd.DataFrame) -> pd.DataFrame:
    """Return count, mean and standard deviation of values in every cell of some columns, such as visit and arm.

    The standard deviation is about the mean of the cell, with one less than the count as divisor; NaN for one value.
    """
    cells = pd.Series(values).groupby([columns[name] for name in columns], observed=True, sort=True)
    return cells.agg(count="count", mean="mean", standard_deviation="std").reset_index()
