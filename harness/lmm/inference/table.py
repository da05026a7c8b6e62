"""Many contrasts in one table, each with its own t test and interval; all coefficients in one call."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from harness.arrays import Mask, Matrix, Vector, read_only
from harness.errors import Problem, SpecError
from harness.lmm.inference.distributions import checked_level, t_quantile, two_sided_p
from harness.lmm.inference.fixed_effects import FixedEffects
from harness.lmm.inference.methods import Method

_NUMBERS = ("estimate", "standard_error", "df", "t", "p", "lower", "upper")
_COLUMNS = pd.Index(_NUMBERS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContrastTable:
    """k contrasts or coefficients, all vectors (k,): `t` tests that they equal `null`, on `df` degrees of freedom.

    (`lower`, `upper`) cover each with probability `level`. Where `estimable` is false, all numbers are NaN.
    """

    names: tuple[str, ...]
    estimate: Vector
    standard_error: Vector
    df: Vector
    t: Vector
    p: Vector
    lower: Vector
    upper: Vector
    estimable: Mask
    level: float
    null: float
    method: Method
    remarks: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """Return one row a contrast: estimate, standard error, df, t, p, lower, upper."""
        numbers = np.column_stack([getattr(self, name) for name in _NUMBERS])
        return pd.DataFrame(numbers, index=pd.Index(self.names, name="effect"), columns=_COLUMNS)


def coefficient_table(effects: FixedEffects, *, level: float = 0.95) -> ContrastTable:
    """Return all coefficients of the formula; those of aliased columns are not estimable.

    R: ``summary(lmerTest::lmer(f, d), ddf = "Satterthwaite")$coefficients``, ``confint``.
    """
    table = _tested_rows(effects, np.eye(len(effects.kept)), tuple(effects.names[j] for j in effects.kept), level, 0.0)
    return table if len(effects.kept) == len(effects.names) else _spaced(table, effects)


def tabulated(
    effects: FixedEffects, contrasts: Matrix, names: tuple[str, ...], *, level: float = 0.95, null: float = 0.0
) -> ContrastTable:
    """Return the table of contrasts (k, all) over all columns of the formula, aliased ones included."""
    table = _tested_rows(effects, contrasts[:, effects.kept], names, level, null)
    estimable = effects.estimable(contrasts)
    return table if estimable.all() else _masked(table, estimable)


def _tested_rows(
    effects: FixedEffects, rows: Matrix, names: tuple[str, ...], level: float, null: float
) -> ContrastTable:
    """Return the table of contrasts (k, p) of the kept columns."""
    level = checked_level(level, "confidence interval")
    if not isinstance(null, int | float | np.integer | np.floating) or not np.isfinite(null):
        raise SpecError("contrast", [Problem(found=f"null {null!r:.40}", expected="a finite number")])
    working, degrees = rows @ effects.working, effects.degrees
    estimate, df = rows @ effects.beta, degrees.of_rows(working)
    variances = np.einsum("kp,kp->k", working @ degrees.covariance, working)
    # A zero row of the kept columns, or an adjustment that leaves nothing, has no test.
    error = np.sqrt(np.where(variances > 0, variances, np.nan))
    t = (estimate - null) / error
    half = t_quantile(level, df) * error
    return ContrastTable(
        names=names,
        estimate=read_only(estimate),
        standard_error=read_only(error),
        df=read_only(df),
        t=read_only(t),
        p=read_only(two_sided_p(t, df)),
        lower=read_only(estimate - half),
        upper=read_only(estimate + half),
        estimable=read_only(np.ones(len(rows), dtype=bool)),
        level=level,
        null=null,
        method=effects.method,
        remarks=effects.remarks,
    )


def _masked(table: ContrastTable, estimable: Mask) -> ContrastTable:
    """Return the table without the numbers of contrasts that are not estimable."""
    return _with_numbers(
        table, {name: np.where(estimable, getattr(table, name), np.nan) for name in _NUMBERS}, table.names, estimable
    )


def _spaced(table: ContrastTable, effects: FixedEffects) -> ContrastTable:
    """Return the table of kept coefficients with an empty row for each aliased one."""
    estimable = np.zeros(len(effects.names), dtype=bool)
    estimable[effects.kept] = True
    numbers = {name: np.full(len(estimable), np.nan) for name in _NUMBERS}
    for name, column in numbers.items():
        column[effects.kept] = getattr(table, name)
    return _with_numbers(table, numbers, effects.names, estimable)


def _with_numbers(
    table: ContrastTable, numbers: dict[str, Vector], names: tuple[str, ...], estimable: Mask
) -> ContrastTable:
    values = {name: read_only(column) for name, column in numbers.items()}
    return replace(
        table,
        names=names,
        estimable=read_only(estimable),
        estimate=values["estimate"],
        standard_error=values["standard_error"],
        df=values["df"],
        t=values["t"],
        p=values["p"],
        lower=values["lower"],
        upper=values["upper"],
    )
