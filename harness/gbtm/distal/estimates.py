"""What every method says of a distal outcome: one number a class, with a covariance, and what it rests on."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import expit
from scipy.stats import chi2

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.gbtm.distal.outcome_density import DistalOutcome

Method = Literal["three_step_ml", "bch", "posterior_regression", "class_mean_mixture"]
DistalScale = Literal["mean", "log-odds", "log rate"]

SCALE_OF: dict[str, DistalScale] = {"gaussian": "mean", "logit": "log-odds", "poisson": "log rate"}
"""Of the predictor of each family."""

_NO_ERROR = 1e-8  # of the outcome's standard deviation: 1e16 subjects would be needed for such a standard error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DistalEstimates:
    """K classes.

    Attributes
    ----------
    estimate, covariance : (K,), (K, K)
        On `scale`: the mean of each class, its log-odds, or the logarithm of its rate. NaN where there is no maximum.
    uncertainty
        Which covariance that is, and whether it knows that the classes were estimated.
    sigma : (1,) or (K,)
        Residual standard deviation; none if the method has none.
    class_shares : (K,)
        As this method has them.
    classification : (K, K) or None
        D of the three-step methods.
    log_likelihood
        Of what the method maximises; None for weighted means.
    """

    method: Method
    outcome: DistalOutcome
    scale: DistalScale
    estimate: Vector
    covariance: Matrix
    uncertainty: str
    sigma: Vector
    class_shares: Vector
    classification: Matrix | None
    log_likelihood: float | None
    n_subjects: int
    notes: tuple[str, ...]

    @property
    def standard_error(self) -> Vector:
        """(K,)."""
        return np.sqrt(np.diag(self.covariance))

    def to_mean(self, values: Vector) -> Vector:
        """Return numbers on `scale` as means of the outcome."""
        match self.scale:
            case "mean":
                return values
            case "log-odds":
                return np.asarray(expit(values))
            case "log rate":
                return np.asarray(np.exp(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class WaldTest:
    """Whether all classes have the same value; NaN where a class has no standard error, or there is one class."""

    statistic: float
    df: int
    p: float


def wald_test(estimates: DistalEstimates) -> WaldTest:
    """Return the test of equal values in all classes, K - 1 degrees of freedom."""
    K = len(estimates.estimate)
    contrasts = np.eye(K)[:-1] - np.eye(K)[-1]
    difference, covariance = contrasts @ estimates.estimate, contrasts @ estimates.covariance @ contrasts.T
    if K == 1 or not np.isfinite(covariance).all():
        return WaldTest(statistic=float("nan"), df=K - 1, p=float("nan"))
    statistic = float(difference @ np.linalg.solve(covariance, difference))
    return WaldTest(statistic=statistic, df=K - 1, p=float(chi2.sf(statistic, K - 1)))


def without_empty_errors(found: DistalEstimates, assigned: Codes) -> DistalEstimates:
    """Return estimates without the standard errors that no variation of the outcome stands behind, and say so.

    Parameters
    ----------
    found
        Of any method.
    assigned : (N,)
        Modal class of each subject, from 0.
    """
    values = found.outcome.values
    known = ~np.isnan(values)
    unseen = [g for g in range(len(found.estimate)) if not known[assigned == g].any()]
    size = float(values[known].std()) if found.scale == "mean" else 1.0
    constant = np.flatnonzero(np.diag(found.covariance) < (_NO_ERROR * size) ** 2).tolist()
    notes = [f"No subject assigned to class {g + 1} has a value: it has no standard error." for g in unseen]
    notes += [
        f"The outcome does not vary within class {g + 1}, which has no standard error."
        for g in constant
        if g not in unseen
    ]
    lost = sorted({*unseen, *constant})
    covariance = np.array(found.covariance)
    covariance[lost] = np.nan
    covariance[:, lost] = np.nan
    return replace(found, covariance=read_only(covariance), notes=(*found.notes, *notes))
