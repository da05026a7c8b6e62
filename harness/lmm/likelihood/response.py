"""The same model fitted to other outcomes: only what belongs to y in the statistics is computed anew.

In the coordinates of a fit D = [X fixed, y - X beta]; of S and T only the last row and column change, which costs one
rotation of n numbers. The search starts from the fit.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dposv

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only
from harness.convergence import Stop
from harness.lmm.certificate import SINGULAR_SD
from harness.lmm.conditioning import Conditioned
from harness.lmm.covariance import theta_of
from harness.lmm.design import LmmDesign
from harness.lmm.evaluation import evaluate
from harness.lmm.fit import LmmFit
from harness.lmm.newton import Descent, descend
from harness.lmm.patterns import SufficientStatistics, symmetric_index, upper_triangle

# Newton squares the decrement with each step: after the one that is taken at this size, nothing is left of it.
_DECREMENT = 1e-6
_ROUNDING = 1e-12
_STEPS = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refit:
    """The fit of another outcome, in the user's units; `stop` says how the search ended."""

    theta: Vector
    beta: Vector
    sigma: float
    random_cov: Matrix
    deviance: float
    stop: Stop


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sized:
    """Subjects with equally many rows: `rows` (g, size), `rotation` (g, size, size), of which `rank` rows see Z."""

    places: Codes
    rows: Codes
    rotation: Tensor
    rank: int

    def rotated(self, values: Matrix) -> tuple[Tensor, Matrix]:
        """Return values (n, k) of these rows, rotated: those that see Z (g, rank, k), and the others (rest, k)."""
        turned = self.rotation @ values[self.rows]
        return turned[:, : self.rank], turned[:, self.rank :].reshape(-1, values.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResponseModel:
    """A fitted model, ready to be fitted to other outcomes.

    `seen` (m, q, p) and `unseen` (rest, p) are the rotated columns X fixed of subjects in the order of their patterns,
    which begin at `starts` (K,). `mean` (n,) is X beta of the fit, `roots` (n,) the roots of the weights or 1.
    """

    fit: LmmFit
    statistics: SufficientStatistics
    sizes: tuple[_Sized, ...]
    seen: Tensor
    unseen: Matrix
    starts: Codes
    mean: Vector
    roots: Vector | float
    blocks: tuple[int, ...]
    conditioned: Conditioned

    @property
    def original(self) -> Refit:
        """The fit itself."""
        fit, factor = self.fit, self.fit.statistics.coordinates.user_factor(self.fit.Lambda)
        return Refit(
            theta=fit.theta,
            beta=fit.beta,
            sigma=fit.sigma,
            random_cov=fit.sigma**2 * factor @ factor.T,
            deviance=fit.deviance,
            stop=fit.convergence.stop,
        )

    def refit(self, y: Vector) -> Refit:
        """Return the fit of another outcome y (n,) of the same rows. R: ``refit(m, y)``."""
        # Far from the fit, most of y - X beta may lie in the span of X: there it is, exactly, a shift of beta.
        residual = self.roots * (y - self.mean)
        projected = self.conditioned.D[:, :-1].T @ residual
        statistics = self._statistics(residual - self.conditioned.D[:, :-1] @ projected)
        descent = _straight(statistics, self.fit.Lambda) or descend(statistics, self.fit.Lambda)
        coordinates, here = statistics.coordinates, descent.evaluation
        moved = coordinates.fixed @ here.beta
        factor = descent.statistics.coordinates.user_factor(descent.Lambda)
        least = np.linalg.svd(descent.statistics.spread @ descent.Lambda, compute_uv=False)[-1]
        regular = Stop.OPTIMUM if least >= SINGULAR_SD else Stop.SINGULAR
        return Refit(
            theta=theta_of(factor, self.blocks),
            beta=coordinates.origin + solve_triangular(self.conditioned.triangle, projected) + moved,
            sigma=here.sigma,
            random_cov=here.sigma**2 * factor @ factor.T,
            deviance=here.value,
            stop=regular if descent.finished else Stop.ITERATION_LIMIT,
        )

    def _statistics(self, residual: Vector) -> SufficientStatistics:
        """Return the statistics of D = [X fixed, residual]."""
        m, q, p = self.seen.shape
        U, rest = np.zeros((m, q, 1)), []
        for sized in self.sizes:
            U[sized.places, : sized.rank], unseen = sized.rotated(residual[:, None])
            rest.append(unseen[:, 0])
        W = np.concatenate(rest)
        S, T = self.statistics.S.copy(), self.statistics.T.copy()
        S[-1, :-1] = S[:-1, -1] = W @ self.unseen
        S[-1, -1] = W @ W
        T[:, symmetric_index(p + 1)[:, p]] = _folded(np.concatenate([self.seen, U], axis=2), U, self.starts)
        return replace(self.statistics, S=S, T=T)


def response_model(design: LmmDesign, fit: LmmFit) -> ResponseModel:
    """Return a fit of one grouping factor as a model that other outcomes can be fitted to."""
    old, coordinates = fit.statistics, fit.statistics.coordinates
    X = design.scaled.X @ coordinates.fixed if coordinates.adapted else design.conditioned.D[:, :-1]
    order = np.argsort(old.pattern, kind="stable")
    starts = np.searchsorted(old.pattern[order], np.arange(len(old.counts)))
    m, q, p = len(order), old.n_random, design.n_fixed
    R, seen, unseen = np.zeros((len(starts), q, q)), np.zeros((m, q, p)), []
    sizes = tuple(_by_size(design, design.scaled.Z @ coordinates.random, old.pattern, order, R))
    for sized in sizes:
        seen[sized.places, : sized.rank], rest = sized.rotated(X)
        unseen.append(rest)
    W = np.concatenate(unseen)
    S, T = np.zeros((p + 1, p + 1)), np.zeros((len(starts) * q * (q + 1) // 2, (p + 1) * (p + 2) // 2))
    S[:-1, :-1] = W.T @ W
    for j in range(p):
        T[:, symmetric_index(p + 1)[: j + 1, j]] = _folded(seen[:, :, : j + 1], seen[:, :, j, None], starts)
    return ResponseModel(
        fit=fit,
        statistics=replace(
            old,
            S=read_only(S),
            T=read_only(T),
            R=read_only(R),
            coordinates=replace(coordinates, origin=fit.beta),
        ),
        sizes=sizes,
        seen=read_only(seen),
        unseen=read_only(W),
        starts=read_only(starts),
        mean=read_only(design.X @ fit.beta),
        roots=1.0 if design.weights is None else read_only(np.sqrt(design.weights)),
        blocks=design.blocks,
        conditioned=design.conditioned,
    )


def _straight(statistics: SufficientStatistics, Lambda: Matrix) -> Descent | None:
    """Return where a few whole steps of Newton's method end, or None where they need more care.

    From the fit of the same model they mostly do not: a replicate lies a few standard errors away.
    """
    here = evaluate(Lambda, statistics)
    for iteration in range(1, _STEPS + 1):
        gradient = here.gradient
        _, step, indefinite = dposv(here.hessian, -gradient)
        decrement = float(-gradient @ step)
        Lambda = Lambda + statistics.layout.factor(step)
        there = evaluate(Lambda, statistics)
        if indefinite or there.value > here.value - decrement / 4 + _ROUNDING * abs(here.value):
            return None
        here = there
        if decrement < _DECREMENT:
            return Descent(statistics=statistics, Lambda=Lambda, evaluation=here, iterations=iteration, finished=True)
    return None


def _by_size(design: LmmDesign, Z: Matrix, pattern: Codes, order: Codes, R: Tensor) -> Iterator[_Sized]:
    """Yield subjects by their number of rows, each with the rotation of its pattern, and set the patterns' R."""
    sizes = np.diff(design.starts)[order]
    for size in np.unique(sizes).tolist():
        places = np.flatnonzero(sizes == size)
        rows = design.starts[order[places], None] + np.arange(size)
        kinds, first, which = np.unique(pattern[order[places]], return_index=True, return_inverse=True)
        Q, triangle = np.linalg.qr(Z[rows[first]], mode="complete")
        rank = min(size, Z.shape[1])
        R[kinds, :rank] = triangle[:, :rank]
        rotation = np.ascontiguousarray(Q.transpose(0, 2, 1)[which])
        yield _Sized(places=read_only(places), rows=read_only(rows), rotation=read_only(rotation), rank=rank)


def _folded(left: Tensor, right: Tensor, starts: Codes) -> Matrix:
    """Return sums over the subjects of each pattern, for a <= b: left_a right_b + left_b right_a, or one if a = b."""
    a, b = upper_triangle(left.shape[1])
    products = left[:, a] * right[:, b]
    off = a < b
    products[:, off] += left[:, b[off]] * right[:, a[off]]
    return np.add.reduceat(products, starts, axis=0).reshape(-1, left.shape[2])
