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
from harness.lmm.design import LmmDesign
from harness.lmm.fit import fit
from harness.lmm.likelihood.bootstrap import USABLE
from harness.lmm.likelihood.draws import Draw, draws
from harness.lmm.likelihood.nesting import matched_rows
from harness.lmm.likelihood.ratio import ComparedModel, likelihood_ratio, ratio_p_value
from harness.lmm.likelihood.response import response_model


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
    the chi-square distribution. `unused` replicates, in which a refit did not converge, are NaN and in neither;
    `singular` counts those in which the larger model was singular. PBmodcomp leaves replicates that are not positive
    out of B, an artefact of searches that stop early: here a larger model never fits worse.
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
        smaller, larger = (refit(y) for refit in refits)
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
    """Return the test of two nested models of one grouping factor, both by ML.

    Raises
    ------
    SpecError
        As `likelihood_ratio` does: for other rows, models that are not nested, and so on.
    """
    rows = matched_rows(smaller, larger)
    by_ml = [replace(design, criterion="ML") for design in (smaller, larger)]
    fits = [fit(design) for design in by_ml]
    names = ("smaller", "larger")
    models = [
        ComparedModel(name=name, design=design, fit=found, n_covariance=len(found.theta) + 1)
        for name, design, found in zip(names, by_ml, fits, strict=True)
    ]
    (test,) = likelihood_ratio(models, fit).tests
    if test.smaller != "smaller" or rows is None:
        raise SpecError("bootstrap ratio", [Problem(found="a larger model first", expected="the smaller one first")])
    small, large = (response_model(design, found) for design, found in zip(by_ml, fits, strict=True))

    def refit_larger(y: Vector) -> Refitted:
        moved = np.empty_like(y)
        moved[rows[1]] = y[rows[0]]
        return large.refit(moved)

    return bootstrap_ratio(
        chi_square=test.chi_square,
        df=test.df,
        draw=draws(by_ml[0], fits[0], seed),
        refits=(small.refit, refit_larger),
        replicates=range(replicates) if isinstance(replicates, int) else replicates,
    )
