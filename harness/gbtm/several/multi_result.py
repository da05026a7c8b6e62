"""A fitted multi-trajectory model, as a reader wants it: numbers, tables, a summary, a plot."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from harness.arrays import Vector
from harness.cohorts.cohort import Cohort
from harness.gbtm import curves, tables
from harness.gbtm.account import GbtmFit
from harness.gbtm.design import KIND_WIDTH, GbtmDesign
from harness.gbtm.estimates import GbtmEstimates
from harness.gbtm.estimation import estimate
from harness.gbtm.fit import fit
from harness.gbtm.fitted_numbers import FittedNumbers
from harness.gbtm.inference.methods import Inferences
from harness.gbtm.inference.refusals import standard_error_refusals
from harness.gbtm.several import multi_tables
from harness.gbtm.several.multi import build_multi_design
from harness.gbtm.several.multi_summary import multi_summary
from harness.gbtm.spec import GbtmSpec
from harness.quantities import Point
from harness.summaries import Summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from harness.gbtm.uncertainty import CovarianceKind


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MultiResult(FittedNumbers, Inferences):
    """A model of several outcomes with the same classes, fitted to a cohort, in the user's units.

    Classes count from 1, from the lowest to the highest mean fitted value of the first outcome.
    """

    cohort: Cohort
    specs: tuple[GbtmSpec, ...]
    design: GbtmDesign
    fit: GbtmFit
    estimates: GbtmEstimates

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Names of the outcomes, in order."""
        return tuple(spec.outcome for spec in self.specs)

    @property
    def orders(self) -> dict[str, tuple[int, ...]]:
        """Which order each class got, by outcome."""
        kinds = self.fit.class_kinds
        return {name: tuple(kind[KIND_WIDTH * k] for kind in kinds) for k, name in enumerate(self.outcomes)}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before using the numbers, one sentence each."""
        return (*self.fit.notes, *standard_error_refusals(self.fit, self.design))

    @property
    def starts(self) -> pd.DataFrame:
        """One row a start: kind, orders by outcome, log-likelihood at its end, number of its optimum in `optima()`."""
        return multi_tables.with_orders_by_outcome(tables.starts(self.fit), self.fit.starts.assignments)

    def coefficients(self, level: float = 0.95, standard_errors: "CovarianceKind | None" = None) -> pd.DataFrame:
        """Return one row a parameter, with its outcome: estimate, standard error, z, p, limits."""
        return multi_tables.coefficients(self.estimates_with(standard_errors), self.design, level)

    def adequacy(self) -> pd.DataFrame:
        """Return one row a class: share, assigned share, mismatch, AvePP, odds of correct classification."""
        return tables.adequacy_by_class(self.estimates)

    def optima(self) -> pd.DataFrame:
        """Return one row a distinct end of the search, highest log-likelihood first."""
        kinds = [optimum.class_kinds for optimum in self.fit.optima]
        return multi_tables.with_orders_by_outcome(tables.optima(self.fit), kinds)

    def posteriors(self) -> pd.DataFrame:
        """Return one row a subject: class probabilities and modal class."""
        return tables.posteriors(self.estimates)

    def class_curves(self, times: Vector | None = None, level: float = 0.95) -> pd.DataFrame:
        """Return fitted curves with pointwise bands of every outcome (see `curves.class_curves`)."""

        def of(number: int) -> pd.DataFrame:
            return curves.class_curves(self.fit, self.design, times, level, outcome=number)

        return multi_tables.by_outcome(self.design, of)

    def observed_means(self) -> pd.DataFrame:
        """Return means of every outcome by class and time, weighted by posterior probabilities."""

        def of(number: int) -> pd.DataFrame:
            return curves.observed_means(self.posterior, self.design.outcomes[number], self.design.subjects.weights)

        return multi_tables.by_outcome(self.design, of)

    def plot(self) -> "Figure":
        """Return a figure with one panel an outcome: fitted curves with 95 % bands, and observed means."""
        from harness.gbtm.several import figure  # noqa: PLC0415  # matplotlib is slow to import and seldom needed

        return figure.outcomes(self.class_curves(), self.observed_means(), self.class_shares, self.specs)

    def summary(self) -> Summary:
        """Return all outcomes' coefficients, the classes, and an account of the search."""
        return Summary(multi_summary(self.design, self.fit, self.estimates, self.warnings))


def fit_multi_cohort(specs: tuple[GbtmSpec, ...], cohort: Cohort, start: Point | None = None) -> MultiResult:
    """Return a model of several outcomes with the same classes, from `start` alone if it is given.

    Raises
    ------
    SpecError
        If the model can't be fitted to this cohort; with all reasons.
    """
    design = build_multi_design(specs, cohort)
    fitted = fit(design, start)
    kind: CovarianceKind = "observed information" if specs[0].weights is None else "sandwich"
    estimates = estimate(fitted, design, kind)
    return MultiResult(cohort=cohort, specs=specs, design=design, fit=fitted, estimates=estimates)
