"""The parametric bootstrap: outcomes simulated from a fit, the same model fitted to each, and intervals from that.

Replicate r has a stream of random numbers of its own, so that results do not depend on how replicates are shared out
among processes: run ``bootstrap(..., replicates=range(a, b))`` anywhere and join the parts.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, TypeVar, get_args

import numpy as np
import pandas as pd
from scipy.special import ndtri

from harness.arrays import Mask, Matrix, Vector, read_only
from harness.convergence import Stop
from harness.errors import Problem, SpecError
from harness.lmm.design import LmmDesign
from harness.lmm.estimation import estimate
from harness.lmm.fit import LmmFit
from harness.lmm.inference.distributions import checked_level
from harness.lmm.likelihood.draws import draws
from harness.lmm.likelihood.parameters import parameter_names, parameter_values
from harness.lmm.likelihood.response import Refit, response_model

IntervalKind = Literal["percentile", "basic", "normal"]
USABLE = frozenset({Stop.OPTIMUM, Stop.SINGULAR, Stop.BOUNDARY})

_ROUNDING = 1e-9

Fit = TypeVar("Fit")


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapInterval:
    """An interval of one quantity from the `n_used` replicates that have it, with its bias and standard error."""

    name: str
    estimate: float
    n_used: int
    bias: float
    standard_error: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bootstrap:
    """What the replicates gave: `values` (B, k) of the quantities `names`, `estimates` (k,) those of the fit itself.

    `stops` (B,) say how each refit ended. Those that did not converge, or were refused with the reasons in `refused`,
    have NaN in `values` and enter no interval; singular ones do.
    """

    names: tuple[str, ...]
    estimates: Vector
    values: Matrix
    replicates: tuple[int, ...]
    stops: tuple[Stop, ...]
    refused: Mapping[int, str]

    @property
    def counts(self) -> Mapping[Stop, int]:
        """How many replicates ended in which way."""
        return Counter(self.stops)

    @property
    def used(self) -> Mask:
        """Which replicates enter the intervals (B,)."""
        return np.array([stop in USABLE for stop in self.stops], dtype=bool)

    def intervals(self, level: float = 0.95, kind: IntervalKind = "percentile") -> tuple[BootstrapInterval, ...]:
        """Return an interval of each quantity. R: ``boot::boot.ci(b, conf = level, type = "perc")``, "basic", "norm".

        Percentiles are interpolated on the normal scale (Davison & Hinkley 1997, eq. 5.8), as there.

        Raises
        ------
        SpecError
            If there is no such kind or level, or too few replicates for the level, so that an end would lie beyond all
            of them.
        """
        level = checked_level(level, "bootstrap")
        if kind not in get_args(IntervalKind):
            problem = Problem(found=f"kind {kind!r:.40}", expected=f"one of {', '.join(get_args(IntervalKind))}")
            raise SpecError("bootstrap", [problem])
        found = []
        for name, own, column in zip(self.names, self.estimates.tolist(), self.values.T, strict=True):
            drawn = column[np.isfinite(column)]
            _refuse_too_few(name, len(drawn), level, kind)
            lower, upper = _ends(drawn, own, level, kind)
            found.append(
                BootstrapInterval(
                    name=name,
                    estimate=own,
                    n_used=len(drawn),
                    bias=float(drawn.mean() - own),
                    standard_error=float(drawn.std(ddof=1)),
                    lower=lower,
                    upper=upper,
                )
            )
        return tuple(found)

    def table(self, level: float = 0.95, kind: IntervalKind = "percentile") -> pd.DataFrame:
        """Return one row a quantity: estimate, n_used, bias, standard error, lower, upper; raises as `intervals`."""
        return pd.DataFrame([asdict(one) for one in self.intervals(level, kind)]).set_index("name")

    def joined(self, other: "Bootstrap") -> "Bootstrap":
        """Return the replicates of both, which are of the same fit and have no number in common."""
        same = self.names == other.names and np.array_equal(self.estimates, other.estimates, equal_nan=True)
        if not same or set(self.replicates) & set(other.replicates):
            found = "other quantities or estimates, or the same replicates"
            raise SpecError("bootstrap", [Problem(found=found, expected="other replicates of the same fit")])
        return Bootstrap(
            names=self.names,
            estimates=self.estimates,
            values=read_only(np.concatenate([self.values, other.values])),  # noqa: PD011 - a field, not of pandas
            replicates=self.replicates + other.replicates,
            stops=self.stops + other.stops,
            refused={**self.refused, **other.refused},
        )


def bootstrap(
    fit: Fit,
    *,
    draw: Callable[[int], Vector],
    refit: Callable[[Vector], Fit],
    statistic: Callable[[Fit], Mapping[str, float]],
    stop_of: Callable[[Fit], Stop],
    replicates: Sequence[int],
) -> Bootstrap:
    """Return the parametric bootstrap of any quantities of a fit by any engine.

    Parameters
    ----------
    draw
        The outcomes (n,) of one replicate, by its number, as `draws` gives them.
    refit
        The same model fitted to other outcomes: `ResponseModel.refit`, or an engine on a design with another y.
    statistic, stop_of
        The named quantities of a fit, and how its search ended.
    """
    original = statistic(fit)
    names = tuple(original)
    values = np.full((len(replicates), len(names)), np.nan)
    stops, refused = [], {}
    for row, replicate in enumerate(replicates):
        try:
            found = refit(draw(replicate))
        except SpecError as error:
            stops.append(Stop.REPORTED_FAILURE)
            refused[replicate] = str(error)
            continue
        stops.append(stop_of(found))
        if stops[-1] in USABLE:
            values[row] = list(statistic(found).values())
    return Bootstrap(
        names=names,
        estimates=read_only(np.array(list(original.values()))),
        values=read_only(values),
        replicates=tuple(replicates),
        stops=tuple(stops),
        refused=refused,
    )


def bootstrap_fit(
    design: LmmDesign,
    fit: LmmFit,
    *,
    seed: int,
    replicates: int | Sequence[int] = 1000,
    statistic: Callable[[Refit], Mapping[str, float]] | None = None,
) -> Bootstrap:
    """Return the parametric bootstrap of a fit of one grouping factor: of all its parameters, or any function of a fit.

    R: ``lme4::bootMer(m, f, nsim = replicates)``. Each refit changes only the y parts of the statistics.
    """
    model, names = response_model(design, fit), parameter_names(design)
    return bootstrap(
        model.original,
        draw=draws(design, estimate(fit, design), seed),
        refit=model.refit,
        statistic=statistic or (lambda found: parameter_values(names, found)),
        stop_of=lambda found: found.stop,
        replicates=range(replicates) if isinstance(replicates, int) else replicates,
    )


def _ends(drawn: Vector, estimate: float, level: float, kind: IntervalKind) -> tuple[float, float]:
    """Return the ends of an interval from the replicates that have the quantity."""
    tail = (1 - level) / 2
    if kind == "normal":
        centre, half = 2 * estimate - drawn.mean(), -ndtri(tail) * drawn.std(ddof=1)
        return float(centre - half), float(centre + half)
    ordered = np.sort(drawn)
    lower, upper = (_percentile(ordered, share) for share in (tail, 1 - tail))
    return (lower, upper) if kind == "percentile" else (2 * estimate - upper, 2 * estimate - lower)


def _percentile(ordered: Vector, share: float) -> float:
    """Return the (B + 1) share-th order statistic, between two of them on the scale of normal quantiles."""
    B = len(ordered)
    place = (B + 1) * share
    below = int(place + _ROUNDING)
    if abs(place - below) < _ROUNDING or not 1 <= below < B:
        return float(ordered[min(max(below, 1), B) - 1])
    first, at, second = ndtri(np.array([below, place, below + 1]) / (B + 1))
    weight = (at - first) / (second - first)
    return float(ordered[below - 1] + weight * (ordered[below] - ordered[below - 1]))


def _refuse_too_few(name: str, n_used: int, level: float, kind: IntervalKind) -> None:
    least = 2 if kind == "normal" else int(np.ceil(2 / (1 - level) - 1 - _ROUNDING))
    if n_used < least:
        found = f"{n_used} usable replicates of {name}"
        raise SpecError("bootstrap", [Problem(found=found, expected=f"{least} or more for level {level:g}")])
