"""Criteria that weigh fit against parameters and certainty, by the names that people know.

L is the log-likelihood, p the parameters, N subjects,
n observations, EN = -sum p_ig log p_ig, M = -2 sum_i log max_g p_ig.
"""

from dataclasses import dataclass

import numpy as np

from harness.gbtm.adequacy import modal_uncertainty, total_entropy
from harness.gbtm.estimates import GbtmEstimates

CRITERIA = {
    "aic": "AIC",
    "bic_subjects": "BIC (subjects)",
    "bic_observations": "BIC (observations)",
    "sabic": "SABIC",
    "icl": "ICL",
    "classification_icl": "classification ICL",
}
"""Those that choose a model: the smallest wins. By name of the column, how they are called in print."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Of one model; smaller is better.

    Attributes
    ----------
    aic, bic_subjects, bic_observations, sabic
        -2L + 2p; + p log N (lcmm); + p log n (flexmix, lme4); + p log((N + 2) / 24). Stata traj's are -1/2 of these.
    icl, classification_icl, icl1_lcmm
        bic_subjects + 2 EN (textbooks, latrend); + M (lcmm's ICL2); + EN (lcmm's ICL1: half the usual penalty).
    """

    aic: float
    bic_subjects: float
    bic_observations: float
    sabic: float
    icl: float
    classification_icl: float
    icl1_lcmm: float


def criteria(estimates: GbtmEstimates) -> Criteria:
    """Return the criteria of a model. R: ``lcmm::summarytable(m, which = c("AIC", "BIC", "SABIC", "ICL1"))``."""
    return criteria_of(
        estimates.log_likelihood,
        (estimates.n_parameters, estimates.n_subjects, estimates.n_observations),
        (total_entropy(estimates.posterior), modal_uncertainty(estimates.posterior)),
    )


def criteria_of(log_likelihood: float, counts: tuple[int, int, int], uncertainty: tuple[float, float]) -> Criteria:
    """Return the criteria from L, (p, N, n) and (EN, M)."""
    (p, N, n), (EN, M) = counts, uncertainty
    deviance = -2 * log_likelihood
    bic = deviance + p * float(np.log(N))
    return Criteria(
        aic=deviance + 2 * p,
        bic_subjects=bic,
        bic_observations=deviance + p * float(np.log(n)),
        sabic=deviance + p * float(np.log((N + 2) / 24)),
        icl=bic + 2 * EN,
        classification_icl=bic + M,
        icl1_lcmm=bic + EN,
    )
