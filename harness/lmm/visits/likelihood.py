"""The criterion, -2 log-likelihood with beta profiled out, at any covariance parameters; exact derivatives.

V_k = Sigma(gamma)[o_k, o_k] + Z_k G Z_k' for the visits o_k of pattern k.
"""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector
from harness.lmm.spec import Criterion
from harness.lmm.visits.forms import Entries, Structure
from harness.lmm.visits.statistics import BlockStatistics


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VisitModel:
    """A model with its data, in working units: rows D = [X fixed, residual / unit].

    gamma (r,) are the elements of G that are not zero, lower triangle by rows, in places (`random_rows`,
    `random_columns`); then the structure's parameters, once for each of `n_levels`. `random_spread` is a root of Z'Z/n.
    `constant` is all of the criterion that does not depend on gamma.
    """

    criterion: Criterion
    structure: Structure
    n_levels: int
    random_rows: Codes
    random_columns: Codes
    random_spread: Matrix
    blocks: tuple[BlockStatistics, ...]
    n_random: int
    n_fixed: int
    n_observations: int
    constant: float

    @property
    def n_random_parameters(self) -> int:
        """How many of gamma belong to G."""
        return len(self.random_rows)

    @property
    def n_parameters(self) -> int:
        """How long gamma is."""
        return len(self.random_rows) + self.n_levels * len(self.structure.names)

    def level_slice(self, level: int) -> slice:
        """Return where the structure's parameters of a level stand in gamma."""
        size, first = len(self.structure.names), len(self.random_rows)
        return slice(first + level * size, first + (level + 1) * size)

    def random_cov(self, gamma: Vector) -> Matrix:
        """Return G (q, q), in working units as gamma is."""
        G = np.zeros((self.n_random, self.n_random))
        G[self.random_rows, self.random_columns] = G[self.random_columns, self.random_rows] = gamma[
            : self.n_random_parameters
        ]
        return G


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """The criterion at one gamma: `value`, `gradient` (r,), `hessian` (r, r) and its expectation, the `expected` one.

    `beta` (p,) are coefficients of the columns of D, `inverse` (p, p) = (X'V^-1X)^-1 for these, `cross_1` (r, p, p) the
    derivatives of X'V^-1X. `cancellation` tells how many times larger the terms are, from which sum of squares and
    coefficients were computed, than these. `least_pivot` is the least variance of a visit that earlier visits of a
    subject do not determine, as a share of the largest variance (beside random effects, of a row's own).
    """

    value: float
    gradient: Vector
    hessian: Matrix
    expected: Matrix
    beta: Vector
    inverse: Matrix
    cross_1: Tensor
    cancellation: float
    least_pivot: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SolvedBlock:
    """A block at one gamma: `own` (s,) its parameters, inverse covariances (K, n, n), dV (s, K, n, n), V^-1 dV."""

    block: BlockStatistics
    entries: Entries
    own: Codes
    log_det: float
    least_pivot: float
    inverse: Tensor
    first: Tensor
    ratio: Tensor


def solve(gamma: Vector, model: VisitModel) -> list[SolvedBlock] | None:
    """Return all blocks at gamma, or None where some V_k is not positive definite."""
    levels = [model.structure.entries(gamma[model.level_slice(level)]) for level in range(model.n_levels)]
    try:
        return [_solved(block, levels[block.level], gamma, model) for block in model.blocks]
    except np.linalg.LinAlgError:
        return None


def _solved(block: BlockStatistics, entries: Entries, gamma: Vector, model: VisitModel) -> SolvedBlock:
    V = block.spread(entries.values, padding=1.0)
    first = block.spread(entries.first)
    g = model.n_random_parameters
    if g:
        random_1 = random_derivatives(block.Z, model)
        V = V + np.tensordot(gamma[:g], random_1, 1)
        first = np.concatenate([random_1, first])
    root = np.linalg.cholesky(V)
    pivots = np.diagonal(root, axis1=1, axis2=2)
    inner = np.linalg.inv(root)
    inverse = inner.transpose(0, 2, 1) @ inner
    own = model.level_slice(block.level)
    return SolvedBlock(
        block=block,
        entries=entries,
        own=np.concatenate([np.arange(g), np.arange(own.start, own.stop)]),
        log_det=2 * float(block.counts @ np.log(pivots).sum(axis=1)),
        least_pivot=_least_pivot(pivots, np.diagonal(V, axis1=1, axis2=2), turned=block.rotation is not None),
        inverse=inverse,
        first=first,
        ratio=inverse @ first,
    )


def _least_pivot(pivots: Matrix, variances: Matrix, *, turned: bool) -> float:
    """Return the least variance that earlier rows leave, as a share of the largest of the pattern.

    Beside random effects, whose variance may well be far larger than that of residuals, it is a share of the row's own.
    """
    return float((pivots**2 / (variances if turned else variances.max(axis=1, keepdims=True))).min())


def random_derivatives(Z: Tensor, model: VisitModel) -> Tensor:
    """Return the derivatives of Z G Z' (g, K, n, n) in the elements of G."""
    left, right = (Z.transpose(2, 0, 1)[index] for index in (model.random_rows, model.random_columns))
    products = left[..., :, None] * right[..., None, :]
    mixed = (model.random_rows != model.random_columns)[:, None, None, None]
    return np.asarray(np.where(mixed, products + products.swapaxes(-1, -2), products))


def evaluate(gamma: Vector, model: VisitModel) -> Evaluation | None:
    """Return the criterion and its derivatives at gamma (r,), or None where some V_k is not positive definite."""
    solved = solve(gamma, model)
    if solved is None:
        return None
    r, p = model.n_parameters, model.n_fixed
    M = np.zeros((1 + r, p + 1, p + 1))
    log_det = model.constant
    for part in solved:
        log_det += part.log_det
        weights = np.concatenate([part.inverse[None], -part.ratio @ part.inverse])
        sums = part.block.data.weighted(weights)
        M[0] += sums[0]
        M[1 + part.own] += sums[1:]
    A_1 = M[1:, :-1, :-1]
    reml = model.criterion == "REML"
    try:
        root = np.linalg.cholesky(M[0, :-1, :-1])
    except np.linalg.LinAlgError:  # nothing but rounding is left of some V_k
        return None
    inner = np.linalg.inv(root)
    C = inner.T @ inner
    v = np.append(-C @ M[0, :-1, -1], 1.0)
    residual = float(v @ M[0] @ v)
    F = (M[1:] @ v)[:, :-1]
    CA = C @ A_1
    traces = CA.reshape(r, -1) @ CA.swapaxes(-1, -2).reshape(r, -1).T
    bordered = np.zeros((p + 1, p + 1))
    bordered[:-1, :-1] = C

    gradient = np.zeros(r)
    hessian = -2 * F @ C @ F.T
    expected = np.zeros((r, r))
    if reml:
        log_det += 2 * float(np.log(np.diag(root)).sum())
        hessian -= traces
        expected += traces
    for part in solved:
        block, inverse = part.block, part.inverse
        fixed = inverse @ block.data.contracted(bordered) @ inverse if reml else np.zeros_like(inverse)
        both = inverse @ block.data.contracted(np.outer(v, v)) @ inverse + fixed
        counted = block.counts[:, None, None] * inverse
        slope = counted - both
        s = len(part.own)
        ratio, index = part.ratio.reshape(s, -1), np.ix_(part.own, part.own)
        gradient[part.own] += part.first.reshape(s, -1) @ slope.reshape(-1)
        hessian[index] += ratio @ (part.first @ (2 * both - counted)).reshape(s, -1).T
        expected[index] += ratio @ (part.first @ (counted - 2 * fixed)).reshape(s, -1).T
        if part.entries.second is not None:
            own = model.level_slice(block.level)
            hessian[own, own] += part.entries.second @ block.summed(slope)
    if not np.isfinite(log_det + residual + gradient.sum() + hessian.sum()):
        return None
    return Evaluation(
        value=log_det + residual,
        gradient=gradient,
        hessian=(hessian + hessian.T) / 2,
        expected=(expected + expected.T) / 2,
        beta=-v[:-1],
        inverse=C,
        cross_1=A_1,
        cancellation=max(float(M[0, -1, -1]) / residual, float(np.trace(M[0, :-1, :-1]) * np.trace(C)) / p**2),
        least_pivot=min(part.least_pivot for part in solved if part.block.counts[0] > 0),  # barriers are no subjects
    )
