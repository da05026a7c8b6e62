"""The profiled criterion of several grouping factors, with exact gradient and Hessian in theta."""

from collections.abc import Sequence
from functools import reduce
from operator import add

import numpy as np

from harness.arrays import Matrix, Tensor, Vector
from harness.lmm.crossed.derivatives import PairSums, pair_sums
from harness.lmm.crossed.elimination import Eliminated, eliminate
from harness.lmm.crossed.layout import Entries, factors_at
from harness.lmm.crossed.statistics import CrossProducts
from harness.lmm.evaluation import Evaluation, profiled


def evaluate(theta: Vector, where: Entries, cross: CrossProducts) -> Evaluation:
    """Return the criterion's parts and their exact derivatives at theta, in working units.

    ``lmer(f, d, devFunOnly = TRUE)(theta)`` gives the value, for theta in the user's units.
    """
    Lambdas = factors_at(theta, where, cross.layout)
    found, sums = eliminated(Lambdas, cross)
    slopes, curves = gamma_derivatives(Lambdas, where)
    M_0 = sum((one.M for one in found), np.zeros_like(found[0].M))
    products = np.tensordot(slopes, sums.FPF, 1)  # (J, k, c, c)
    M_2 = np.tensordot(slopes, products, ([1], [1]))  # (J, J, c, c), for both orders once its transpose is added
    return profiled(
        (
            M_0,
            -np.tensordot(slopes, sums.FF, 1),
            M_2 + M_2.transpose(0, 1, 3, 2) - np.tensordot(curves, sums.FF, 1),
        ),
        (
            sum(one.log_det for one in found) - cross.log_weights,
            slopes @ sums.P,
            curves @ sums.P - slopes @ sums.PP @ slopes.T,
        ),
        criterion=cross.criterion,
        log_det_fixed=cross.log_det_fixed,
        df=cross.residual_df,
    )


def eliminated(Lambdas: Sequence[Matrix], cross: CrossProducts) -> tuple[list[Eliminated], PairSums]:
    """Return the elimination of each part, and the sums over pairs of all parts."""
    found = [eliminate(Lambdas, part) for part in cross.parts]
    sums = [pair_sums(one, part) for one, part in zip(found, cross.parts, strict=True)]
    return found, reduce(add, sums)


def working_modes(Lambdas: Sequence[Matrix], beta: Vector, cross: CrossProducts) -> list[Matrix]:
    """Return the conditional modes (levels, q) of each factor, in working units: Gamma Z'Omega(y - X beta)."""
    found = [np.zeros((factor.n_levels, factor.n_random)) for factor in cross.layout.factors]
    v = np.append(-beta, 1.0)
    for part in cross.parts:
        reduced = eliminate(Lambdas, part)
        effects = [reduced.F_1 @ v, *((reduced.F_2 @ v)[own] for own in part.columns)]
        for modes, Lambda, levels, F in zip(found, Lambdas, part.levels, effects, strict=True):
            modes[levels] = F.T @ Lambda @ Lambda.T
    return found


def gamma_derivatives(Lambdas: Sequence[Matrix], where: Entries) -> tuple[Matrix, Tensor]:
    """Return the first (J, k) and second (J, J, k) derivatives in theta of the k pairs of all factors' Gamma.

    theta_j in row r and column s of Lambda has dGamma = e_r lambda_s' + lambda_s e_r', lambda_s that column.
    """
    J, offsets = len(where.rows), np.cumsum([0, *(len(Lambda) ** 2 for Lambda in Lambdas)])
    first, second = np.zeros((J, offsets[-1])), np.zeros((J, J, offsets[-1]))
    for j in range(J):
        f, row, column = where.factor[j], where.rows[j], where.columns[j]
        Lambda = Lambdas[f]
        change = np.zeros_like(Lambda)
        change[row] += Lambda[:, column]
        change[:, row] += Lambda[:, column]
        first[j, offsets[f] : offsets[f + 1]] = change.reshape(-1)
        for other in np.flatnonzero((where.factor == f) & (where.columns == column)).tolist():
            pair = np.zeros_like(Lambda)
            pair[row, where.rows[other]] += 1
            pair[where.rows[other], row] += 1
            second[j, other, offsets[f] : offsets[f + 1]] = pair.reshape(-1)
    return first, second
