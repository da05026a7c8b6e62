"""The law of one outcome at any visit of a patient given its class, at many parameters at once."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import bdtr, betainc, expit, ndtr, pdtr

from harness.arrays import Matrix, Tensor, Vector
from harness.gbtm.densities.moments import GaussianMoments
from harness.gbtm.densities.random_effects import RandomEffectsDensity
from harness.gbtm.densities.rows import RowsDensity
from harness.gbtm.families.build import row_family
from harness.gbtm.families.gaussian import HALF_LOG_2PI
from harness.gbtm.families.rows import second
from harness.gbtm.model import ClassDensity
from harness.gbtm.prediction.correlated import visit_covariance
from harness.gbtm.prediction.visits import OutcomeRows
from harness.gbtm.spec import GbtmSpec


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Law:
    """Of n rows: eta (S, K, n), zeta (S, K, n or 1) or None, in the user's units."""

    eta: Tensor
    zeta: Tensor | None


def law(density: ClassDensity, own: Matrix, rows: OutcomeRows) -> Law:
    """Return the law of rows at own vectors (S, n_free); of correlated rows, that of each without the others."""
    response = density.response
    coefficients = response.scale * response.coefficients(own) + response.pooled
    eta = coefficients @ rows.X.T + rows.offset
    unit = float(np.log(response.scale))
    if isinstance(density, GaussianMoments):
        return Law(eta=eta, zeta=own[:, density.sigma_places][:, :, None] + unit)
    if isinstance(density, RandomEffectsDensity):
        variances = np.empty_like(eta)
        for patient in np.unique(rows.patient):
            here = np.flatnonzero(rows.patient == patient)
            covariance = visit_covariance(density, own, rows.time[here])
            variances[..., here] = np.diagonal(covariance, axis1=2, axis2=3)
        return Law(eta=eta, zeta=0.5 * np.log(variances))
    if not isinstance(density, RowsDensity):
        raise TypeError(f"no law of single outcomes for {type(density).__name__}")
    of_second = density.second
    if not density.family.has_second:
        return Law(eta=eta, zeta=None)
    zeta = of_second.values(own[:, response.n_coefficients :], of_second.at(rows.time))
    return Law(eta=eta, zeta=zeta + unit if of_second.role == "sigma" else zeta)


def given_earlier(density: ClassDensity, own: Matrix, rows: OutcomeRows, spec: GbtmSpec) -> Tensor:
    """Return the log density of each known row given the earlier ones of the patient, and its class, (S, K, n).

    They add up, over the first rows of a patient, to the log density of these.
    """
    if isinstance(density, RandomEffectsDensity):
        return _correlated_given_earlier(density, own, rows)
    found = law(density, own, rows)
    return np.asarray(row_family(spec.family, rows.y, spec.limits, rows.trials).log_density(found.eta, found.zeta))


def given_known(density: ClassDensity, own: Matrix, rows: OutcomeRows, earlier: OutcomeRows) -> Law:
    """Return the law of rows of one patient, given its class and the outcomes that are known of it."""
    found = law(density, own, rows)
    if not isinstance(density, RandomEffectsDensity) or not len(earlier.y):
        return found
    k = len(earlier.y)
    covariance = visit_covariance(density, own, np.concatenate([earlier.time, rows.time]))
    residual = earlier.y - law(density, own, earlier).eta
    gain = np.linalg.solve(covariance[..., :k, :k], covariance[..., :k, k:])  # (S, K, k, n)
    shift = np.einsum("sgkn,sgk->sgn", gain, residual)
    explained = np.einsum("sgkn,sgkn->sgn", gain, covariance[..., :k, k:])
    variance = np.diagonal(covariance, axis1=2, axis2=3)[..., k:] - explained
    return replace(found, eta=found.eta + shift, zeta=0.5 * np.log(variance))


def mean(spec: GbtmSpec, found: Law, trials: Vector | None) -> Tensor:
    """Return the mean of the outcome as it is observed, (S, K, n)."""
    return row_family(spec.family, np.full(found.eta.shape[-1], np.nan), spec.limits, trials).mean(
        found.eta, found.zeta
    )


def cumulative(spec: GbtmSpec, found: Law, at: Vector, trials: Vector | None) -> Tensor:
    """Return P(outcome <= at), (S, K, n), at values `at` (n,); of a censored outcome that of the latent one.

    R: ``pnorm``, ``pbinom``, ``ppois``, ``pbeta``.
    """
    eta = found.eta
    match spec.family:
        case "gaussian" | "censored_normal":
            return np.asarray(ndtr((at - eta) * np.exp(-second(found.zeta))))
        case "logit":
            of = np.ones(len(at)) if trials is None else trials
            return np.where(at < 0, 0.0, bdtr(np.clip(at, 0, of), of.astype(np.int64), expit(eta)))
        case "poisson":
            return np.where(at < 0, 0.0, pdtr(np.maximum(at, 0.0), np.exp(eta)))
        case "zip":
            extra = expit(second(found.zeta))
            return np.where(at < 0, 0.0, extra + (1 - extra) * pdtr(np.maximum(at, 0.0), np.exp(eta)))
        case "beta":
            phi = np.exp(second(found.zeta))
            return np.asarray(betainc(expit(eta) * phi, expit(-eta) * phi, np.clip(at, 0.0, 1.0)))


def _correlated_given_earlier(density: RandomEffectsDensity, own: Matrix, rows: OutcomeRows) -> Tensor:
    response = density.response
    eta = (response.scale * response.coefficients(own) + response.pooled) @ rows.X.T + rows.offset
    found = np.empty_like(eta)
    for patient in np.unique(rows.patient):
        here = np.flatnonzero(rows.patient == patient)
        L = np.linalg.cholesky(visit_covariance(density, own, rows.time[here]))
        z = np.linalg.solve(L, (rows.y[here] - eta[..., here])[..., None])[..., 0]
        found[..., here] = -HALF_LOG_2PI - np.log(np.diagonal(L, axis1=2, axis2=3)) - 0.5 * z**2
    return found
