"""A fitted linear mixed model, to read, tabulate and plot."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.arrays import Matrix, Vector
from harness.cohorts.cohort import Cohort
from harness.convergence import Convergence
from harness.lmm.design import LmmDesign, build_design
from harness.lmm.estimates import LmmEstimates
from harness.lmm.estimation import estimate
from harness.lmm.fit import LmmFit, fit
from harness.lmm.spec import LmmSpec
from harness.lmm.summary import WALD_95, summarise
from harness.summaries import Summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LmmResult:
    """A linear mixed model, the matrices it was fitted to, where the search ended, and the estimates."""

    cohort: Cohort
    spec: LmmSpec
    design: LmmDesign
    fit: LmmFit
    estimates: LmmEstimates

    @property
    def convergence(self) -> Convergence:
        """How the search ended, in words and figures."""
        return self.fit.convergence

    @property
    def log_likelihood(self) -> float:
        """The log-likelihood, restricted under REML, with all constants; ``logLik(m)``."""
        return self.estimates.log_likelihood

    @property
    def aic(self) -> float:
        """Akaike's criterion; ``AIC(m)``."""
        return self.estimates.aic

    @property
    def bic(self) -> float:
        """Schwarz's criterion, by rows; ``BIC(m)``."""
        return self.estimates.bic

    @property
    def beta(self) -> Vector:
        """Fixed effects (p,); ``fixef(m)``."""
        return self.estimates.beta

    @property
    def vcov(self) -> Matrix:
        """Covariance of the fixed effects (p, p); ``vcov(m)``."""
        return self.estimates.vcov

    @property
    def theta(self) -> Vector:
        """Entries of the relative factor; ``getME(m, "theta")``."""
        return self.estimates.theta

    @property
    def sigma(self) -> float:
        """Residual standard deviation; ``sigma(m)``."""
        return self.estimates.sigma

    @property
    def random_cov(self) -> Matrix:
        """Covariance of one subject's random effects (q, q); ``VarCorr(m)``."""
        return self.estimates.random_cov

    @property
    def conditional_modes(self) -> Matrix:
        """Predicted random effects (m, q), subjects in the order of `estimates.subject_labels`; ``ranef(m)``."""
        return self.estimates.conditional_modes

    def summary(self) -> Summary:
        """Return the table of the fit: header, random effects, fixed effects, convergence."""
        return summarise(self.spec, self.design, self.fit, self.estimates)

    def fixed_effects(self) -> pd.DataFrame:
        """Return one row a fixed effect: estimate, standard error, Wald z, 95 % Wald interval."""
        errors = np.sqrt(np.diag(self.vcov))
        return pd.DataFrame(
            {
                "estimate": self.beta,
                "standard_error": errors,
                "wald_z": self.beta / errors,
                "lower": self.beta - WALD_95 * errors,
                "upper": self.beta + WALD_95 * errors,
            },
            index=pd.Index(self.estimates.fixed_names, name="effect"),
        )

    def random_effects(self) -> pd.DataFrame:
        """Return one row a subject and random effect: conditional mode and its conditional standard deviation."""
        estimates, m, q = self.estimates, self.design.n_subjects, self.design.n_random
        columns = {
            "subject": np.repeat(estimates.subject_labels, q),
            "effect": list(estimates.random_names) * m,
            "mode": estimates.conditional_modes.ravel(),
        }
        if estimates.conditional_cov is not None:
            variances = np.diagonal(estimates.conditional_cov, axis1=1, axis2=2)
            columns["standard_deviation"] = np.sqrt(np.maximum(variances, 0.0)).ravel()
        return pd.DataFrame(columns)

    def variances(self) -> pd.DataFrame:
        """Return one row an entry of the random covariance (lower triangle by rows) and one for sigma.

        `correlation` is empty for variances; `standard_error` is empty where `variance_cov` is None.
        """
        estimates, names = self.estimates, self.estimates.random_names
        G = estimates.random_cov
        rows, columns = np.tril_indices(len(names))
        sds = np.sqrt(np.diag(G))
        scales = sds[rows] * sds[columns]
        off = (rows != columns) & (scales > 0)
        errors = None if estimates.variance_cov is None else np.sqrt(np.diag(estimates.variance_cov))
        return pd.DataFrame(
            {
                "effect": [*(names[a] for a in rows), "residual"],
                "with": [*(names[b] for b in columns), "residual"],
                "quantity": [*np.where(rows == columns, "variance", "covariance"), "sd"],
                "estimate": [*G[rows, columns], estimates.sigma],
                "correlation": [*np.where(off, G[rows, columns] / np.where(off, scales, 1.0), np.nan), np.nan],
                "standard_error": np.full(len(rows) + 1, np.nan) if errors is None else errors,
            }
        )

    def plot(self) -> "Figure":
        """Return a figure of observed outcomes, their means, and the fitted population curve with a 95 % Wald band."""
        from harness.lmm.figure import draw  # noqa: PLC0415 - matplotlib is slow to import and seldom needed

        return draw(self.spec, self.design, self.estimates)


def fit_lmm_cohort(spec: LmmSpec, cohort: Cohort) -> LmmResult:
    """Return the model fitted to a cohort.

    Raises
    ------
    SpecError
        If the model can't be fitted to this cohort; all problems are listed.
    """
    design = build_design(spec, cohort)
    fitted = fit(design)
    return LmmResult(cohort=cohort, spec=spec, design=design, fit=fitted, estimates=estimate(fitted, design))
