"""Covariance of the fixed effects that does not rely on the model's covariance: clustered by subject.

CR0 is Liang & Zeger's (1986); CR2 is Bell & McCaffrey's (2002), unbiased if the model's V is right, with the degrees of
freedom that V gives it (Pustejovsky & Tipton 2018). R: ``clubSandwich::vcovCR(m, type = "CR2")``, ``coef_test``.

Subjects with equal X_i and V_i share all matrices but their residuals.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.linalg import solve_triangular

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only
from harness.errors import Problem, SpecError
from harness.lmm.design import LmmDesign
from harness.lmm.fitted import Fitted
from harness.lmm.inference.degrees import FTest, wald_ratio
from harness.lmm.inference.fixed_effects import FixedEffects, effects_of
from harness.lmm.inference.methods import Method

Kind = Literal["CR0", "CR2"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# Of 1 - h: a combination of a subject's rows that the fixed effects fit exactly has no residual to adjust.
_FITTED = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sandwich:
    """The robust `covariance` (p, p) of the working coefficients, from a score G_i (y_i - X_i beta) of each subject.

    For each distinct (X_i, V_i): `spreads` (k, p, p) are G V G', `reaches` (k, p, p) are G X, `counts` (k,) subjects.
    `bread` (p, p) is (X'V^-1 X)^-1.
    """

    covariance: Matrix
    bread: Matrix
    spreads: Tensor
    reaches: Tensor
    counts: Codes

    def of_rows(self, rows: Matrix) -> Vector:
        """Return tr(P)^2 / tr(P^2) of each row, P (m, m) the covariance of its subjects' scores if V is right."""
        carried = rows @ self.bread
        own = np.einsum("kp,upq,kq->ku", carried, self.spreads, carried)
        reached = np.einsum("kp,upq->kuq", carried, self.reaches)
        hat = np.einsum("kup,pq,kuq->ku", reached, self.bread, reached)
        across = np.einsum("kup,kuq,u->kpq", reached, reached, self.counts) @ self.bread
        squares = (own**2 - 2 * own * hat) @ self.counts + np.einsum("kpq,kqp->k", across, across)
        # Where every subject's own combination is fitted exactly, nothing is left to count.
        df = np.full(len(rows), np.nan)
        np.divide(((own - hat) @ self.counts) ** 2, squares, out=df, where=squares > 0)
        return df

    def of_all(self, rows: Matrix, estimates: Vector) -> FTest:
        """Return Wald's statistic divided by its rank, on (rank, subjects - 1)."""
        F, rank = wald_ratio(rows, estimates, self.covariance)
        return FTest(F=F, df1=rank, df2=float(self.counts.sum() - 1), scaling=1.0)


def robust_effects(fit: Fitted, design: LmmDesign, kind: Kind = "CR2") -> FixedEffects:
    """Return the fixed effects with sandwich standard errors, ready for contrasts, tables and F tests.

    R: ``clubSandwich::vcovCR(m, type = "CR2")`` is the `vcov` of the result.

    Raises
    ------
    SpecError
        If there is no such kind, or if the rows do not fall into independent subjects.
    """
    if kind not in KINDS:
        raise SpecError("robust covariance", [Problem(found=f"the kind {kind!r}", expected="'CR0' or 'CR2'")])
    Q, triangle = np.linalg.qr(design.X)
    residual = design.y - design.X @ fit.beta
    return effects_of(
        fit,
        design,
        working=read_only(np.asarray(solve_triangular(triangle, np.eye(len(triangle))))),
        degrees=sandwich(Q, residual, fit.marginal_covariances(design), kind),
        method=Method(
            name=f"{kind} sandwich by subject",
            information="none",
            order="none",
            parametrisation="none",
        ),
    )


def sandwich(X: Matrix, residual: Vector, blocks: Iterator[tuple[Codes, Matrix]], kind: Kind) -> Sandwich:
    """Return the sandwich of independent blocks: their rows (n_i,) and V_i (n_i, n_i).

    Raises
    ------
    SpecError
        If there are not at least two blocks, or a V_i is singular, as where the likelihood has no maximum.
    """
    try:
        stacks = list(_stacks(X, blocks))
    except np.linalg.LinAlgError:
        found = "a subject whose covariance is singular at the end of the search"
        expected = "a fit with covariances that can be inverted"
        raise SpecError("robust covariance", [Problem(found=found, expected=expected)]) from None
    if sum(len(stack.rows) for stack in stacks) < 2:
        found = "rows that all depend on each other, as crossed grouping factors make them"
        expected = "independent subjects to cluster by"
        raise SpecError("robust covariance", [Problem(found=found, expected=expected)])
    p = X.shape[1]
    cross = np.zeros((p, p))
    for stack in stacks:
        white = stack.white
        cross += np.einsum("unp,unq,u->pq", white, white, stack.counts)
    bread = np.asarray(np.linalg.inv(cross))
    meat = np.zeros((p, p))
    spreads, reaches = [], []
    for stack in stacks:
        gains = stack.gains(bread, kind)  # (k, p, n)
        scores = np.einsum("upn,un->up", gains[stack.pattern], residual[stack.rows])
        meat += scores.T @ scores
        half = gains @ stack.roots
        spreads.append(half @ half.swapaxes(1, 2))
        reaches.append(gains @ stack.X)
    return Sandwich(
        covariance=read_only(bread @ meat @ bread),
        bread=read_only(bread),
        spreads=read_only(np.concatenate(spreads)),
        reaches=read_only(np.concatenate(reaches)),
        counts=read_only(np.concatenate([stack.counts for stack in stacks])),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Stack:
    """Subjects of one size n: their `rows` (g, n), which distinct `X` (k, n, p) and `roots` (k, n, n) each one has.

    V = roots roots'; `counts` (k,) are subjects.
    """

    rows: Codes
    pattern: Codes
    counts: Codes
    X: Tensor
    roots: Tensor

    @property
    def white(self) -> Tensor:
        """L^-1 X (k, n, p)."""
        return np.asarray(np.linalg.solve(self.roots, self.X))

    def gains(self, bread: Matrix, kind: Kind) -> Tensor:
        """Return G (k, p, n): X'V^-1 for CR0, X'V^-1 A for CR2, A (V - X bread X') A = V with A symmetric.

        A = L (L'L (I - h) L'L)^-1/2 L', V = LL', h the hat matrix of L^-1 X; by singular values of a root, since
        squares would lose half of the digits.
        """
        L, upper = self.roots, self.roots.swapaxes(1, 2)
        white = self.white
        if kind == "CR0":
            return np.asarray(np.linalg.solve(upper, white).swapaxes(1, 2))
        left, axes = np.linalg.eigh(np.eye(L.shape[1]) - white @ bread @ white.swapaxes(1, 2))
        kept = left > _FITTED
        U, sizes, _ = np.linalg.svd(upper @ L @ (axes * np.sqrt(np.where(kept, left, 0.0))[:, None, :]))
        # As many singular values vanish as were not kept; the order of both is by size.
        shares = np.divide(1.0, sizes, out=np.zeros_like(sizes), where=np.sort(kept, axis=1)[:, ::-1])
        return np.asarray(white.swapaxes(1, 2) @ (U * shares[:, None, :]) @ (U.swapaxes(1, 2) @ upper))


def _stacks(X: Matrix, blocks: Iterator[tuple[Codes, Matrix]]) -> Iterator[_Stack]:
    by_size: dict[int, list[tuple[Codes, Matrix]]] = {}
    for rows, V in blocks:
        by_size.setdefault(len(rows), []).append((rows, V))
    for members in by_size.values():
        rows = np.array([one for one, _ in members])
        V = np.array([one for _, one in members])
        own = X[rows]
        flat = np.concatenate([own.reshape(len(rows), -1), V.reshape(len(rows), -1)], axis=1)
        _, first, pattern, counts = np.unique(flat, axis=0, return_index=True, return_inverse=True, return_counts=True)
        yield _Stack(
            rows=rows,
            pattern=pattern.reshape(-1),
            counts=counts,
            X=own[first],
            roots=np.asarray(np.linalg.cholesky(V[first])),
        )
