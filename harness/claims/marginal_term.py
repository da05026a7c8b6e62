"""Terms of claims that name marginal means and differences of them, and what they are as functions of fixed effects.

"visit=inf4; protocol=six" is a mean, "visit: inf4 - inf1; protocol=six" a change within a protocol, and
"visit: inf4 - inf1; protocol: six - four" a difference of changes. Columns that are not named are averaged over, as
`LmmResult.means` does.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.arrays import Vector
from harness.claims.numbers_of_models import TermNumbers
from harness.claims.printed import UnreadableError, number
from harness.lmm.means.grid import mean_functions
from harness.lmm.means.marginal import MarginalMeans
from harness.lmm.result import LmmResult

_FIXED = re.compile(r"([^=:]+?)\s*=\s*(.+)")
_DIFFERENCE = re.compile(r"([^=:]+?)\s*:\s*(.+?)\s+-\s+(.+)")
MOST_COLUMNS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginalTerm:
    """By column, the one level of a mean, or two, of which the first has the second taken from it."""

    levels: Mapping[str, tuple[str, ...]]

    @property
    def differences(self) -> tuple[str, ...]:
        """The columns whose levels are compared."""
        return tuple(column for column, levels in self.levels.items() if len(levels) == 2)


def marginal_term(text: str) -> MarginalTerm:
    """Return what a term names.

    Raises
    ------
    UnreadableError
        It is no list of columns with a level, or with two levels and a minus between them.
    """
    levels: dict[str, tuple[str, ...]] = {}
    for part in text.split(";"):
        if found := _DIFFERENCE.fullmatch(part.strip()):
            column, first, second = found.groups()
            own: tuple[str, ...] = (first, second)
        elif found := _FIXED.fullmatch(part.strip()):
            column, level = found.groups()
            own = (level,)
        else:
            raise UnreadableError
        if column in levels or len(set(own)) < len(own):
            raise UnreadableError
        levels[column] = own
    if len(levels) > MOST_COLUMNS:
        raise UnreadableError
    return MarginalTerm(levels=levels)


def marginal_numbers(result: LmmResult, term: MarginalTerm, df: str, *, level: float, adjust: str) -> TermNumbers:
    """Return the estimate of a mean or difference with its test and limits; NaN where the data do not determine it.

    Raises
    ------
    SpecError
        The fixed part does not have the columns or levels, or the adjustment needs another term.
    """
    if adjust != "none":
        return _adjusted(result, term, df, level=level, adjust=adjust)
    weights = _weights(result, term)
    found = result.contrast(weights, df, level=level)
    return TermNumbers(
        name=_words(term),
        estimate=found.estimate,
        standard_error=found.standard_error,
        df=found.df,
        statistic=found.t,
        p=found.p,
        lower=found.lower,
        upper=found.upper,
        words=found.method.name,
    )


def _weights(result: LmmResult, term: MarginalTerm) -> Vector:
    """Return the weights of all fixed effects (p,)."""
    columns = tuple(term.levels)
    at = {column: [_value(result, column, level) for level in levels] for column, levels in term.levels.items()}
    functions = mean_functions(result.design, columns, at=at)
    signs = np.ones(len(functions.labels))
    for column in term.differences:
        second = term.levels[column][1]
        own = [functions.part(row, (column,))[0] for row in range(len(functions.labels))]
        signs *= [-1.0 if label in {second, _label(second)} else 1.0 for label in own]
    return np.asarray(signs @ functions.rows)


def _adjusted(result: LmmResult, term: MarginalTerm, df: str, *, level: float, adjust: str) -> TermNumbers:
    """Return one row of the family that an adjustment is for: all against the second level, or all pairs."""
    (column,) = term.differences
    first, second = term.levels[column]
    others = tuple(name for name in term.levels if name != column)
    at = {name: [_value(result, name, term.levels[name][0])] for name in others}
    means = result.means(column, by=others, at=at, df=df, level=level)
    family = (
        means.contrasts("baseline", reference=second, adjust="dunnett")
        if adjust == "dunnett"
        else means.contrasts("pairwise", adjust="tukey")
    )
    for name, sign in ((f"{first} - {second}", 1), (f"{second} - {first}", -1)):
        labels = [label[0] for label in family.functions.labels]
        if name in labels:
            return _row(family, labels.index(name), sign, f"{_words(term)}, {adjust}")
    return TermNumbers(name=_words(term), estimate=math.nan)


def _row(family: MarginalMeans, row: int, sign: int, words: str) -> TermNumbers:
    ends = sorted((sign * float(family.lower[row]), sign * float(family.upper[row])))
    return TermNumbers(
        name=words,
        estimate=sign * float(family.estimate[row]),
        standard_error=float(family.standard_error[row]),
        df=float(family.df[row]),
        statistic=sign * float(family.t[row]),
        p=float(family.p[row]),
        lower=ends[0],
        upper=ends[1],
        words=family.method.name,
        adjusted=True,
    )


def adjustment_problem(term: MarginalTerm) -> str:
    """Return what an adjustment lacks, nothing if it can be made."""
    return "" if len(term.differences) == 1 else f"{len(term.differences)} differences, where a family has one"


def _value(result: LmmResult, column: str, level: str) -> float | str:
    frame = result.design.frame
    if column in frame.levels or column not in frame.numeric:
        return level
    try:
        return float(number(level).value)
    except UnreadableError:
        return level  # which `mean_functions` refuses in words


def _label(level: str) -> str:
    try:
        return f"{float(number(level).value):.10g}"
    except UnreadableError:
        return level


def _words(term: MarginalTerm) -> str:
    return "; ".join(
        f"{column}={levels[0]}" if len(levels) == 1 else f"{column}: {levels[0]} - {levels[1]}"
        for column, levels in term.levels.items()
    )
