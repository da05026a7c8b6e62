"""The bootstrap of a trajectory model: what its parameters, shares and adequacy vary by from sample to sample."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy.special import ndtri

from harness.arrays import Mask, Matrix, Vector
from harness.errors import Problem, SpecError
from harness.gbtm.adequacy import CAVEAT
from harness.gbtm.inference.bands import checked_level

BootstrapKind = Literal["nonparametric", "parametric"]
IntervalKind = Literal["percentile", "normal"]

_ROUNDING = 1e-9
_SAME = 2 / 3
_FEW = 0.05


class End(StrEnum):
    """How the refit of one replicate ended."""

    OPTIMUM = "optimum"
    BOUNDARY = "optimum with a parameter without a maximum, or a variance of zero"
    LOST_CLASS = "an empty class, or two equal ones"
    COLLAPSED = "sigma of a class collapsed"
    UNFINISHED = "no maximum was reached"


USED = frozenset({End.OPTIMUM, End.BOUNDARY})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bootstrap:
    """What B replicates gave: `drawn` (B, k) of the quantities `names`, `estimates` (k,) those of the fit itself.

    Attributes
    ----------
    names
        Paths of class shares, reported parameters, and of each class `average_posterior`,
        `odds_of_correct_classification`, `mismatch`; and `entropy`.
    kind
        "nonparametric": subjects drawn with replacement. "parametric": outcomes drawn from the fit.
    ends : (B,)
        How each refit ended. Those that are no K-class solution have NaN in `drawn` and enter no interval; so have
        coefficients that a class of another order does not have.
    same_class : (B,)
        Share of the subjects of a replicate whose modal class by its refit is that by the original estimates.
    """

    names: tuple[str, ...]
    kind: BootstrapKind
    seed: int
    estimates: Vector
    drawn: Matrix
    ends: tuple[End, ...]
    same_class: Vector

    @property
    def counts(self) -> Mapping[End, int]:
        """How many replicates ended in which way."""
        return Counter(self.ends)

    @property
    def used(self) -> Mask:
        """Which replicates enter the intervals (B,)."""
        return np.array([end in USED for end in self.ends], dtype=np.bool_)

    @property
    def standard_errors(self) -> Vector:
        """Standard deviations over the used replicates (k,); NaN where fewer than two have the quantity."""
        return np.array([_deviation(column[np.isfinite(column)]) for column in self.drawn.T])

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader must know before using the intervals, one sentence each."""
        B = len(self.ends)
        lost = ", ".join(f"{n} x {end.value}" for end, n in sorted(self.counts.items()) if end not in USED)
        remarks = [f"{B - int(self.used.sum())} of {B} replicates are left out: {lost}."] if lost else []
        if at_boundary := self.counts.get(End.BOUNDARY, 0):
            remarks.append(
                f"{at_boundary} of {B} replicates have a {End.BOUNDARY.value.removeprefix('optimum with a ')}."
            )
        unlike = int(np.sum(self.same_class[self.used] < _SAME))
        if unlike > _FEW * B:
            remarks.append(
                f"In {unlike} of {B} replicates fewer than two thirds of the subjects keep their class: there classes "
                "can't be matched, and intervals of single classes mix several."
            )
        return (*remarks, CAVEAT)

    def table(self, level: float = 0.95, kind: IntervalKind = "percentile") -> pd.DataFrame:
        """Return one row a quantity: `estimate`, `n_used`, `bias`, `standard_error`, `lower`, `upper`.

        Percentiles are order statistics (B + 1) share, interpolated; normal limits take the bias off. R:
        ``boot::boot.ci(b, conf = level, type = "perc")`` and "norm".

        Raises
        ------
        SpecError
            If there is no such kind or level, or too few replicates for the level.
        """
        level = checked_level(level, "bootstrap")
        if kind not in get_args(IntervalKind):
            problem = Problem(found=f"kind {kind!r:.40}", expected=f"one of {', '.join(get_args(IntervalKind))}")
            raise SpecError("bootstrap", [problem])
        rows = []
        for estimate, column in zip(self.estimates.tolist(), self.drawn.T, strict=True):
            known = column[~np.isnan(column)]
            _refuse_too_few(len(known), level, kind)
            lower, upper = _ends(known, estimate, level, kind)
            finite = bool(np.isfinite(known).all())
            rows.append(
                {
                    "estimate": estimate,
                    "n_used": len(known),
                    "bias": float(known.mean()) - estimate if finite else np.nan,
                    "standard_error": _deviation(known) if finite else np.nan,
                    "lower": lower,
                    "upper": upper,
                }
            )
        return pd.DataFrame(rows, index=pd.Index(self.names, name="name"))


def _deviation(known: Vector) -> float:
    return float(known.std(ddof=1)) if len(known) > 1 else float("nan")


def _ends(known: Vector, estimate: float, level: float, kind: IntervalKind) -> tuple[float, float]:
    tail = (1 - level) / 2
    if kind == "normal":
        if not np.isfinite(known).all():
            return float("nan"), float("nan")
        centre, half = 2 * estimate - known.mean(), -ndtri(tail) * known.std(ddof=1)
        return float(centre - half), float(centre + half)
    ordered = np.sort(known)
    return _percentile(ordered, tail), _percentile(ordered, 1 - tail)


def _percentile(ordered: Vector, share: float) -> float:
    """Return the (B + 1) share-th order statistic; an infinite one where it lies beyond a finite one."""
    place = (len(ordered) + 1) * share
    below = min(max(int(place + _ROUNDING), 1), len(ordered))
    rest = place - below
    first, second = float(ordered[below - 1]), float(ordered[min(below, len(ordered) - 1)])
    return first if rest < _ROUNDING or first == second else first + rest * (second - first)


def _refuse_too_few(n_used: int, level: float, kind: IntervalKind) -> None:
    least = 2 if kind == "normal" else int(np.ceil(2 / (1 - level) - 1 - _ROUNDING))
    if n_used < least:
        found = f"{n_used} usable replicates"
        raise SpecError("bootstrap", [Problem(found=found, expected=f"{least} or more for level {level:g}")])
