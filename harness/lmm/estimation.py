"""From the optimum to estimates, standard errors and conditional modes (Bates et al. 2015, section 4)."""

from collections.abc import Sequence

import numpy as np

from harness.arrays import Matrix, Tensor, read_only
from harness.convergence import Stop
from harness.lmm.covariance import relative_factor
from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates, RandomEffects
from harness.lmm.evaluation import Evaluation
from harness.lmm.fit import LmmFit
from harness.lmm.patterns import SufficientStatistics
from harness.lmm.stacks import inverse_of_upper, root_beside_identity


def estimate(fit: LmmFit, design: LmmDesign) -> LmmEstimates:
    """Return all estimates of a fit in the user's units.

    R: ``fixef(m)``, ``vcov(m)``, ``sigma(m)``, ``VarCorr(m)``, ``ranef(m, condVar = TRUE)``, ``AIC(m)``, ``BIC(m)``.

    `variance_cov` is the inverse of the observed information in (theta, sigma), beta profiled out, carried to (random
    covariances, sigma) by the delta method. It is None unless the fit is a regular optimum: at a singular one the
    likelihood is not quadratic in the covariances, and a standard error would say nothing.
    """
    here = fit.evaluation
    factor = relative_factor(fit.theta, design.blocks)
    modes, modes_cov = conditional_modes(fit.Lambda, here, fit.statistics)
    fixed, random = fit.statistics.coordinates.fixed, fit.statistics.coordinates.random
    slopes = covariance_slopes(fit.statistics.layout.gamma_derivatives(fit.Lambda), fit.Lambda, random, fit.sigma)
    n_parameters = design.n_fixed + len(fit.theta) + 1
    return LmmEstimates(
        criterion=design.criterion,
        fixed_names=design.fixed_names,
        beta=fit.beta,
        vcov=read_only(fit.sigma**2 * fixed @ here.inverse @ fixed.T),
        theta=fit.theta,
        random=(
            RandomEffects(
                grouping=design.random[0].grouping,
                names=design.random_names,
                cov=read_only(fit.sigma**2 * factor @ factor.T),
                labels=design.subject_labels,
                modes=read_only(modes),
                modes_cov=read_only(modes_cov),
            ),
        ),
        sigma=fit.sigma,
        variance_cov=read_only(variance_covariance(here, [slopes])) if fit.convergence.stop is Stop.OPTIMUM else None,
        log_likelihood=-fit.deviance / 2,
        aic=fit.deviance + 2 * n_parameters,
        bic=fit.deviance + n_parameters * float(np.log(design.n_observations)),
        n_observations=design.n_observations,
        n_subjects=design.n_subjects,
        n_parameters=n_parameters,
    )


def conditional_modes(Lambda: Matrix, here: Evaluation, statistics: SufficientStatistics) -> tuple[Matrix, Tensor]:
    """Return modes (m, q) and their variances (m, q, q) given beta, theta and sigma, in the units of Z.

    b_i = Gamma R_k' H_k (U_i^y - U_i^X beta); Var = sigma^2 Lambda (Lambda'R'R Lambda + I)^-1 Lambda'.
    """
    A = Lambda.T @ np.ascontiguousarray(statistics.R.transpose(1, 2, 0))
    # C'C = Lambda'R'R Lambda + I, so that Lambda C^-1 C^-T Lambda' R' = Gamma R' H.
    half = Lambda @ inverse_of_upper(root_beside_identity(A)).transpose(2, 0, 1)
    residuals = statistics.U @ np.append(-here.beta, 1.0)
    gain = half @ (half.transpose(0, 2, 1) @ statistics.R.transpose(0, 2, 1))
    random = statistics.coordinates.random
    modes = (gain[statistics.pattern] @ residuals[:, :, None])[:, :, 0] @ random.T
    cov = random @ half
    return modes, here.sigma**2 * (cov @ cov.transpose(0, 2, 1))[statistics.pattern]


def covariance_slopes(gamma_1: Tensor, Lambda: Matrix, units: Matrix, sigma: float) -> Tensor:
    """Return the derivatives (J + 1, q, q) of G = sigma^2 units Gamma units' in theta and sigma in its own units.

    `gamma_1` (J, q, q) are those of Gamma = Lambda Lambda', and `units` (q, q) leads to the user's random effects.
    """
    slopes = sigma**2 * np.concatenate([gamma_1, 2 * (Lambda @ Lambda.T)[None]])
    return np.asarray(units @ slopes @ units.T)


def variance_covariance(here: Evaluation, slopes: Sequence[Tensor]) -> Matrix:
    """Return the covariance of (lower triangle of each random covariance by rows, sigma), by the delta method.

    `slopes` has of each random covariance the derivatives (J + 1, q, q) as `covariance_slopes` gives them. Twice the
    inverse of `joint_hessian` is the covariance of theta and sigma.
    """
    triangles = [of_one[:, *np.tril_indices(of_one.shape[-1])].T for of_one in slopes]
    hessian = here.joint_hessian
    jacobian = np.vstack([*triangles, here.sigma * np.eye(len(hessian))[-1:]])
    return np.asarray(2 * jacobian @ np.linalg.solve(hessian, jacobian.T))
