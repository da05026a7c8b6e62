"""The outcome regressed on posterior probabilities, with the trajectories, at once: Stata traj's `outcome()`.

L = sum_i w_i [ log sum_g pi_ig f_ig + log q(z_i; m_i) ], m_i = sum_g p_ig mu_g with the posterior p_ig of the
trajectories alone. This is no mixture over the outcome: the class means only meet in the predictor.

With u_ig = da_ig of the trajectories, s_i = sum_g p_ig u_ig, n_i = dm_i = sum_g p_ig (mu_g - m_i) u_ig::

    d2m_i = sum_g p_ig (mu_g - m_i) (d2a_ig + u_ig u_ig') - n_i s_i' - s_i n_i'
"""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Vector, read_only
from harness.gbtm.distal.estimates import SCALE_OF, DistalEstimates
from harness.gbtm.distal.first_step import FirstStep, class_scores
from harness.gbtm.distal.outcome_density import DistalOutcome
from harness.gbtm.families.build import row_family
from harness.gbtm.families.rows import RowDerivatives, RowFamily, second
from harness.gbtm.mixture import Derivatives, Mixture, derivatives, e_step
from harness.gbtm.newton import GRADIENT_TOLERANCE, steepness
from harness.gbtm.uncertainty import CovarianceKind

_STEPS = 100
_HALVINGS = 30
_LARGEST_STEP = 1.0
_FLAT = 1e-6  # information of a millionth of one observation
_LOADING = 0.05  # of a unit direction; a parameter with less is determined by others
_UNRESOLVED = 1e-5  # standard errors; the log-likelihood changes by half the square of it


@dataclass(frozen=True, kw_only=True, eq=False)
class JointModel:
    """P parameters of the trajectories, K class means, and log sigma of a gaussian outcome, in working units.

    `z` are the known values, of subjects `known`: standardised with `centre` and `unit` if gaussian.
    """

    mixture: Mixture
    family: RowFamily
    known: Codes
    centre: float
    unit: float

    @property
    def n_free(self) -> int:
        """P + K, and one for sigma."""
        return self.mixture.n_free + self.mixture.n_classes + int(self.family.has_second)

    def log_likelihood(self, vector: Vector) -> float:
        """Return L with all constants, in the user's units."""
        P, K = self.mixture.n_free, self.mixture.n_classes
        posterior, reached = e_step(vector[None, :P], self.mixture)
        m = vector[P : P + K] @ posterior[0][:, self.known]
        by_subject = self.family.log_density(m, self._log_sigma(vector)) - np.log(self.unit)
        return float(reached[0] + by_subject @ self.mixture.weights[self.known])

    def derivatives(self, vector: Vector) -> Derivatives:
        """Return L and its derivatives, by subject and in sum, as a batch of one."""
        P, K = self.mixture.n_free, self.mixture.n_classes
        alone = derivatives(vector[None, :P], self.mixture)
        posterior = e_step(vector[None, :P], self.mixture)[0][0]
        u = class_scores(vector[:P], self.mixture, posterior)
        mu, w = vector[P : P + K], self.mixture.weights
        m = mu @ posterior
        away = posterior * (mu[:, None] - m)  # p_ig (mu_g - m_i)
        n = np.einsum("gn,gpn->pn", away, u)
        by_row = self._by_subject(m, vector)
        r, q, N = by_row.d_eta, by_row.d2_eta, len(w)

        dm = np.concatenate([n, posterior])  # d m_i / d (theta, mu)
        scores, hessian = np.zeros((self.n_free, N)), np.zeros((self.n_free, self.n_free))
        scores[:P] = alone.scores[0]
        scores[: P + K] += r * dm
        hessian[:P, :P] = -alone.information[0]
        hessian[: P + K, : P + K] += (w * q * dm) @ dm.T
        s, wr = alone.scores[0], w * r
        cross = (wr * n) @ s.T
        curved = np.einsum("gn,gpn,gqn->pq", wr * away, u, u, optimize=True) - cross - cross.T
        for density, part in zip(self.mixture.densities, self.mixture.parts, strict=True):
            for g, found in enumerate(density.derivatives(vector[None, part], (wr * away)[None])):
                at = part.start + density.places[g]
                curved[at[:, None], at] += found.curvature[0]
        hessian[:P, :P] += curved
        mixed = np.einsum("gn,gpn->pg", wr * posterior, u - s)
        hessian[:P, P : P + K] += mixed
        hessian[P : P + K, :P] += mixed.T
        if self.family.has_second:
            scores[-1] = second(by_row.d_zeta)
            hessian[-1, : P + K] = hessian[: P + K, -1] = dm @ (w * second(by_row.d_eta_zeta))
            hessian[-1, -1] = w @ second(by_row.d2_zeta)
        return Derivatives(
            log_likelihood=np.array([self.log_likelihood(vector)]),
            by_subject=alone.by_subject,  # of the trajectories alone
            scores=scores[None],
            score=(scores @ w)[None],
            information=-hessian[None],
        )

    def _by_subject(self, m: Vector, vector: Vector) -> RowDerivatives:
        """Return the derivatives of log q for all N subjects, 0 for those without a value."""
        found = self.family.derivatives(m[self.known], self._log_sigma(vector))

        def spread(values: Matrix | None) -> Matrix | None:
            if values is None:
                return None
            every = np.zeros(len(m))
            every[self.known] = values
            return every

        return RowDerivatives(
            d_eta=second(spread(found.d_eta)),
            d2_eta=second(spread(found.d2_eta)),
            d_zeta=spread(found.d_zeta),
            d_eta_zeta=spread(found.d_eta_zeta),
            d2_zeta=spread(found.d2_zeta),
        )

    def _log_sigma(self, vector: Vector) -> Vector | None:
        return vector[-1:] if self.family.has_second else None


def joint_model(outcome: DistalOutcome, mixture: Mixture) -> JointModel:
    """Return the joint model of trajectories and an outcome."""
    known = np.flatnonzero(~np.isnan(outcome.values)).astype(np.int64)
    z = outcome.values[known]
    gaussian = outcome.family == "gaussian"
    centre, unit = (float(z.mean()), float(z.std())) if gaussian else (0.0, 1.0)
    return JointModel(
        mixture=mixture,
        family=row_family(outcome.family, (z - centre) / unit),
        known=known,
        centre=centre,
        unit=unit,
    )


def posterior_regression(outcome: DistalOutcome, step: FirstStep, kind: CovarianceKind) -> DistalEstimates:
    """Return the joint maximum that is reached from the trajectories' optimum and the regression on its posteriors.

    For a logit or Poisson outcome the same construction stands in the predictor.
    """
    model, P, K = joint_model(outcome, step.mixture), step.mixture.n_free, step.n_classes
    begin = np.zeros(model.n_free)
    begin[:P] = step.vector
    of_known = step.posterior[:, model.known]
    # The family's rough outcome, by least squares on the posteriors; the prior keeps an unseen class near the mean.
    rough = model.family.working_outcome()
    begin[P : P + K] = np.linalg.solve(of_known @ of_known.T + np.eye(K), of_known @ rough + rough.mean())
    vector, notes = _climb(begin, model)
    found = model.derivatives(vector)
    eigenvalues, Q = np.linalg.eigh(found.information[0])
    is_curved = eigenvalues > _FLAT  # other directions have no standard error, and are held fixed
    covariance = (Q[:, is_curved] / eigenvalues[is_curved]) @ Q[:, is_curved].T
    if kind == "sandwich":
        scores = found.scores[0] * step.weights
        covariance = covariance @ (scores @ scores.T) @ covariance
    is_lost = (np.abs(Q[:, ~is_curved]) > _LOADING).any(axis=1)
    covariance[is_lost] = np.nan
    covariance[:, is_lost] = np.nan
    places = slice(P, P + K)
    sigma = np.exp(vector[-1:]) * model.unit if model.family.has_second else np.empty(0)
    membership = step.mixture.membership
    return DistalEstimates(
        method="posterior_regression",
        outcome=outcome,
        scale=SCALE_OF[outcome.family],
        estimate=read_only(model.centre + model.unit * vector[places]),
        covariance=read_only(model.unit**2 * covariance[places, places]),
        uncertainty=f"{kind} of the joint likelihood",
        sigma=read_only(sigma),
        class_shares=read_only(membership.shares(vector[None, : membership.n_free], step.weights)[0]),
        classification=None,
        log_likelihood=float(found.log_likelihood[0]),
        n_subjects=len(model.known),
        notes=(*step.notes(), *notes, "Class values meet in the predictor by posterior probability: no mixture."),
    )


def _climb(vector: Vector, model: JointModel) -> tuple[Vector, list[str]]:
    """Return where damped Newton steps lead, and what is to be said of it."""
    reached = model.log_likelihood(vector)
    for _ in range(_STEPS):
        here = steepness(model.derivatives(vector))
        if here.gradient[0] < GRADIENT_TOLERANCE and here.distance[0] < GRADIENT_TOLERANCE:
            return vector, []
        step = here.step[0] * min(1.0, _LARGEST_STEP / max(float(np.abs(here.step[0]).max()), 1e-300))
        if here.distance[0] < _UNRESOLVED:
            vector = vector + step
            continue
        for _ in range(_HALVINGS):
            trial = model.log_likelihood(vector + step)
            if trial > reached:
                break
            step /= 2
        else:
            break
        vector, reached = vector + step, trial
    return vector, ["The joint likelihood has no maximum that Newton's method found; standard errors mean nothing."]
