"""Three steps: trajectories; modal classes and how often these are wrong (D); the outcome, corrected for the errors.

Vermunt (2010), Bakk & Vermunt (2016). Both methods take D as it is; with `first_step` their standard errors know how
far the trajectories, and with them D, are estimated.
"""

import numpy as np

from harness.arrays import Matrix, Vector, read_only
from harness.gbtm.distal.estimates import SCALE_OF, DistalEstimates
from harness.gbtm.distal.first_step import FirstStep
from harness.gbtm.distal.known import assigned_density
from harness.gbtm.distal.last_step import LastStep, climb_from_posterior, influences, sandwich
from harness.gbtm.distal.outcome_density import DistalOutcome, outcome_density
from harness.gbtm.membership import membership_of
from harness.gbtm.mixture import Mixture
from harness.gbtm.terms import Covariates


def three_step_ml(outcome: DistalOutcome, step: FirstStep, *, first_step: bool) -> DistalEstimates:
    """Return the maximum of sum_i w_i log sum_g pi_g D_(g, c_i) q(z_i; mu_g), with pi_g free and D fixed.

    Subjects without a value keep their part in pi_g.
    """
    K, N = step.posterior.shape
    mixture = Mixture(
        membership=membership_of(Covariates(names=(), values=read_only(np.empty((N, 0)))), K),
        densities=(assigned_density(step.classification, step.assigned), outcome_density(outcome, K)),
        weights=step.weights,
    )
    last = climb_from_posterior(mixture, step.posterior)
    everyone = np.arange(N)
    covariance = sandwich(last, influences(last, step, everyone) if first_step else None, everyone)
    values, of_values, sigma = class_values(last, covariance, K)
    return DistalEstimates(
        method="three_step_ml",
        outcome=outcome,
        scale=SCALE_OF[outcome.family],
        estimate=read_only(values),
        covariance=read_only(of_values),
        uncertainty=said(first_step=first_step),
        sigma=read_only(sigma),
        class_shares=mixture.membership.shares(last.vector[None, : K - 1], mixture.weights)[0],
        classification=step.classification,
        log_likelihood=last.log_likelihood,
        n_subjects=N - outcome.n_missing,
        notes=(*step.notes(), *last.notes),
    )


def class_values(last: LastStep, covariance: Matrix, K: int) -> tuple[Vector, Matrix, Vector]:
    """Return the values of the last density by class, their covariance, and sigma, in the user's units."""
    density, part = last.mixture.densities[-1], last.mixture.parts[-1]
    own = last.vector[part]
    user, jacobian = density.to_user(own), density.user_jacobian(own)[:K]
    of_values = jacobian @ covariance[part, part] @ jacobian.T
    lost = [k - part.start for k in last.boundary if part.start <= k < part.start + K]
    of_values[lost] = np.nan
    of_values[:, lost] = np.nan
    return user[:K], of_values, user[K:]


def said(*, first_step: bool) -> str:
    """Return which standard errors those of three steps are."""
    if first_step:
        return "sandwich, with the uncertainty of trajectories and D (modal classes fixed)"
    return "sandwich of the last step, trajectories and D taken as known"


def bch(outcome: DistalOutcome, step: FirstStep, *, first_step: bool) -> DistalEstimates:
    """Return means with weights (D^-1)_(c_i, g), which undo on average what wrong classes do.

    Bolck, Croon & Hagenaars (2004); Vermunt (2010). Weights may be negative, and a mean outside the range of the
    outcome; no law of the outcome is assumed.
    """
    known = ~np.isnan(outcome.values)
    z = np.where(known, outcome.values, 0.0)
    inverse = np.linalg.inv(step.classification)
    weights = inverse[step.assigned].T * step.weights * known  # (K, N)
    totals = weights.sum(axis=1)
    means = weights @ z / totals
    residuals = z - means[:, None]
    phi = weights * residuals
    if first_step:
        is_assigned = (step.assigned == np.arange(step.n_classes)[:, None]).astype(np.float64)
        sums = is_assigned @ (step.weights * known * residuals).T  # (K assigned, K)
        phi = phi - np.einsum("sg,sa,abn,bg->gn", sums, inverse, step.influence, inverse, optimize=True)
    by_subject = phi / totals[:, None]
    notes = step.notes()
    low, high = np.nanmin(outcome.values), np.nanmax(outcome.values)
    beyond = (np.flatnonzero((means < low) | (means > high)) + 1).tolist()
    if beyond:
        notes.append(f"The mean of class(es) {beyond} is outside the range of the outcome, as negative weights allow.")
    return DistalEstimates(
        method="bch",
        outcome=outcome,
        scale="mean",
        estimate=read_only(means),
        covariance=read_only(by_subject @ by_subject.T),
        uncertainty=said(first_step=first_step),
        sigma=np.empty(0),
        class_shares=step.mixture.membership.shares(step.vector[None, : step.mixture.membership.n_free], step.weights)[
            0
        ],
        classification=step.classification,
        log_likelihood=None,
        n_subjects=int(known.sum()),
        notes=tuple(notes),
    )
