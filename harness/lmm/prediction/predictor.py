"""What prediction needs of a fit: its distribution, its columns as trained, and its rows."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Vector, read_only
from harness.lmm.design import LmmDesign
from harness.lmm.estimates import LmmEstimates
from harness.lmm.prediction.distribution import (
    ContinuousResidual,
    Distribution,
    IndependentResidual,
    Residual,
    VisitResidual,
)
from harness.lmm.prediction.occasions import Occasions, RandomRows
from harness.lmm.prediction.trained import Trained, TrainedResidual, random_parts, trained
from harness.lmm.spec import LmmSpec


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictor:
    """A fitted model, ready to predict: its distribution, its columns and, unless it was stored without, its rows.

    `known` has, for each random part and then for the residual's subjects, the labels of the codes of `fitted`.
    """

    distribution: Distribution
    columns: Trained
    fitted: Occasions | None = None
    known: tuple[tuple[str, ...], ...] = ()


def predictor(spec: LmmSpec, design: LmmDesign, estimates: LmmEstimates) -> Predictor:
    """Return the predictor of a fit, whichever engine made it."""
    columns = trained(spec, design, estimates)
    known = [parts[0].labels for parts in random_parts(design)]
    if columns.residual is not None:
        known.append(design.frame.levels[columns.residual.subject])
    return Predictor(
        distribution=distribution_of(design, estimates),
        columns=columns,
        fitted=fitted_occasions(design, columns.residual),
        known=tuple(known),
    )


def distribution_of(design: LmmDesign, estimates: LmmEstimates) -> Distribution:
    """Return the distribution of outcomes that estimates describe; random parts in the order of the formula."""
    order = {one.grouping: one for one in estimates.random}
    parts = random_parts(design)
    named = estimates.random if len(parts) == 1 else [order[part[0].grouping] for part in parts]
    return Distribution(
        beta=estimates.beta,
        vcov=estimates.vcov,
        random_cov=tuple(one.cov for one in named),
        residual=_residual_of(design, estimates),
    )


def fitted_occasions(design: LmmDesign, residual: TrainedResidual | None) -> Occasions:
    """Return the rows of the fit; `residual` is of its residual structure."""
    n = design.n_observations
    visit, level, subject = np.zeros(n), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    if residual is not None:
        visit, level = residual.places(design.frame), residual.level_codes(design.frame)
        subject = design.frame.codes[residual.subject]
    return Occasions(
        X=design.X,
        random=tuple(
            RandomRows(Z=np.concatenate([one.Z for one in parts], axis=1), codes=parts[0].codes)
            for parts in random_parts(design)
        ),
        outcome=design.y,
        weights=np.ones(n) if design.weights is None else design.weights,
        residual_subject=subject,
        residual_level=level,
        visit=visit,
        has_residual_structure=residual is not None,
    )


def _residual_of(design: LmmDesign, estimates: LmmEstimates) -> Residual:
    if design.residual is None:
        if estimates.sigma is None:
            raise ValueError("estimates without a residual structure have a sigma")
        return IndependentResidual(variance=estimates.sigma**2)
    if design.residual.structure == "car1":
        variances, phi = _continuous(estimates)
        return ContinuousResidual(variances=variances, phi=phi)
    return VisitResidual(matrices=read_only(np.stack([one.cov for one in estimates.residual])))


def _continuous(estimates: LmmEstimates) -> tuple[Vector, Vector]:
    """Return variances and correlations at distance 1, one a level: the parameters alternate."""
    values = np.array(list(estimates.residual_parameters.values()))
    return values[0::2], values[1::2]
