"""The reference grid: the combinations of levels, and of values of numbers, over which predictions are averaged.

A marginal mean is an average of predictions over the cells of this grid, not over the rows of the data (Searle, Speed
and Milliken 1980, The American Statistician 34:216).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

import numpy as np

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.coding.columns import Frame
from harness.errors import Problem, SpecError, nearest
from harness.lmm.design import LmmDesign, all_rows

Weights = Literal["equal", "proportional", "cells"]
"""How the cells of one mean are weighted: alike, by the margins' shares of rows, or by the cells' own."""

MAX_CELLS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearFunctions:
    """Functions of the fixed effects, k of them: `rows` (k, all columns of the design), each with a label.

    `labels` (k,) hold one text for each of `columns`: the level, or the value of a number.
    """

    columns: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    rows: Matrix

    def part(self, row: int, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the labels that a row has in some of the columns, in their order."""
        own = dict(zip(self.columns, self.labels[row], strict=True))
        return tuple(own[name] for name in columns)


def mean_functions(
    design: LmmDesign,
    columns: Sequence[str],
    *,
    at: Mapping[str, Sequence[float | str]] | None = None,
    weights: Weights = "equal",
) -> LinearFunctions:
    """Return the functions of the fixed effects whose values are the marginal means at each combination of `columns`.

    Parameters
    ----------
    columns
        Factors or numeric columns of the fixed part; the last one varies slowest, as in emmeans.
    at
        Values to look at instead of all levels of a factor, or instead of a number's mean over the rows.
    weights
        Of the cells that one mean averages over.

    Raises
    ------
    SpecError
        With every column that the fixed part does not have, every number without values to look at, every unknown
        level; or if the grid has more than 100,000 cells.
    """
    predictors = _predictors(design)
    at = _lists(at or {})
    _refuse(design.frame, predictors, columns, at, weights)
    others = [name for name in predictors if name not in columns]
    axes = {name: _axis(design.frame, name, at.get(name)) for name in (*others, *reversed(columns))}
    n_cells = int(np.prod([len(axis) for axis in axes.values()]))
    if n_cells > MAX_CELLS:
        problem = Problem(found=f"a reference grid of {n_cells} cells", expected=f"at most {MAX_CELLS}")
        raise SpecError("marginal means", [problem])
    places = dict(zip(axes, np.indices([len(axis) for axis in axes.values()]).reshape(len(axes), -1), strict=True))
    cells = {name: axes[name][places[name]] for name in axes}

    wanted = list(product(*(range(len(axes[name])) for name in reversed(columns))))
    shares = _shares(design.frame, cells, others, weights)
    frame = _grid_frame(design.frame, cells)
    predictions = all_rows(design, frame)
    rows = np.zeros((len(wanted), predictions.shape[1]))
    for k, place in enumerate(wanted):
        own = np.all([places[name] == j for name, j in zip(reversed(columns), place, strict=True)], axis=0)
        total = shares[own].sum()
        rows[k] = shares[own] @ predictions[own] / total if total > 0 else np.nan
    labels = tuple(
        tuple(_label(design.frame, name, axes[name][j]) for name, j in zip(columns, reversed(place), strict=True))
        for place in wanted
    )
    return LinearFunctions(columns=tuple(columns), labels=labels, rows=read_only(rows))


def _lists(at: Mapping[str, Sequence[float | str]]) -> dict[str, tuple[float | str, ...]]:
    alone = [name for name, values in at.items() if isinstance(values, str) or not isinstance(values, Iterable)]
    if alone:
        problems = [
            Problem(
                column=name, found="a value alone", expected="a list", advice=f"As in at={{{name!r}: [{at[name]!r}]}}."
            )
            for name in alone
        ]
        raise SpecError("marginal means", problems)
    return {name: tuple(values) for name, values in at.items()}


def _predictors(design: LmmDesign) -> tuple[str, ...]:
    """Return the columns of the fixed part, each once, in formula order."""
    return tuple(dict.fromkeys(atom.column for one in design.coded_terms for atom in one.term))


def _refuse(
    frame: Frame,
    predictors: Sequence[str],
    columns: Sequence[str],
    at: Mapping[str, Sequence[float | str]],
    weights: str,
) -> None:
    found: list[Problem] = []
    if weights not in get_args(Weights):
        found.append(Problem(found=f"weights {weights!r:.40}", expected=f"one of {', '.join(get_args(Weights))}"))
    for name in dict.fromkeys([*columns, *at]):
        if name not in predictors:
            expected = f"a column of the fixed part, one of {', '.join(predictors)}"
            found.append(
                Problem(column=name, found="no predictor", expected=expected, advice=nearest(str(name), predictors))
            )
        elif name in frame.levels:
            found += [
                Problem(
                    column=name,
                    found=f"level {level!r:.40}",
                    expected=f"one of {', '.join(frame.levels[name])}",
                    advice=nearest(str(level), frame.levels[name]),
                )
                for level in at.get(name, ())
                if level not in frame.levels[name]
            ]
        elif name in at and not all(_is_number(value) for value in at[name]):
            found.append(Problem(column=name, found=f"values {list(at[name])!r:.60}", expected="finite numbers"))
        elif name in columns and name not in at:
            advice = f"Give them, as in at={{{name!r}: [0, 1, 2]}}."
            found.append(Problem(column=name, found="a number without values", expected="values", advice=advice))
    if len(set(columns)) < len(columns) or not columns:
        found.append(Problem(found=f"columns {list(columns)!r:.60}", expected="at least one, each once"))
    if any(len(values) == 0 for values in at.values()):
        found.append(Problem(found="an empty list in `at`", expected="at least one value"))
    if found:
        raise SpecError("marginal means", found)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and bool(np.isfinite(float(value)))


def _axis(frame: Frame, name: str, chosen: Iterable[float | str] | None) -> Vector | Codes:
    """Return the codes of a factor's levels, or the values of a number, that the grid has."""
    if name in frame.levels:
        levels = frame.levels[name]
        return np.array([levels.index(str(level)) for level in (levels if chosen is None else chosen)])
    return np.array([frame.numeric[name].mean()] if chosen is None else list(chosen), dtype=float)


def _shares(frame: Frame, cells: Mapping[str, Vector | Codes], others: Sequence[str], weights: Weights) -> Vector:
    """Return how much each cell counts within its mean (cells,)."""
    n_cells = len(next(iter(cells.values())))
    factors = [name for name in others if name in frame.levels]
    if weights == "equal" or not factors:
        return np.ones(n_cells)
    codes = {name: cells[name].astype(np.int64) for name in cells if name in frame.levels}
    if weights == "proportional":
        margins = (np.bincount(frame.codes[name], minlength=len(frame.levels[name])) for name in factors)
        return np.asarray(np.prod([m[codes[name]] for m, name in zip(margins, factors, strict=True)], axis=0), float)
    counts = np.zeros([len(frame.levels[name]) for name in codes])
    np.add.at(counts, tuple(frame.codes[name] for name in codes), 1.0)
    return np.asarray(counts[tuple(codes.values())])


def _grid_frame(frame: Frame, cells: Mapping[str, Vector | Codes]) -> Frame:
    return Frame(
        n_rows=len(next(iter(cells.values()))),
        numeric={name: values.astype(float) for name, values in cells.items() if name not in frame.levels},
        codes={name: values.astype(np.int64) for name, values in cells.items() if name in frame.levels},
        levels=frame.levels,
    )


def _label(frame: Frame, name: str, value: float) -> str:
    return frame.levels[name][int(value)] if name in frame.levels else f"{value:.10g}"
