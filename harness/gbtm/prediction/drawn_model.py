"""A fit at its estimates and at draws from their distribution, so that predictions can carry its uncertainty."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix
from harness.gbtm.account import GbtmFit
from harness.gbtm.design import GbtmDesign
from harness.gbtm.estimation import covariance_refusal
from harness.gbtm.mixture import Mixture
from harness.gbtm.uncertainty import CovarianceKind, free_covariance

DRAWS = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """A fit at free vectors (S, P) of its mixture: the estimates first, then draws."""

    design: GbtmDesign
    mixture: Mixture
    vectors: Matrix


def model_of(
    fit: GbtmFit,
    design: GbtmDesign,
    *,
    draws: int = DRAWS,
    seed: int = 1,
    kind: CovarianceKind = "observed information",
) -> Model:
    """Return a fit with draws from the normal distribution of its free vector; without any where there is none.

    Parameters without a maximum stay at their estimates.
    """
    mixture = design.mixture_of(fit.class_kinds)
    vectors = fit.vector[None]
    if draws and not covariance_refusal(fit):
        values, axes = np.linalg.eigh(free_covariance(fit.vector, mixture, kind))
        z = np.random.default_rng(seed).standard_normal((draws, len(values)))
        drawn = fit.vector + (z * np.sqrt(np.maximum(values, 0.0))) @ axes.T
        vectors = np.concatenate([vectors, np.maximum(drawn, mixture.lower)])
    return Model(design=design, mixture=mixture, vectors=vectors)
