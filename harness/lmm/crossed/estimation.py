"""From the optimum to estimates, standard errors and conditional modes, with several grouping factors."""

import numpy as np

from harness.arrays import Matrix, read_only
from harness.convergence import Stop
from harness.lmm.crossed.evaluation import gamma_derivatives
from harness.lmm.crossed.fit import CrossedFit
from harness.lmm.crossed.layout import factors_at, pair_offsets
from harness.lmm.crossed.modes import factor_modes, factor_units
from harness.lmm.crossed.newton import Place
from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates, RandomEffects


def estimate(fit: CrossedFit, design: LmmDesign) -> LmmEstimates:
    """Return all estimates of a fit in the user's units, one `RandomEffects` a grouping factor in the formula's order.

    R: ``fixef(m)``, ``vcov(m)``, ``sigma(m)``, ``VarCorr(m)``, ``ranef(m, condVar = TRUE)``, ``AIC(m)``, ``BIC(m)``.

    `variance_cov` is as in `harness.lmm.estimation.estimate`.
    """
    at, here = fit.place, fit.place.here
    n_parameters = design.n_fixed + len(fit.theta) + 1
    return LmmEstimates(
        criterion=design.criterion,
        fixed_names=design.fixed_names,
        beta=fit.beta,
        vcov=read_only(fit.sigma**2 * at.cross.fixed @ here.inverse @ at.cross.fixed.T),
        theta=fit.theta,
        random=_random_effects(at, design),
        sigma=fit.sigma,
        variance_cov=(read_only(_variance_covariance(at, design)) if fit.convergence.stop is Stop.OPTIMUM else None),
        log_likelihood=-fit.deviance / 2,
        aic=fit.deviance + 2 * n_parameters,
        bic=fit.deviance + n_parameters * float(np.log(design.n_observations)),
        n_observations=design.n_observations,
        n_subjects=design.n_subjects,
        n_parameters=n_parameters,
    )


def _random_effects(at: Place, design: LmmDesign) -> tuple[RandomEffects, ...]:
    layout = at.cross.layout
    Lambdas, units, modes = factors_at(at.theta, at.where, layout), factor_units(layout), factor_modes(at)
    found = []
    for grouping, f in _formula_order(at, design).items():
        terms = [term for term in design.random if term.grouping == grouping]
        half = at.here.sigma * units[f] @ Lambdas[f]
        found.append(
            RandomEffects(
                grouping=grouping,
                names=tuple(name for term in terms for name in term.names),
                cov=read_only(half @ half.T),
                labels=terms[0].labels,
                modes=read_only(modes[f][0]),
                modes_cov=read_only(modes[f][1]),
            )
        )
    return tuple(found)


def _formula_order(at: Place, design: LmmDesign) -> dict[str, int]:
    """Return each grouping's factor, in the order in which the formula names them."""
    factors = {factor.grouping: f for f, factor in enumerate(at.cross.layout.factors)}
    return {term.grouping: factors[term.grouping] for term in design.random}


def _variance_covariance(at: Place, design: LmmDesign) -> Matrix:
    """Return the covariance of (lower triangles of the random covariances by rows, sigma), by the delta method.

    The Hessian is that of -2 log-likelihood in (theta, sigma), beta profiled out; twice its inverse is a covariance.
    """
    here, layout = at.here, at.cross.layout
    J, sigma = len(at.theta), here.sigma
    hessian = np.empty((J + 1, J + 1))
    hessian[:J, :J] = here.log_det_2 + here.residual_2 / sigma**2
    hessian[:J, J] = hessian[J, :J] = -2 * here.residual_1 / sigma**3
    hessian[J, J] = 4 * here.df / sigma**2
    Lambdas, units, offsets = factors_at(at.theta, at.where, layout), factor_units(layout), pair_offsets(layout)
    slopes, _ = gamma_derivatives(Lambdas, at.where)
    rows = []
    for f in _formula_order(at, design).values():
        q = len(Lambdas[f])
        dGamma = slopes[:, offsets[f] : offsets[f + 1]].reshape(J, q, q)
        changes = np.concatenate([sigma**2 * dGamma, 2 * sigma * (Lambdas[f] @ Lambdas[f].T)[None]])
        a, b = np.tril_indices(q)
        rows.append((units[f] @ changes @ units[f].T)[:, a, b].T)
    jacobian = np.vstack([*rows, np.eye(J + 1)[-1:]])
    return np.asarray(2 * jacobian @ np.linalg.solve(hessian, jacobian.T))
