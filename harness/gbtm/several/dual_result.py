"""A fitted dual trajectory model, as a reader wants it: numbers, tables, a summary, a plot."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.arrays import Matrix, Tensor, Vector
from harness.cohorts.cohort import Cohort
from harness.gbtm.curves import observed_means
from harness.gbtm.estimation import covariance_refusal
from harness.gbtm.several import dual_tables
from harness.gbtm.several.dual_design import DualDesign, build_dual_design
from harness.gbtm.several.dual_estimates import DualEstimates, IndependenceTest, estimate_dual, independence_test
from harness.gbtm.several.dual_search import DualFit, fit_dual
from harness.gbtm.several.dual_summary import dual_summary
from harness.gbtm.spec import GbtmSpec
from harness.summaries import Summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from harness.gbtm.uncertainty import CovarianceKind


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DualResult:
    """A model of two outcomes, each with its own classes, fitted to a cohort, in the user's units.

    The J classes of the first outcome and the K of the second count from 1, each from the lowest to the highest mean
    fitted value.
    """

    cohort: Cohort
    specs: tuple[GbtmSpec, GbtmSpec]
    design: DualDesign
    fit: DualFit
    estimates: DualEstimates

    @property
    def names(self) -> tuple[str, str]:
        """Of both outcomes."""
        return self.specs[0].outcome, self.specs[1].outcome

    @property
    def log_likelihood(self) -> float:
        """With all constants, of both outcomes together."""
        return self.estimates.log_likelihood

    @property
    def aic(self) -> float:
        """-2L + 2p."""
        return self.estimates.first.aic

    @property
    def bic(self) -> float:
        """-2L + p log N, N subjects."""
        return self.estimates.first.bic_subjects

    @property
    def bic_observations(self) -> float:
        """-2L + p log n, n rows of both outcomes."""
        return self.estimates.first.bic_observations

    @property
    def entropy(self) -> float:
        """1 - EN / (N log JK), of the pairs of classes."""
        return self.estimates.entropy

    @property
    def joint(self) -> Matrix:
        """pi_jk, (J, K)."""
        return self.estimates.joint.estimate

    @property
    def second_given_first(self) -> Matrix:
        """pi_(k|j), (J, K), rows of sum 1."""
        return self.estimates.second_given_first.estimate

    @property
    def first_given_second(self) -> Matrix:
        """pi_(j|k), (J, K), columns of sum 1."""
        return self.estimates.first_given_second.estimate

    @property
    def class_shares(self) -> tuple[Vector, Vector]:
        """Estimated shares of the classes of each outcome, (J,) and (K,)."""
        return self.estimates.shares[0].estimate, self.estimates.shares[1].estimate

    @property
    def posterior(self) -> Tensor:
        """Probabilities of the pairs of classes, (N, J, K), of the subjects in `estimates.first.subject_labels`."""
        return self.estimates.posterior

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before using the numbers, one sentence each."""
        refusal = covariance_refusal(self.fit.joint)
        return (*self.fit.joint.notes, *((refusal,) if refusal else ()))

    @property
    def starts(self) -> pd.DataFrame:
        """One row a start: kinds, orders of both outcomes, log-likelihood at its end, its optimum in `optima()`."""
        return dual_tables.starts(self.fit.joint, self.design)

    def probabilities(self, level: float = 0.95) -> pd.DataFrame:
        """Return shares, conditional and joint probabilities with standard errors and limits."""
        return dual_tables.probabilities(self.estimates, self.names, level)

    def independence(self) -> IndependenceTest:
        """Return the likelihood-ratio test of independent classes."""
        return independence_test(self.fit, self.design)

    def coefficients(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row a share or parameter of each outcome: estimate, standard error, z, p, limits."""
        return dual_tables.coefficients(self.estimates, self.names, level)

    def adequacy(self) -> pd.DataFrame:
        """Return one row a class of each outcome: share, assigned share, mismatch, AvePP, OCC."""
        return dual_tables.adequacy(self.estimates, self.names)

    def optima(self) -> pd.DataFrame:
        """Return one row a distinct end of the search, highest log-likelihood first."""
        return dual_tables.optima(self.fit.joint, self.design)

    def posteriors(self) -> pd.DataFrame:
        """Return one row a subject: modal classes, modal pair, probabilities of all pairs."""
        return dual_tables.posteriors(self.estimates, self.names)

    def class_curves(self, times: Vector | None = None, level: float = 0.95) -> pd.DataFrame:
        """Return fitted curves of each outcome by class with pointwise bands."""
        return dual_tables.class_curves(self.fit.joint, self.design, self.estimates, times, level)

    def observed_means(self) -> pd.DataFrame:
        """Return means of each outcome by class and time, weighted by posterior probabilities."""
        frames = []
        for model, own in zip(self.design.outcomes, (self.estimates.first, self.estimates.second), strict=True):
            frame = observed_means(own.posterior, model.outcomes[0], model.subjects.weights)
            frame.insert(0, "outcome", model.spec.outcome)
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    def plot(self) -> "Figure":
        """Return a figure: the classes of each outcome in a panel, and pi_(k|j) as a table of shades."""
        from harness.gbtm.several import figure  # noqa: PLC0415  # matplotlib is slow to import and seldom needed

        shares = [np.asarray(one) for one in self.class_shares]
        return figure.dual(self.class_curves(), self.observed_means(), shares, self.specs, self.second_given_first)

    def summary(self) -> Summary:
        """Return the probabilities, both outcomes' coefficients, and an account of the search."""
        return Summary(dual_summary(self.design, self.fit, self.estimates, self.warnings))


def fit_dual_cohort(specs: tuple[GbtmSpec, GbtmSpec], cohort: Cohort) -> DualResult:
    """Return a dual trajectory model fitted to a cohort.

    Raises
    ------
    SpecError
        If the model can't be fitted to this cohort; with all reasons.
    """
    design = build_dual_design(specs, cohort)
    fitted = fit_dual(design)
    kind: CovarianceKind = "observed information" if specs[0].weights is None else "sandwich"
    estimates = estimate_dual(fitted, design, kind)
    return DualResult(cohort=cohort, specs=specs, design=design, fit=fitted, estimates=estimates)
