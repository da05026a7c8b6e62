"""One step: the outcome is one more density of the mixture, so that it has a say in who belongs to which class."""

import numpy as np

from harness.arrays import read_only
from harness.gbtm.distal.estimates import SCALE_OF, DistalEstimates
from harness.gbtm.distal.first_step import FirstStep
from harness.gbtm.distal.last_step import climb_from_vector
from harness.gbtm.distal.outcome_density import DistalOutcome, outcome_density
from harness.gbtm.distal.three_step import class_values
from harness.gbtm.mixture import Mixture
from harness.gbtm.uncertainty import CovarianceKind, free_covariance

_MOVED = 0.05


def class_mean_mixture(outcome: DistalOutcome, step: FirstStep, kind: CovarianceKind) -> DistalEstimates:
    """Return the maximum of sum_i w_i log sum_g pi_ig f_ig q(z_i; mu_g) that is reached from the trajectories' optimum.

    All parameters are free; the standard errors are those of the joint likelihood, by `kind`.
    """
    mixture, K = step.mixture, step.n_classes
    density = outcome_density(outcome, K)
    joint = Mixture(
        membership=mixture.membership,
        densities=(*mixture.densities, density),
        weights=mixture.weights,
        labels=(*(mixture.labels or ("",) * len(mixture.densities)), outcome.name),
    )
    own = density.begin((step.posterior * mixture.weights)[None])[0]
    last = climb_from_vector(joint, np.concatenate([step.vector, own]))
    values, covariance, sigma = class_values(last, free_covariance(last.vector, joint, kind), K)
    before = mixture.membership.shares(step.vector[None, : mixture.membership.n_free], mixture.weights)[0]
    after = joint.membership.shares(last.vector[None, : joint.membership.n_free], joint.weights)[0]
    notes = [
        *step.notes(),
        *last.notes,
        "The outcome has a say in the classes; the search began at the trajectories' optimum and nowhere else.",
    ]
    if np.abs(after - before).max() > _MOVED:
        notes.append(f"With the outcome, a class share moved by {100 * np.abs(after - before).max():.1f} points.")
    return DistalEstimates(
        method="class_mean_mixture",
        outcome=outcome,
        scale=SCALE_OF[outcome.family],
        estimate=read_only(values),
        covariance=read_only(covariance),
        uncertainty=f"{kind} of the joint likelihood",
        sigma=read_only(sigma),
        class_shares=read_only(after),
        classification=None,
        log_likelihood=last.log_likelihood,
        n_subjects=len(outcome.values) - outcome.n_missing,
        notes=tuple(notes),
    )
