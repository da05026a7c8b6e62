"""From the optimum to estimates and conditional modes, where residuals covary over visits."""

import numpy as np

from harness.arrays import Matrix, Tensor, read_only
from harness.convergence import Stop
from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates, RandomEffects, ResidualCovariance
from harness.lmm.visits.coordinates import g_places
from harness.lmm.visits.fit import VisitFit
from harness.lmm.visits.parts import parameter_covariance


def estimate(fit: VisitFit, design: LmmDesign) -> LmmEstimates:
    """Return all estimates of a fit in the user's units; sigma is part of the residual parameters.

    R: ``mmrm::component(m, c("beta_est", "beta_vcov", "varcor", "AIC"))``, though AIC counts other parameters there.

    `variance_cov` is twice the inverse of the observed information in gamma; None unless the fit is a regular optimum.
    """
    parts = fit.satterthwaite_parts()
    n_parameters = design.n_fixed + len(fit.gamma)
    n_random = sum(size * (size + 1) // 2 for size in design.blocks)
    levels = [None] if design.residual is None or design.residual.by is None else list(fit.covariances)
    return LmmEstimates(
        criterion=design.criterion,
        fixed_names=design.fixed_names,
        beta=fit.beta,
        vcov=read_only(parts.fixed @ parts.phi @ parts.fixed.T),
        theta=fit.gamma,
        random=_random_effects(fit, design),
        sigma=None,
        residual=tuple(
            ResidualCovariance(level=level, visits=fit.visits, cov=cov)
            for level, cov in zip(levels, fit.covariances.values(), strict=bool(fit.covariances))
        ),
        residual_parameters=dict(zip(fit.names[n_random:], fit.gamma[n_random:].tolist(), strict=True)),
        variance_cov=read_only(_variance_covariance(fit, design)) if fit.convergence.stop is Stop.OPTIMUM else None,
        log_likelihood=-fit.deviance / 2,
        aic=fit.deviance + 2 * n_parameters,
        bic=fit.deviance + n_parameters * float(np.log(design.n_observations)),
        n_observations=design.n_observations,
        n_subjects=design.n_subjects,
        n_parameters=n_parameters,
    )


def _random_effects(fit: VisitFit, design: LmmDesign) -> tuple[RandomEffects, ...]:
    if not design.n_random:
        return ()
    modes, modes_cov = _modes(fit, design)
    return (
        RandomEffects(
            grouping=design.random[0].grouping,
            names=design.random_names,
            cov=fit.random_cov,
            labels=design.subject_labels,
            modes=read_only(modes),
            modes_cov=read_only(modes_cov),
        ),
    )


def _modes(fit: VisitFit, design: LmmDesign) -> tuple[Matrix, Tensor]:
    """Return modes G Z_i' V_i^-1 (y_i - X_i beta) (m, q) and their variances G - G Z_i' V_i^-1 Z_i G (m, q, q)."""
    residuals = design.y - design.X @ fit.beta
    m, q, G = design.n_subjects, design.n_random, fit.random_cov
    modes, modes_cov = np.empty((m, q)), np.empty((m, q, q))
    for i, (rows, V) in enumerate(fit.marginal_covariances(design)):
        loading = design.Z[rows] @ G
        gain = _solved(V, loading).T
        modes[i], modes_cov[i] = gain @ residuals[rows], G - gain @ loading
    return modes, modes_cov


def _solved(V: Matrix, right: Matrix) -> Matrix:
    """Return V^-1 right; where a search ended beyond the last covariance that can be inverted, by least squares."""
    try:
        return np.asarray(np.linalg.solve(V, right), dtype=float)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(V, right, rcond=None)[0], dtype=float)


def _variance_covariance(fit: VisitFit, design: LmmDesign) -> Matrix:
    """Return the covariance of (lower triangle of G by rows, zero between blocks; then the residual parameters)."""
    own = parameter_covariance(fit.prepared, fit.coordinates.gamma(fit.x))
    q = design.n_random
    rows, columns = g_places(design.blocks)
    place = {pair: k for k, pair in enumerate(zip(rows.tolist(), columns.tolist(), strict=True))}
    lower = list(zip(*(index.tolist() for index in np.tril_indices(q)), strict=True))
    kept = [k for k, pair in enumerate(lower) if pair in place]
    kept += range(len(lower), len(lower) + len(own) - len(place))
    order = [place[pair] for pair in lower if pair in place] + list(range(len(place), len(own)))
    full = np.zeros((len(lower) + len(own) - len(place),) * 2)
    full[np.ix_(kept, kept)] = own[np.ix_(order, order)]
    return full
