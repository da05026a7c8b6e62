"""The fitted population curve: the outcome expected along one column, averaged over the other covariates."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Codes, Mask, Matrix, Vector
from harness.lmm.design import LmmDesign, fixed_rows
from harness.lmm.estimates import LmmEstimates
from harness.lmm.inference.distributions import WALD_95
from harness.lmm.spec import LmmSpec

_GRID = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """The expected outcome along `x` (k,), with a pointwise 95 % Wald band; `level` is the factor level it is for."""

    level: str | None
    x: Vector
    mean: Vector
    lower: Vector
    upper: Vector


def curve_columns(spec: LmmSpec, design: LmmDesign) -> tuple[str | None, str | None]:
    """Return the column to draw along and the factor to draw apart.

    Along: the first random slope, else the first column of the fixed part that varies within subjects, numbers before
    factors. Apart: the first other factor of the fixed part.
    """
    slopes = [atom.column for random in spec.formula.random[:1] for term in random.terms for atom in term]
    fixed = list(dict.fromkeys(atom.column for term in spec.formula.terms for atom in term))
    frame = design.frame
    inner = [
        name
        for name in fixed
        if _varies_within(design, frame.numeric[name] if name in frame.numeric else frame.codes[name])
    ]
    numbers = [name for name in inner if name in frame.numeric]
    along = next(iter([*slopes, *numbers, *inner]), None)
    apart = next((name for name in fixed if name in frame.codes and name != along), None)
    return along, apart


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurveRows:
    """What a curve is computed from: its places `x` (k,), the mean rows of X there (k, p), and the `rows` it is of."""

    level: str | None
    x: Vector
    means: Matrix
    rows: Mask


def population_curves(design: LmmDesign, estimates: LmmEstimates, along: str, apart: str | None) -> Iterator[Curve]:
    """Yield the expected outcome for each level of `apart`: the mean over that level's rows with `along` replaced."""
    for found in population_rows(design, along, apart, _GRID):
        mean = found.means @ estimates.beta
        half = WALD_95 * np.sqrt(np.einsum("ij,jk,ik->i", found.means, estimates.vcov, found.means))
        yield Curve(level=found.level, x=found.x, mean=mean, lower=mean - half, upper=mean + half)


def population_rows(design: LmmDesign, along: str, apart: str | None, n_points: int) -> Iterator[CurveRows]:
    """Yield the rows of each level of `apart` that are not empty, at `n_points` places or the levels of a factor."""
    frame = design.frame
    levels = frame.levels[apart] if apart is not None else (None,)
    for code, level in enumerate(levels):
        own: Mask = frame.codes[apart] == code if apart is not None else np.ones(frame.n_rows, dtype=bool)
        if own.any():
            x = _grid(design, along, own, n_points)
            means = np.array([_mean_row(design, along, value, own) for value in x])
            yield CurveRows(level=level, x=x, means=means, rows=own)


def _grid(design: LmmDesign, along: str, rows: Mask, n_points: int) -> Vector:
    if along in design.frame.codes:
        return np.unique(design.frame.codes[along][rows]).astype(float)
    values = design.frame.numeric[along][rows]
    return np.linspace(values.min(), values.max(), n_points)


def _mean_row(design: LmmDesign, along: str, value: float, rows: Mask) -> Vector:
    frame = design.frame
    n = int(rows.sum())
    numeric = {name: column[rows] for name, column in frame.numeric.items()}
    codes = {name: column[rows] for name, column in frame.codes.items()}
    if along in codes:
        codes[along] = np.full(n, int(value))
    else:
        numeric[along] = np.full(n, value)
    fixed = replace(frame, n_rows=n, numeric=numeric, codes=codes)
    return np.asarray(fixed_rows(design, fixed).mean(axis=0))


def _varies_within(design: LmmDesign, values: Vector | Codes) -> bool:
    first = np.repeat(values[design.starts[:-1]], np.diff(design.starts))
    return bool((values != first).any())
