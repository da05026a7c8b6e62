"""Agreement as a rate: its exact interval, when a cell has enough, and what the rows of a cell add up to."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import Any

import numpy as np
from scipy.special import betaincinv

from harness.comparison.verdict import Outcome

LEVEL = 0.95
"""The probability with which every interval covers."""
AGREEING = frozenset({Outcome.AGREE.value})
QUANTILES = (0.5, 0.9, 0.99, 1.0)
DIGIT_QUANTILES = (0.0, 0.01, 0.1, 0.5)

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many of so many, with the limits of Clopper and Pearson's interval."""

    events: int
    n: int
    lower: float
    upper: float

    @property
    def estimate(self) -> float:
        """The rate itself, NaN of nothing."""
        return self.events / self.n if self.n else float("nan")

    @property
    def half_width(self) -> float:
        """Half of the width of the interval."""
        return (self.upper - self.lower) / 2


@lru_cache(maxsize=65_536)
def clopper_pearson(events: int, n: int, level: float = LEVEL) -> Rate:
    """Return a rate with the exact interval of Clopper and Pearson (1934); of nothing it is from 0 to 1.

    In R, ``binom.test(events, n)$conf.int``.
    """
    if not 0 <= events <= n:
        raise ValueError(f"{events} of {n}")
    tail = (1 - level) / 2
    lower = 0.0 if events == 0 else float(betaincinv(events, n - events + 1, tail))
    upper = 1.0 if events == n else float(betaincinv(events + 1, n - events, 1 - tail))
    return Rate(events=events, n=n, lower=lower, upper=upper)


def enough_after(agreeing: Iterable[int], batch: int, half_width: float | None) -> int | None:
    """Return after how many batches a cell has enough: None if it never has.

    Parameters
    ----------
    agreeing
        How many replicates of each batch agree, in the order of replicates, without gaps.
    batch
        How many replicates a batch has.
    half_width
        What half of the interval's width must not exceed; None for never.

    Notes
    -----
    The rule looks after each batch, at all batches so far in the order of replicates, whenever and wherever they were
    computed: it depends on the data alone.
    """
    if half_width is None:
        return None
    events = 0
    for looks, count in enumerate(agreeing, start=1):
        events += count
        if clopper_pearson(events, looks * batch).half_width <= half_width:
            return looks
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How often 95 % intervals had the truth in them, by parameter; `kind` says which intervals of which engine."""

    kind: str
    rates: Mapping[str, Rate]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSummary:
    """What the rows of a cell add up to.

    Attributes
    ----------
    agreement
        Of all replicates: one that could not be compared is no agreement.
    distances, digits
        Quantiles by probability, over the replicates that have the number, of D in standard errors and of the fewest
        digits in which an estimate agrees; `n_distances` is how many have a D.
    outcomes, attributions, better
        Counts; `better` by who found the higher log-likelihood: "both", "left" (ours), "right".
    coverage
        Of each engine's intervals, where it gives any.
    left_seconds, right_seconds
        Medians, None where an engine gave none.
    worst
        The row that came nearest to its limit, or went furthest beyond it; None without rows.
    """

    agreement: Rate
    n_distances: int
    distances: Mapping[float, float]
    digits: Mapping[float, float]
    outcomes: Mapping[str, int]
    attributions: Mapping[str, int]
    better: Mapping[str, int]
    coverage: tuple[Coverage, ...]
    left_seconds: float | None
    right_seconds: float | None
    worst: Mapping[str, Any] | None

    @property
    def speed(self) -> float | None:
        """How many times longer the reference takes, by medians."""
        if not self.left_seconds or self.right_seconds is None:
            return None
        return self.right_seconds / self.left_seconds


_INTERVALS = {
    "covered_left": "harness, Wald",
    "covered_right": "{reference}, Wald",
    "covered_t": "harness, Satterthwaite",
}


def summarise(rows: Rows, truths: Sequence[str], reference: str) -> CellSummary:
    """Return what the rows of a cell add up to; `truths` names the entries of their coverage."""
    distances = [row["distance"] for row in rows if row["distance"] is not None]
    measured = [row for row in rows if row["worst_ratio"] is not None]
    return CellSummary(
        agreement=clopper_pearson(sum(row["outcome"] in AGREEING for row in rows), len(rows)),
        n_distances=len(distances),
        distances=_quantiles(distances, QUANTILES),
        digits=_quantiles([row["digits"] for row in rows if row["digits"] is not None], DIGIT_QUANTILES),
        outcomes=_counts(row["outcome"] for row in rows),
        attributions=_counts(row["attribution"] or "" for row in rows if row["outcome"] not in AGREEING),
        better=_counts(row["better"] or "" for row in rows),
        coverage=tuple(_coverages(rows, truths, reference)),
        left_seconds=_median(row["left_seconds"] for row in rows),
        right_seconds=_median(row["right_seconds"] for row in rows),
        worst=max(measured, key=lambda row: (row["worst_ratio"], -row["replicate"]), default=None),
    )


def _coverages(rows: Rows, truths: Sequence[str], reference: str) -> Iterable[Coverage]:
    for column, kind in _INTERVALS.items():
        given = [row[column] for row in rows if row[column] is not None]
        rates = {}
        for k, truth in enumerate(truths):
            known = [covered[k] for covered in given if covered[k] is not None]
            if known:
                rates[truth] = clopper_pearson(sum(known), len(known))
        if rates:
            yield Coverage(kind=kind.format(reference=reference), rates=rates)


def _counts(words: Iterable[str]) -> dict[str, int]:
    return {word: count for word, count in sorted(Counter(words).items()) if word}


def _quantiles(values: Sequence[float], at: Sequence[float]) -> dict[float, float]:
    """Return quantiles that occur in the data, so that none lies beyond what was seen."""
    if not values:
        return {}
    found = np.quantile(np.array(values), at, method="inverted_cdf")
    return dict(zip(at, map(float, found), strict=True))


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
