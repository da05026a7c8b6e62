"""What predicts membership, by three steps: the classes stay those of the trajectories, and their errors are known.

The last step maximises sum_i w_i log sum_g pi_g(x_i) D_(g, c_i) with a multinomial logit pi_g (Vermunt 2010).
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.gbtm.distal.first_step import FirstStep
from harness.gbtm.distal.known import assigned_density
from harness.gbtm.distal.last_step import climb_from_posterior, influences, sandwich
from harness.gbtm.distal.three_step import said
from harness.gbtm.membership import membership_of
from harness.gbtm.mixture import Mixture
from harness.gbtm.named import Parameter
from harness.gbtm.terms import Covariates


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PredictorEstimates:
    """Log-odds of classes against a reference class.

    Attributes
    ----------
    parameters, estimate, covariance : (P,), (P, P)
        Predictor by predictor (the intercept first), the K - 1 other classes inside; NaN where there is no maximum.
    reference
        Class (from 1) with log-odds 0.
    classification : (K, K)
        D.
    n_subjects, n_missing
        With values of all predictors, and without.
    """

    parameters: tuple[Parameter, ...]
    estimate: Vector
    covariance: Matrix
    reference: int
    uncertainty: str
    classification: Matrix
    log_likelihood: float
    n_subjects: int
    n_missing: int
    notes: tuple[str, ...]


def predict_membership(
    factors: Covariates, subjects: Codes, step: FirstStep, reference: int, *, first_step: bool
) -> PredictorEstimates:
    """Return the log-odds of the classes on predictors.

    Parameters
    ----------
    factors, subjects
        Columns (n, k) and the number of the subject of each row among those of the trajectories.
    step
        The trajectories' classes.
    reference
        Class, from 1.
    first_step
        Whether the standard errors know how far trajectories and D are estimated.
    """
    K = step.n_classes
    # The reference of the mixture is its last class.
    order = np.array([g for g in range(K) if g != reference - 1] + [reference - 1])
    weights = step.weights[subjects]
    known = assigned_density(step.classification, step.assigned[subjects])
    mixture = Mixture(
        membership=membership_of(factors, K), densities=(known,), weights=read_only(weights / weights.mean())
    )
    last = climb_from_posterior(mixture, step.posterior[:, subjects])
    covariance = sandwich(last, influences(last, step, subjects) if first_step else None, subjects)
    moved = mixture.membership.relabelled(np.eye(mixture.n_free), order).T
    jacobian = mixture.membership.user_jacobian() @ moved
    in_user = jacobian @ covariance @ jacobian.T
    names = mixture.membership.names
    parameters = tuple(
        Parameter(role="log_odds", name=name, latent_class=int(g) + 1) for name in names for g in order[:-1]
    )
    lost = _lost(last.boundary, parameters, mixture, reference)
    in_user[lost] = np.nan
    in_user[:, lost] = np.nan
    return PredictorEstimates(
        parameters=parameters,
        estimate=read_only(jacobian @ last.vector),
        covariance=read_only(in_user),
        reference=reference,
        uncertainty=said(first_step=first_step),
        classification=step.classification,
        log_likelihood=last.log_likelihood,
        n_subjects=len(subjects),
        n_missing=step.posterior.shape[1] - len(subjects),
        notes=(*step.notes(), *last.notes),
    )


def _lost(boundary: tuple[int, ...], parameters: tuple[Parameter, ...], mixture: Mixture, reference: int) -> list[int]:
    """Return the parameters that depend on one without a maximum: those of its class, or, of the last class, all."""
    flat = {mixture.parameters[k].latent_class for k in boundary}
    if not flat:
        return []
    all_of_them = reference in flat or len(flat) > 1 or reference != mixture.n_classes
    return [k for k, p in enumerate(parameters) if all_of_them or p.latent_class in flat]


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictorTest:
    """Wald test that a column predicts no class."""

    name: str
    statistic: float
    df: int
    p: float


def predictor_tests(estimates: PredictorEstimates) -> tuple[PredictorTest, ...]:
    """Return one test a column, K - 1 degrees of freedom; NaN where a coefficient has no standard error."""
    names = dict.fromkeys(p.name for p in estimates.parameters if p.name != "intercept")
    found = []
    for name in names:
        at = [k for k, p in enumerate(estimates.parameters) if p.name == name]
        values, covariance = estimates.estimate[at], estimates.covariance[np.ix_(at, at)]
        statistic = float("nan")
        if np.isfinite(covariance).all():
            statistic = float(values @ np.linalg.solve(covariance, values))
        found.append(PredictorTest(name=name, statistic=statistic, df=len(at), p=float(chi2.sf(statistic, len(at)))))
    return tuple(found)
