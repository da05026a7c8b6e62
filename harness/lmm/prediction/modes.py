"""Conditional modes of the random effects, with both of their variances."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, read_only
from harness.errors import Problem, SpecError, nearest
from harness.lmm.prediction.distribution import Distribution, Loadings
from harness.lmm.prediction.occasions import LARGEST_BLOCK, Occasions, RandomRows, batches, joined
from harness.lmm.prediction.posterior import Known


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Modes:
    """Modes (m, q) of one random part, by level.

    `conditional_cov` (m, q, q) is Var(b | y) given beta, lme4's ``postVar``; `prediction_cov` (m, q, q) is the variance
    of b_hat - b, which includes the error of beta_hat: SAS's "Std Err Pred" is the root of its diagonal.
    """

    modes: Matrix
    conditional_cov: Tensor
    prediction_cov: Tensor


def part_of(groupings: Sequence[str], wanted: str | None) -> int:
    """Return the place of the random part of a grouping factor; of the first, where none is named.

    Raises
    ------
    SpecError
        If the model has no random effects, or none by this factor.
    """
    if not groupings:
        raise SpecError("modes", [Problem(found="no random effects", expected="a model with some")])
    if wanted is None:
        return 0
    if wanted not in groupings:
        expected, advice = f"one of {', '.join(map(repr, groupings))}", nearest(str(wanted), groupings)
        problem = Problem(found=f"grouping factor {wanted!r:.60}", expected=expected, advice=advice)
        raise SpecError("modes", [problem])
    return groupings.index(wanted)


def modes(distribution: Distribution, at: Occasions, part: int, n_levels: int) -> Modes:
    """Return the modes of one random part given all measured rows; levels without any keep mean 0 and covariance G."""
    q, p = at.random[part].Z.shape[1], at.X.shape[1]
    levels = np.repeat(np.arange(n_levels), q)
    units = joined(at, _unit_rows(at, part, levels, p))
    given = np.arange(units.n_rows) < at.n_rows
    block = units.blocks()
    loadings = Loadings(distribution, units, block)
    values, conditional, prediction = np.zeros((n_levels, q)), np.zeros((n_levels, q, q)), np.zeros((n_levels, q, q))
    for o, a in batches(block, (given & units.measured, ~given), np.inf if distribution.independent else LARGEST_BLOCK):
        F_o, F_a = loadings.of(o, a)
        mode, own, whole = Known(distribution, units, o, F_o).random_effects(F_a)
        level = levels[a - at.n_rows].reshape(len(a), -1, q)[:, :, 0]
        values[level] = mode.reshape(*level.shape, q)
        for target, covariance in ((conditional, own), (prediction, whole)):
            by_level = covariance.reshape(len(a), level.shape[1], q, level.shape[1], q)
            target[level] = np.einsum("gkakb->gkab", by_level)
    return Modes(modes=read_only(values), conditional_cov=read_only(conditional), prediction_cov=read_only(prediction))


def _unit_rows(at: Occasions, part: int, levels: Codes, p: int) -> Occasions:
    """Return rows whose mean is one random effect each: X = 0, Z a unit vector, and no other random part."""
    n, q = len(levels), at.random[part].Z.shape[1]
    zero = np.zeros(n, dtype=np.int64)
    seen, first = np.unique(at.random[part].codes, return_index=True)
    random = []
    for k, one in enumerate(at.random):
        # Where Z is zero the level means nothing; one that occurs with this one joins no further blocks.
        beside = int(one.codes.max(initial=-1)) + 1 + np.arange(n)
        place = np.clip(np.searchsorted(seen, levels), 0, len(seen) - 1)
        beside = np.where(seen[place] == levels, one.codes[first[place]], beside)
        Z = np.tile(np.eye(q), (n // q, 1)) if k == part else np.zeros((n, one.Z.shape[1]))
        random.append(RandomRows(Z=Z, codes=levels if k == part else beside))
    return Occasions(
        X=np.zeros((n, p)),
        random=tuple(random),
        outcome=np.full(n, np.nan),
        weights=np.ones(n),
        residual_subject=int(at.residual_subject.max(initial=-1)) + 1 + np.arange(n),
        residual_level=zero,
        visit=np.zeros(n),
        has_residual_structure=False,
    )
