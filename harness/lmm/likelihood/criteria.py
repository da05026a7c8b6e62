"""Information criteria as each engine defines them: they share the deviance and differ in what they count."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.lmm.certificate import SINGULAR_SD
from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates
from harness.lmm.prediction.predictor import distribution_of, fitted_occasions
from harness.lmm.prediction.trained import trained_residual
from harness.lmm.spec import Criterion


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a fit has: n rows, m subjects, p fixed effects, r covariance parameters (sigma among them).

    `bounded` of the r lie on a bound, as a variance of zero does. Subjects are levels of the first random term's
    grouping factor where there are several.
    """

    criterion: Criterion
    deviance: float
    n_observations: int
    n_subjects: int
    n_fixed: int
    n_covariance: int
    bounded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationCriterion:
    """One criterion by one engine's convention: `value` = deviance + `penalty`, `formula` in words."""

    name: str
    engine: str
    value: float
    penalty: float
    formula: str


def counts_of(design: LmmDesign, deviance: float, estimates: LmmEstimates) -> Counts:
    """Return what a fit by any engine has; a random effect is on its bound where it moves no outcome."""
    law, at = distribution_of(design, estimates), fitted_occasions(design, trained_residual(design, estimates))
    least = SINGULAR_SD**2 * float(law.residual_variance(at).mean())
    moved = [np.square(part.Z).mean(axis=0) * np.diag(G) for part, G in zip(at.random, law.random_cov, strict=True)]
    return Counts(
        criterion=estimates.criterion,
        deviance=deviance,
        n_observations=estimates.n_observations,
        n_subjects=estimates.n_subjects,
        n_fixed=design.n_fixed,
        n_covariance=estimates.n_parameters - design.n_fixed,
        bounded=sum(int((variances <= least).sum()) for variances in moved),
    )


def information_criteria(counts: Counts) -> tuple[InformationCriterion, ...]:
    """Return AIC, AICc and BIC by the conventions of lme4 (and glmmTMB), nlme, SAS and mmrm.

    R: ``AIC(m)``, ``BIC(m)``, for mmrm ``AIC(m, corrected = TRUE)``. lme4 and nlme have no AICc of their own; theirs
    here is that of Hurvich and Tsai (1989) with what their ``logLik`` counts.
    """
    return (*_lme4(counts), *_nlme(counts), *_sas(counts), *_mmrm(counts))


def _lme4(counts: Counts) -> Iterator[InformationCriterion]:
    """Every parameter and every row, whatever the criterion."""
    k, n = counts.n_fixed + counts.n_covariance, counts.n_observations
    return _three(counts, "lme4, glmmTMB", (k, "all parameters"), (n, "rows"), (n, "rows"))


def _nlme(counts: Counts) -> Iterator[InformationCriterion]:
    """As lme4, but REML has used up one row a fixed effect."""
    k = counts.n_fixed + counts.n_covariance
    rows = _contrasts(counts)
    return _three(counts, "nlme", (k, "all parameters"), rows, rows)


def _sas(counts: Counts) -> Iterator[InformationCriterion]:
    """PROC MIXED: REML does not see the fixed effects; the sample is the subjects; bounds are no parameters."""
    q = counts.n_covariance - counts.bounded
    if counts.criterion == "REML":
        k = (q, "covariance parameters off their bounds")
    else:
        k = (q + counts.n_fixed, "fixed effects, and covariance parameters off their bounds")
    n, words = _contrasts(counts)
    least = k[0] + 2
    rows = (n, words) if n >= least else (least, "two more than these")
    return _three(counts, "SAS", k, rows, (counts.n_subjects, "subjects"))


def _mmrm(counts: Counts) -> Iterator[InformationCriterion]:
    """Covariance parameters and contrasts even under ML, where the df of its ``logLik`` counts fixed effects too."""
    k = (counts.n_covariance, "covariance parameters")
    n, least = counts.n_observations - counts.n_fixed, counts.n_covariance + 2
    rows = (n, "rows less fixed effects") if n >= least else (least, "two more than these")
    return _three(counts, "mmrm", k, rows, (counts.n_subjects, "subjects"))


def _contrasts(counts: Counts) -> tuple[int, str]:
    if counts.criterion == "REML":
        return counts.n_observations - counts.n_fixed, "rows less fixed effects"
    return counts.n_observations, "rows"


def _three(
    counts: Counts, engine: str, parameters: tuple[int, str], corrected: tuple[int, str], sample: tuple[int, str]
) -> Iterator[InformationCriterion]:
    k, counted = parameters
    n, rows = corrected
    factor = n / (n - k - 1) if n > k + 1 else np.inf
    penalties = (
        ("AIC", 2 * k, f"2 k, k = {k} {counted}"),
        ("AICc", 2 * k * factor, f"2 k n / (n - k - 1), k = {k} {counted}, n = {n} {rows}"),
        ("BIC", k * float(np.log(sample[0])), f"k log n, k = {k} {counted}, n = {sample[0]} {sample[1]}"),
    )
    for name, penalty, words in penalties:
        yield InformationCriterion(
            name=name,
            engine=engine,
            value=counts.deviance + penalty,
            penalty=float(penalty),
            formula=f"deviance + {words}",
        )
