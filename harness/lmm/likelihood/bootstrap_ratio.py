"""The likelihood-ratio test with its distribution simulated under the smaller model instead of taken as chi-square.

R: ``pbkrtest::PBmodcomp(larger, smaller, nsim = B)``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from harness.arrays import Vector, read_only
from harness.convergence import Stop
from harness.errors import Problem, SpecError
from harness.lmm.design import LmmDesign, with_outcome
from harness.lmm.engine import fitted
from harness.lmm.fit import LmmFit
from harness.lmm.fitted import Fitted
from harness.lmm.likelihood.bootstrap import USABLE
from harness.lmm.likelihood.draws import draws
from harness.lmm.likelihood.nesting import matched_rows
from harness.lmm.likelihood.ratio import ComparedModel, likelihood_ratio, ratio_p_value
from harness.lmm.likelihood.response import response_model
from harness.lmm.prediction.simulation import Draw


class Refitted(Protocol):
    """What a refit must tell: its deviance, and how its search ended."""

    @property
    def deviance(self) -> float:
        """-2 log-likelihood."""
        ...

    @property
    def stop(self) -> Stop:
        """How the search ended."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BootstrapRatio:
    """A ratio test by B simulated outcomes, `statistics` (B,) of them.

    `p` is (1 + how many reach `chi_square`) / (1 + B); `bartlett_p` refers chi_square df / mean(statistics) to
    the chi-square distribution. `unused` replicates, in which a refit did not converge or was refused, are NaN and in
    neither; `singular` counts those in which the larger model was singular. PBmodcomp leaves replicates that are not
    positive out of B, an artefact of searches that stop early: here a larger model never fits worse.
    """

    chi_square: float
    df: int
    p: float
    chi_square_p: float
    bartlett_p: float
    statistics: Vector
    unused: int
    singular: int


def bootstrap_ratio(
    *,
    chi_square: float,
    df: int,
    draw: Draw,
    refits: tuple[Callable[[Vector], Refitted], Callable[[Vector], Refitted]],
    replicates: Sequence[int],
) -> BootstrapRatio:
    """Return the test from outcomes that `draw` simulates under the smaller model; `refits` fit the smaller and larger.

    Raises
    ------
    SpecError
        If no replicate is usable.
    """
    statistics = np.full(len(replicates), np.nan)
    singular = 0
    for row, replicate in enumerate(replicates):
        y = draw(replicate)
        try:
            smaller, larger = (refit(y) for refit in refits)
        except SpecError:
            continue
        if {smaller.stop, larger.stop} <= USABLE:
            statistics[row] = smaller.deviance - larger.deviance
            singular += larger.stop is not Stop.OPTIMUM
    used = statistics[np.isfinite(statistics)]
    if len(used) == 0:
        found = f"none of {len(statistics)} replicates in which both models converged"
        raise SpecError("bootstrap ratio", [Problem(found=found, expected="some")])
    reached = int((used >= chi_square).sum())
    return BootstrapRatio(
        chi_square=chi_square,
        df=df,
        p=(1 + reached) / (1 + len(used)),
        chi_square_p=ratio_p_value(chi_square, df),
        bartlett_p=ratio_p_value(chi_square * df / float(used.mean()), df),
        statistics=read_only(statistics),
        unused=len(statistics) - len(used),
        singular=singular,
    )


def bootstrap_ratio_fit(
    smaller: LmmDesign, larger: LmmDesign, *, seed: int, replicates: int | Sequence[int] = 1000
) -> BootstrapRatio:
    """Return the test of two nested models by any engine, both refitted by ML.

    Raises
    ------
    SpecError
        As `likelihood_ratio` does: for other rows, models that are not nested, and so on.
    """
    rows = matched_rows(smaller, larger)
    by_ml = [replace(design, criterion="ML") for design in (smaller, larger)]
    fits = [fitted(design) for design in by_ml]
    names = ("smaller", "larger")
    models = [
        ComparedModel(name=name, design=design, fit=found, n_covariance=estimates.n_parameters - design.n_fixed)
        for name, design, (found, estimates) in zip(names, by_ml, fits, strict=True)
    ]
    (test,) = likelihood_ratio(models, lambda design: fitted(design)[0]).tests
    if test.smaller != "smaller" or rows is None:
        raise SpecError("bootstrap ratio", [Problem(found="a larger model first", expected="the smaller one first")])
    refit_smaller, refit_moved = (_refit_of(design, found) for design, (found, _) in zip(by_ml, fits, strict=True))

    def refit_larger(y: Vector) -> Refitted:
        moved = np.empty_like(y)
        moved[rows[1]] = y[rows[0]]
        return refit_moved(moved)

    return bootstrap_ratio(
        chi_square=test.chi_square,
        df=test.df,
        draw=draws(by_ml[0], fits[0][1], seed),
        refits=(refit_smaller, refit_larger),
        replicates=range(replicates) if isinstance(replicates, int) else replicates,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """Where a whole fit of another outcome ended."""

    deviance: float
    stop: Stop


def _refit_of(design: LmmDesign, found: Fitted) -> Callable[[Vector], Refitted]:
    """Return what fits the model to another outcome: by its statistics where the engine has them, else anew."""
    if isinstance(found, LmmFit):
        return response_model(design, found).refit

    def refit(y: Vector) -> Refitted:
        other, _ = fitted(with_outcome(design, y))
        return _Ended(deviance=other.deviance, stop=other.convergence.stop)

    return refit
