"""Each outcome of a dual model alone: its marginal class shares and its densities, as a mixture of its own."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Vector
from harness.gbtm.membership import membership_of
from harness.gbtm.mixture import Mixture
from harness.gbtm.several.dual_design import DualDesign, no_factors
from harness.gbtm.several.tied import Tied


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Margin:
    """P parameters of the dual model, M of the margin.

    Attributes
    ----------
    mixture, vector
        Of the outcome alone: log-odds of its marginal shares, then the own vectors of its densities (M,).
    jacobian : (M, P)
        d vector / d the free vector of the dual model.
    places : (M,)
        Which parameter of the dual model each is; -1 for log-odds.
    """

    mixture: Mixture
    vector: Vector
    jacobian: Matrix
    places: Codes


def margins(vector: Vector, mixture: Mixture, design: DualDesign) -> tuple[Margin, Margin]:
    """Return both margins of a dual model at a free vector (P,) of one of its mixtures."""
    J, K = design.shape
    count = len(design.first.mixture.densities)
    joint = joint_shares(vector, mixture, design)
    slopes = joint_slopes(vector, mixture).reshape(J, K, -1)
    return (
        _margin(vector, mixture, range(count), joint.sum(axis=1), slopes.sum(axis=1)),
        _margin(vector, mixture, range(count, len(mixture.densities)), joint.sum(axis=0), slopes.sum(axis=0)),
    )


def joint_shares(vector: Vector, mixture: Mixture, design: DualDesign) -> Matrix:
    """Return pi_jk, (J, K)."""
    theta = vector[None, : mixture.membership.n_free]
    return np.asarray(np.exp(mixture.membership.log_shares(theta))[0, :, 0].reshape(design.shape))


def joint_slopes(vector: Vector, mixture: Mixture) -> Matrix:
    """Return d pi_jk / d the log-odds of the cells, (J K, J K - 1)."""
    return mixture.membership.share_jacobian(vector[: mixture.membership.n_free], mixture.weights)


def _margin(vector: Vector, mixture: Mixture, numbers: range, shares: Vector, slopes: Matrix) -> Margin:
    densities = [density.inner for density in mixture.densities if isinstance(density, Tied)]
    alone = Mixture(
        membership=membership_of(no_factors(len(mixture.weights)), len(shares)),
        densities=tuple(densities[k] for k in numbers),
        weights=mixture.weights,
    )
    n_odds, unit = alone.membership.n_free, alone.membership.W[0, 0]
    log_shares = np.log(shares)
    places = [np.arange(mixture.n_free)[mixture.parts[k]] for k in numbers]
    own = np.concatenate(places)
    jacobian = np.zeros((n_odds + len(own), mixture.n_free))
    by_share = slopes / shares[:, None]
    jacobian[:n_odds, : slopes.shape[1]] = (by_share[:-1] - by_share[-1]) / unit
    jacobian[n_odds + np.arange(len(own)), own] = 1.0
    return Margin(
        mixture=alone,
        vector=np.concatenate([(log_shares[:-1] - log_shares[-1]) / unit, vector[own]]),
        jacobian=jacobian,
        places=np.concatenate([np.full(n_odds, -1), own]),
    )
