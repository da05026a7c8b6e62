"""Linear contrasts of the fixed effects: one by one with t, or all at once with F."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.arrays import Matrix, Vector
from harness.errors import Problem, SpecError, nearest
from harness.lmm.checks import LARGEST
from harness.lmm.inference.distributions import f_tail
from harness.lmm.inference.fixed_effects import FixedEffects
from harness.lmm.inference.methods import Method
from harness.lmm.inference.table import tabulated

State = Literal["estimated", "not estimable"]
Weights = Mapping[str, float] | Sequence[float] | Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One contrast and the test that it equals `null`; (lower, upper) covers with probability `level`.

    A contrast that the data do not determine has the state "not estimable", and NaN for its numbers.
    """

    weights: Mapping[str, float]
    state: State
    estimate: float
    standard_error: float
    df: float
    t: float
    p: float
    lower: float
    upper: float
    level: float
    null: float
    method: Method
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """The F test that several contrasts are all zero: `F` on (`df1`, `df2`), `scaling` included (Kenward-Roger's).

    `df1` is the rank of the contrasts. Where one of them is not estimable, that is the state, and the numbers are NaN.
    """

    state: State
    F: float
    df1: int
    df2: float
    p: float
    scaling: float
    method: Method
    remarks: tuple[str, ...]


def contrast(effects: FixedEffects, weights: Weights, *, level: float = 0.95, null: float = 0.0) -> Contrast:
    """Return one contrast with its test; weights by name, or for all columns of the formula in order.

    R: ``lmerTest::contest1D(m, l, confint = TRUE)``, ``pbkrtest::KRmodcomp(m, l)``.

    Raises
    ------
    SpecError
        If a name is unknown, weights are too few, too many, not finite or all zero, or the level is none.
    """
    row = contrast_matrix(effects, [weights])
    table = tabulated(effects, row, ("contrast",), level=level, null=null)
    estimable = bool(table.estimable[0])
    named = {effects.names[j]: float(row[0, j]) for j in np.flatnonzero(row[0])}
    return Contrast(
        weights=named,
        state="estimated" if estimable else "not estimable",
        estimate=float(table.estimate[0]),
        standard_error=float(table.standard_error[0]),
        df=float(table.df[0]),
        t=float(table.t[0]),
        p=float(table.p[0]),
        lower=float(table.lower[0]),
        upper=float(table.upper[0]),
        level=level,
        null=null,
        method=effects.method,
        remarks=effects.remarks,
    )


def joint_test(effects: FixedEffects, weights: Sequence[Weights] | Matrix) -> JointTest:
    """Return the F test that all contrasts are zero; redundant ones do not count.

    R: ``lmerTest::contestMD(m, L)``, with ``ddf = "Kenward-Roger"`` as ``pbkrtest::KRmodcomp(m, L)``.

    Raises
    ------
    SpecError
        As for `contrast`.
    """
    rows = contrast_matrix(effects, weights)
    if not effects.estimable(rows).all():
        nan = float("nan")
        return _joint(effects, state="not estimable", F=nan, df1=0, df2=nan, scaling=nan)
    return joint_test_of_rows(effects, rows[:, effects.kept])


def joint_test_of_rows(effects: FixedEffects, rows: Matrix) -> JointTest:
    """Return the F test that contrasts (k, p) of the kept columns are all zero."""
    found = effects.degrees.of_all(rows @ effects.working, rows @ effects.beta)
    return _joint(effects, state="estimated", F=found.F, df1=found.df1, df2=found.df2, scaling=found.scaling)


def contrast_matrix(effects: FixedEffects, weights: Sequence[Weights] | Matrix) -> Matrix:
    """Return the contrasts (k, all) over all columns of the formula, checked.

    Raises
    ------
    SpecError
        With every problem of every contrast.
    """
    rows = np.zeros((len(weights), len(effects.names)))
    problems: list[Problem] = []
    if not len(weights):
        problems.append(Problem(found="no contrast", expected="at least one"))
    for row, given in zip(rows, weights, strict=True):
        problems += _fill(row, given, effects.names)
    if problems:
        raise SpecError("contrast of fixed effects", problems)
    return rows


def _fill(row: Vector, given: Weights, names: tuple[str, ...]) -> list[Problem]:
    weights: object = given
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in names]
        if unknown:
            expected = f"one of {', '.join(map(repr, names))}"
            return [
                Problem(
                    found="unknown fixed effect", expected=expected, column=str(name), advice=nearest(str(name), names)
                )
                for name in unknown
            ]
        weights = [given.get(name, 0.0) for name in names]
    try:
        values = np.asarray(weights, dtype=float)
    except (TypeError, ValueError):
        return [Problem(found=f"the weights {given!r:.60}", expected="numbers, or names with a number each")]
    if values.shape != row.shape:
        expected = f"{len(names)}, one for each of {', '.join(names)}"
        return [Problem(found=f"weights of shape {values.shape}", expected=expected)]
    row[:] = values
    if not np.isfinite(row).all():
        return [Problem(found="a weight that is not finite", expected="finite weights")]
    if np.abs(row).max(initial=0.0) > LARGEST:
        return [Problem(found=f"a weight of {np.abs(row).max():g}", expected=f"weights of at most {LARGEST:g}")]
    return [] if row.any() else [Problem(found="weights that are all zero", expected="at least one that is not")]


def _joint(effects: FixedEffects, *, state: State, F: float, df1: int, df2: float, scaling: float) -> JointTest:
    p = f_tail(F, df1, df2) if df1 else float("nan")
    return JointTest(
        state=state,
        F=F,
        df1=df1,
        df2=df2,
        p=p,
        scaling=scaling,
        method=effects.method,
        remarks=effects.remarks,
    )
