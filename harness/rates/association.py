"""Tests of two rates, or of a table of counts: every one is computed, the primary one is named beforehand."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from scipy.special import chdtrc
from scipy.stats import fisher_exact
from scipy.stats.contingency import odds_ratio as conditional_odds_ratio

from harness.errors import Problem, ScoringError
from harness.rates.intervals import Interval
from harness.rates.proportion import Proportion, is_count

Primary = Literal["chi_square", "fisher"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChiSquare:
    """Pearson's test; `corrected` says that Yates's correction was asked for.

    `least_expected` is the smallest expected count. A table with an empty row or column has no test: NaN, and `remark`
    says so.
    """

    statistic: float
    df: int
    p: float
    least_expected: float
    corrected: bool = False
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fisher:
    """Fisher's exact test, two-sided, with the conditional maximum likelihood estimate of the odds ratio."""

    p: float
    odds_ratio: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoRates:
    """Both tests of two rates. `p` is that of the primary one, whatever the counts turned out to be."""

    chi_square: ChiSquare
    fisher: Fisher
    primary: Primary

    @property
    def p(self) -> float:
        """The p value of the test that was named as primary."""
        return self.chi_square.p if self.primary == "chi_square" else self.fisher.p


def chi_square(table: Sequence[Sequence[int]], *, yates: bool = False) -> ChiSquare:
    """Return Pearson's test of a table of counts, its statistic in exact arithmetic up to one last rounding.

    In R, ``chisq.test(table, correct = FALSE)``; with `yates`, for 2 x 2 tables only, ``correct = TRUE``, where the
    correction is at most the deviation itself.

    Raises
    ------
    ScoringError
        Fewer than two rows or columns, rows of different lengths, counts that are none, or Yates's correction of a
        larger table.
    """
    _refuse_table(table, yates=yates)
    counts = [[int(cell) for cell in row] for row in table]
    rows, columns = [sum(row) for row in counts], [sum(column) for column in zip(*counts, strict=True)]
    total, df = sum(rows), (len(rows) - 1) * (len(columns) - 1)
    least = min(rows) * min(columns) / total if total else math.nan
    if 0 in rows or 0 in columns:
        nan, remark = math.nan, "a row or column without counts"
        return ChiSquare(statistic=nan, df=df, p=nan, least_expected=least, corrected=yates, remark=remark)
    statistic = Fraction(0)
    for row, in_row in zip(counts, rows, strict=True):
        for observed, in_column in zip(row, columns, strict=True):
            expected = Fraction(in_row * in_column, total)
            deviation = abs(observed - expected)
            # All four deviations of a 2 x 2 table are equal, so each is corrected as R corrects the smallest.
            statistic += (deviation - min(Fraction(1, 2), deviation) if yates else deviation) ** 2 / expected
    value = float(statistic)
    return ChiSquare(statistic=value, df=df, p=float(chdtrc(df, value)), least_expected=least, corrected=yates)


def fisher(other: Proportion, reference: Proportion, level: float = 0.95) -> Fisher:
    """Return Fisher's exact test of two rates; the odds ratio is above 1 where `other` has the higher rate.

    In R, ``fisher.test(rbind(c(events, others) of other, of reference))``, whose estimate and limits are found by a
    search that stops at about four digits.
    """
    table = np.array([[other.events, other.others], [reference.events, reference.others]])
    method = "conditional odds ratio, exact interval"
    if 0 in {other.n, reference.n, other.events + reference.events, other.others + reference.others}:
        remark = "a row or column without counts"
        none = Interval(estimate=math.nan, lower=0.0, upper=math.inf, level=level, method=method, remark=remark)
        return Fisher(p=1.0, odds_ratio=none)
    found = conditional_odds_ratio(table, kind="conditional")
    limits = found.confidence_interval(level)
    return Fisher(
        p=float(fisher_exact(table)[1]),
        odds_ratio=Interval(
            estimate=float(found.statistic),
            lower=float(limits.low),
            upper=float(limits.high),
            level=level,
            method=method,
        ),
    )


def compare_rates(other: Proportion, reference: Proportion, primary: Primary, level: float = 0.95) -> TwoRates:
    """Return both tests of two rates; which one is primary is an argument and never depends on the counts.

    Raises
    ------
    ScoringError
        The primary test is neither "chi_square" nor "fisher".
    """
    if primary not in {"chi_square", "fisher"}:
        problem = Problem(found=f"primary {primary!r:.40}", expected="'chi_square' or 'fisher'")
        raise ScoringError("a comparison of rates", [problem])
    table = [[other.events, other.others], [reference.events, reference.others]]
    return TwoRates(chi_square=chi_square(table), fisher=fisher(other, reference, level), primary=primary)


def _refuse_table(table: Sequence[Sequence[int]], *, yates: bool) -> None:
    shape = (len(table), len(table[0]) if len(table) else 0)
    problems = []
    if min(shape) < 2 or any(len(row) != shape[1] for row in table):
        problems.append(Problem(found="another shape", expected="two or more rows and columns, rows of one length"))
    elif yates and shape != (2, 2):
        problems.append(Problem(found=f"Yates's correction of a {shape[0]} x {shape[1]} table", expected="2 x 2"))
    if not all(is_count(cell) for row in table for cell in row):
        problems.append(Problem(found="entries that are no counts", expected="whole numbers >= 0"))
    if problems:
        raise ScoringError("a table of counts", problems)
