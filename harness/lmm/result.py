"""A fitted linear mixed model, to read, tabulate and plot."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.arrays import Matrix, Vector
from harness.cohorts.cohort import Cohort
from harness.convergence import Convergence
from harness.errors import Problem, SpecError
from harness.lmm.design import LmmDesign, build_design
from harness.lmm.estimates import LmmEstimates
from harness.lmm.estimation import estimate
from harness.lmm.fit import LmmFit, fit
from harness.lmm.spec import LmmSpec
from harness.lmm.summary import WALD_95, summarise
from harness.lmm.tables import random_effect_table, variance_table
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
    def sigma(self) -> float | None:
        """Residual standard deviation, None where the residual covariance has a structure; ``sigma(m)``."""
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
        """Return one row a level and random effect: conditional mode and its conditional standard deviation."""
        return random_effect_table(self.estimates)

    def variances(self) -> pd.DataFrame:
        """Return one row an entry of the random covariances (lower triangles by rows), then sigma or the residual's.

        `correlation` is empty for variances; `standard_error` is empty where the fit is no regular optimum.
        """
        return variance_table(self.estimates)

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
    _require_one_factor(design)
    fitted = fit(design)
    return LmmResult(cohort=cohort, spec=spec, design=design, fit=fitted, estimates=estimate(fitted, design))


def _require_one_factor(design: LmmDesign) -> None:
    one_factor = len({one.grouping for one in design.random}) == 1 and design.residual is None
    even = len(design.blocks) == 1 or max(design.blocks, default=0) == 1
    if one_factor and even and design.weights is None:
        return
    found = "a model with several grouping factors, blocks of random effects, weights or a residual structure"
    raise SpecError("fit_lmm", [Problem(found=found, expected="one random term, correlated or not, without weights")])
