"""R's verdict on rates and means: asked where an estimate is made, answered when its section is finished."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.arrays import Vector, read_only
from harness.cohorts.cohort import Cohort
from harness.cohorts.levels import factor
from harness.rates import Proportion
from harness.study.cross_check import Asked, CrossChecks
from harness.study.section import Estimate
from harness.two_samples.means import means_of_two
from harness.two_samples.rates import rates_of_two
from harness.two_samples.spec import MeansSpec, RatesSpec

ALL = "all"
"""The group of those who are not compared with others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An estimate, and the quantities of R on which its verdict rests; without R's answer it has no verdict."""

    estimate: Estimate
    asked: Asked | None = None
    paths: tuple[str, ...] = ()

    def answered(self) -> Estimate:
        """Return the estimate with the verdict; waits for R."""
        return self.estimate if self.asked is None else replace(self.estimate, check=self.asked.of(*self.paths))


def answered(pending: Iterable[Pending]) -> tuple[Estimate, ...]:
    """Return the estimates with their verdicts; waits for R."""
    return tuple(one.answered() for one in pending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What R was asked: `given` are the quantities that are defined for these patients."""

    asked: Asked | None
    given: frozenset[str]

    def pending(self, estimate: Estimate, *stems: str) -> Pending:
        """Return an estimate that rests on all quantities under these stems."""
        paths = tuple(sorted(path for path in self.given if path.startswith(stems)))
        return Pending(estimate=estimate, asked=self.asked, paths=paths)


class Questions:
    """Asks R about patients of one or two groups; asks nothing where no checks are made."""

    def __init__(self, checks: CrossChecks | None) -> None:
        self._checks = checks

    def rates(
        self,
        events: Sequence[bool],
        groups: Sequence[str] | None = None,
        order: Sequence[str] = (),
        covariates: Mapping[str, Vector] | None = None,
    ) -> Question:
        """Ask for the rates of patients in one or two groups, the reference first in `order`."""
        if self._checks is None:
            return Question(asked=None, given=frozenset())
        numeric = {"events": np.array(events, dtype=np.float64), **(covariates or {})}
        by = None if groups is None else "group"
        spec = RatesSpec(events="events", by=by, covariates=tuple(covariates or ()))
        found = rates_of_two(spec, _cohort(numeric, groups, order))
        given = frozenset(quantity.path for quantity in found.quantities)
        return Question(asked=self._checks.ask(found, "rates"), given=given)

    def counted(self, rate: Proportion) -> Question:
        """Ask for the rate of one group of which the counts are known."""
        return self.rates([True] * rate.events + [False] * rate.others)

    def means(
        self, values: Sequence[float] | Vector, groups: Sequence[str] | None = None, order: Sequence[str] = ()
    ) -> Question:
        """Ask for the means of patients in one or two groups, the reference first in `order`."""
        if self._checks is None:
            return Question(asked=None, given=frozenset())
        spec = MeansSpec(outcome="value", by=None if groups is None else "group")
        found = means_of_two(spec, _cohort({"value": np.array(values, dtype=np.float64)}, groups, order))
        given = frozenset(quantity.path for quantity in found.quantities)
        return Question(asked=self._checks.ask(found, "means"), given=given)


def _cohort(numeric: Mapping[str, Vector], groups: Sequence[str] | None, order: Sequence[str]) -> Cohort:
    n = len(next(iter(numeric.values())))
    factors = {"row": factor([f"{k}" for k in range(n)], ())}
    if groups is not None:
        factors["group"] = factor(list(groups), tuple(order))
    return Cohort(
        name="patients",
        subject="row",
        time=None,
        numeric={name: read_only(values) for name, values in numeric.items()},
        factors=factors,
    )
