"""From the optimum to estimates, standard errors and conditional modes, with several grouping factors."""

from collections.abc import Iterator

import numpy as np

from harness.arrays import Tensor, read_only
from harness.convergence import Stop
from harness.lmm.crossed.evaluation import gamma_derivatives
from harness.lmm.crossed.fit import CrossedFit
from harness.lmm.crossed.layout import factors_at, pair_offsets
from harness.lmm.crossed.modes import factor_modes, factor_units
from harness.lmm.crossed.newton import Place
from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates, RandomEffects
from harness.lmm.estimation import covariance_slopes, variance_covariance


def estimate(fit: CrossedFit, design: LmmDesign) -> LmmEstimates:
    """Return all estimates of a fit in the user's units, one `RandomEffects` a grouping factor in the formula's order.

    R: ``fixef(m)``, ``vcov(m)``, ``sigma(m)``, ``VarCorr(m)``, ``ranef(m, condVar = TRUE)``, ``AIC(m)``, ``BIC(m)``.

    `variance_cov` is as in `harness.lmm.estimation.estimate`.
    """
    at, here = fit.place, fit.place.here
    slopes = list(_slopes(at, design))
    n_parameters = design.n_fixed + len(fit.theta) + 1
    return LmmEstimates(
        criterion=design.criterion,
        fixed_names=design.fixed_names,
        beta=fit.beta,
        vcov=read_only(fit.sigma**2 * at.cross.fixed @ here.inverse @ at.cross.fixed.T),
        theta=fit.theta,
        random=_random_effects(at, design),
        sigma=fit.sigma,
        variance_cov=read_only(variance_covariance(here, slopes)) if fit.convergence.stop is Stop.OPTIMUM else None,
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


def _slopes(at: Place, design: LmmDesign) -> Iterator[Tensor]:
    """Yield the derivatives (J + 1, q, q) of each factor's G, as `covariance_slopes` gives them."""
    layout = at.cross.layout
    Lambdas, units, offsets = factors_at(at.theta, at.where, layout), factor_units(layout), pair_offsets(layout)
    pairs, _ = gamma_derivatives(Lambdas, at.where)
    for f in _formula_order(at, design).values():
        gamma_1 = pairs[:, offsets[f] : offsets[f + 1]].reshape(len(pairs), *Lambdas[f].shape)
        yield covariance_slopes(gamma_1, Lambdas[f], units[f], at.here.sigma)
