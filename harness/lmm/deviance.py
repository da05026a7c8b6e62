"""The profiled criterion by its definition: -2 log-likelihood with beta and sigma profiled out, at any theta.

This is the method to read; `harness.lmm.evaluation` gives the same number with exact gradient and Hessian.
"""

import numpy as np
from scipy.linalg import solve_triangular

from harness.arrays import Vector
from harness.lmm.adaptation import statistics_at
from harness.lmm.covariance import upper_factor
from harness.lmm.design import LmmDesign


def profiled_deviance(theta: Vector, design: LmmDesign) -> float:
    """Return -2 log-likelihood (restricted, under REML) at theta, with beta and sigma profiled out.

    All constants are included: n log 2 pi under ML; (n - p) log 2 pi and log|X'V^-1 X|, without -log|X'X|, under REML.
    Equals ``lmer(f, d, REML = r, devFunOnly = TRUE)(theta)``; Bates et al. (2015), section 3.

    Parameters
    ----------
    theta : Vector
        Lower triangle of Lambda by columns (its diagonal for `||`), in the units of the design's Z.
    design : LmmDesign
        n rows, p fixed effects, q random effects a subject.
    """
    rotated, Lambda = statistics_at(theta, design)
    cross, log_det, df = rotated.S.copy(), -design.log_weights, design.n_observations
    for U_i, k in zip(rotated.U, rotated.pattern, strict=True):
        # Rotated, V_i/sigma^2 is C'C = I + (R Lambda)(R Lambda)' for the rows U_i and I for the others, summed in S.
        C = upper_factor(np.vstack([(rotated.R[k] @ Lambda).T, np.eye(design.n_random)]))
        seen = solve_triangular(C, U_i, trans="T")
        cross += seen.T @ seen
        log_det += 2 * float(np.log(np.abs(np.diag(C))).sum())
    L = np.linalg.cholesky(cross)  # its last diagonal entry is the root of the penalised residual sum of squares
    if design.criterion == "REML":
        log_det += 2 * (np.log(np.diag(L)[:-1]).sum() - rotated.coordinates.log_det_fixed)
        df -= design.n_fixed
    return float(log_det + df * (1 + np.log(2 * np.pi * L[-1, -1] ** 2 / df)))
