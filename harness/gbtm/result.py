"""A fitted trajectory model, as a reader wants it: numbers, tables, a summary, a plot."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.arrays import Vector
from harness.cohorts.cohort import Cohort
from harness.gbtm import curves, summary, tables
from harness.gbtm.account import GbtmFit
from harness.gbtm.design import GbtmDesign, build_design
from harness.gbtm.estimates import GbtmEstimates
from harness.gbtm.estimation import estimate
from harness.gbtm.fit import fit
from harness.gbtm.fitted_numbers import FittedNumbers
from harness.gbtm.inference.methods import Inferences
from harness.gbtm.inference.refusals import standard_error_refusals
from harness.gbtm.spec import GbtmSpec
from harness.quantities import Point
from harness.summaries import Summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from harness.gbtm.figure import Drawn
    from harness.gbtm.inference.bands import Bands
    from harness.gbtm.inference.observed_scale import Scale
    from harness.gbtm.uncertainty import CovarianceKind


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GbtmResult(FittedNumbers, Inferences):
    """A trajectory model fitted to a cohort, in the user's units.

    Classes count from 1, from the lowest to the highest mean fitted value over the observed times of all rows.
    """

    cohort: Cohort
    spec: GbtmSpec
    design: GbtmDesign
    fit: GbtmFit
    estimates: GbtmEstimates

    @property
    def orders(self) -> tuple[int, ...]:
        """Which order each class got."""
        return self.fit.orders

    @property
    def beta(self) -> tuple[Vector, ...]:
        """Coefficients of raw powers of time, lowest first, by class."""
        return self.estimates.beta

    @property
    def sigma(self) -> Vector:
        """Residual standard deviation: one if shared, else K."""
        return self.estimates.sigma

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before using the numbers, one sentence each."""
        return (*self.fit.notes, *standard_error_refusals(self.fit, self.design))

    @property
    def starts(self) -> pd.DataFrame:
        """One row a start: kind, order assignment, log-likelihood at its end, number of its optimum in `optima()`."""
        return tables.starts(self.fit)

    def coefficients(self, level: float = 0.95, standard_errors: "CovarianceKind | None" = None) -> pd.DataFrame:
        """Return one row a parameter: estimate, standard error, z, p, limits (see `tables.coefficients`)."""
        return tables.coefficients(self.estimates_with(standard_errors), level)

    def adequacy(self) -> pd.DataFrame:
        """Return one row a class: share, assigned share, mismatch, AvePP, odds of correct classification."""
        return tables.adequacy_by_class(self.estimates)

    def optima(self) -> pd.DataFrame:
        """Return one row a distinct end of the search, highest log-likelihood first."""
        return tables.optima(self.fit)

    def posteriors(self) -> pd.DataFrame:
        """Return one row a subject: class probabilities and modal class."""
        return tables.posteriors(self.estimates)

    def class_curves(
        self,
        times: Vector | None = None,
        level: float = 0.95,
        *,
        standard_errors: "CovarianceKind | None" = None,
        scale: "Scale" = "predictor",
        bands: "Bands" = "pointwise",
        seed: int = 1,
    ) -> pd.DataFrame:
        """Return fitted mean curves with bands (see `curves.class_curves`)."""
        kind = self._kind(standard_errors)
        return curves.class_curves(self.fit, self.design, times, level, kind, scale=scale, bands=bands, seed=seed)

    def observed_means(self) -> pd.DataFrame:
        """Return means of the outcome by class and time, weighted by posterior probabilities."""
        return curves.observed_means(self.posterior, self.design.outcomes[0], self.design.subjects.weights)

    @property
    def drawn_times(self) -> Vector:
        """Where curves are drawn: all along the observed times, or at the visits alone if sigma is one of a visit."""
        outcome = self.design.outcomes[0]
        return np.unique(outcome.rows.time) if self.spec.sigma == "visit" else curves.default_times(outcome)

    def drawn(self) -> "Drawn":
        """Return what figures show of this model."""
        from harness.gbtm.figure import Drawn  # noqa: PLC0415  # matplotlib is slow to import and seldom needed

        return Drawn(
            curves=self.class_curves(self.drawn_times, scale="response"),
            observed=self.observed_means(),
            shares=self.class_shares,
            time=str(self.spec.time),
            outcome=self.spec.outcome,
        )

    def plot(self) -> "Figure":
        """Return a figure: fitted curves with 95 % bands, and observed means weighted by class probability."""
        from harness.gbtm import figure  # noqa: PLC0415

        return figure.trajectories(self.drawn())

    def plot_subjects(self) -> "Figure":
        """Return a figure: the observed courses of the subjects of each modal class, under the class's curve."""
        from harness.gbtm import figure  # noqa: PLC0415

        return figure.spaghetti(self.drawn(), self.design.outcomes[0], self.assignment)

    def plot_search(self) -> "Figure":
        """Return a figure: where every start ended, by kind of start."""
        from harness.gbtm import figure  # noqa: PLC0415

        return figure.search(self.fit)

    def summary(self) -> Summary:
        """Return the tables people know from lcmm and Stata's traj, and an account of the search."""
        return Summary(summary.summary(self.spec, self.design, self.fit, self.estimates, self.warnings))


def fit_gbtm_cohort(spec: GbtmSpec, cohort: Cohort, start: Point | None = None) -> GbtmResult:
    """Return a trajectory model fitted to a cohort, from `start` alone if it is given.

    Raises
    ------
    SpecError
        If the model can't be fitted to this cohort; with all reasons.
    """
    design = build_design(spec, cohort)
    fitted = fit(design, start)
    kind: CovarianceKind = "observed information" if spec.weights is None else "sandwich"
    return GbtmResult(cohort=cohort, spec=spec, design=design, fit=fitted, estimates=estimate(fitted, design, kind))
