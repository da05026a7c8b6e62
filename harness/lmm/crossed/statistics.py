"""One pass over the data: the cross products that carry the whole likelihood.

The factor with most columns is eliminated level by level. A QR of each of its levels' Z splits the rows of that level
into U, which see its random effects, and W, which never do, so that for [Z_2 D], Z_2 the columns of all other factors,

    [Z_2 D]'(I + Z_1 Gamma_1 Z_1')^-1 [Z_2 D] = S + sum_l U_l' H_l U_l,    H_l = (I + R_l Gamma_1 R_l')^-1,

a sum of positive semidefinite terms; what is left has the size of the other factors.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solve_triangular

from harness.arrays import Codes, Matrix, Tensor, Vector, read_only
from harness.lmm.checks import EXACT_FIT
from harness.lmm.covariance import upper_factor
from harness.lmm.crossed.layout import Factor, Layout
from harness.lmm.crossed.sparse import Columns, dense, dense_product, matrix_of, rows_product, times, transposed_times
from harness.lmm.design import LmmDesign, Rows
from harness.lmm.evaluation import Evaluation
from harness.lmm.spec import Criterion
from harness.lmm.twofold import plus_product, product, twofold

_ROUNDING = 1e-15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """The cross products of rows that share no level with any other row; c = p + 1 columns of D.

    `levels` are the codes (L_f,) of each factor's levels that occur here. Of the factor that is eliminated, L levels
    of q random effects: `R` (L, q, q), `U_D` (L, q, c) and, for each of the q rows of U, `U_2` (L, k). Of the
    others, k columns: `S_22` (k, k), `S_2D` (k, c), `S_DD` (c, c); `columns` (q_f, L_f) are those of each other factor.
    `root` (k + c, k + c), upper triangular, has root'root = S, from the rows themselves: S as a matrix of squares has
    lost what is small in them. It is None until it is needed.
    """

    rows: Codes
    levels: tuple[Codes, ...]
    columns: tuple[Codes, ...]
    R: Tensor
    U_D: Tensor
    U_2: tuple[Columns, ...]
    S_22: Matrix
    S_2D: Matrix
    S_DD: Matrix
    root: Matrix | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossProducts:
    """All that the likelihood needs, of D = [X fixed, y - X origin]: beta = origin + fixed b, b what D's columns have.

    `fixed` (p, p) is upper triangular; at first X fixed is orthonormal and `origin` (p,) the least-squares estimate.
    """

    layout: Layout
    parts: tuple[Part, ...]
    rows: Rows
    fixed: Matrix
    origin: Vector
    criterion: Criterion
    log_weights: float

    @property
    def n_observations(self) -> int:
        """Rows, n."""
        return len(self.rows.y)

    @property
    def residual_df(self) -> int:
        """The divisor of sigma^2: n under ML, n - p under REML."""
        return self.n_observations - (len(self.fixed) if self.criterion == "REML" else 0)

    @property
    def log_det_fixed(self) -> float:
        """log|det fixed|."""
        return float(np.log(np.abs(np.diag(self.fixed))).sum())

    @property
    def fits_exactly(self) -> bool:
        """Whether fixed and random effects leave nothing of y but rounding; false as long as S has no root."""
        c = len(self.fixed) + 1
        roots = [part.root[-c:, -c:] for part in self.parts if part.root is not None]
        left = abs(float(upper_factor(np.vstack(roots))[-1, -1])) if roots else np.inf
        return left <= EXACT_FIT * float(np.linalg.norm(self.rows.y))


def cross_products(design: LmmDesign, layout: Layout) -> CrossProducts:
    """Return the cross products of a design; n does not matter afterwards."""
    conditioned = design.conditioned
    return CrossProducts(
        layout=layout,
        parts=tuple(_part(rows, layout.factors, conditioned.D[rows]) for rows in layout.parts),
        rows=design.scaled,
        fixed=read_only(np.triu(solve_triangular(conditioned.triangle, np.eye(design.n_fixed)))),
        origin=read_only(solve_triangular(conditioned.triangle, conditioned.coefficients)),
        criterion=design.criterion,
        log_weights=design.log_weights,
    )


def adapted(cross: CrossProducts, here: Evaluation, modes: Sequence[Matrix]) -> CrossProducts:
    """Return the cross products that keep the digits at an evaluation where rounding is magnified.

    The columns of X in D become orthonormal in the metric of V. Of y what fixed and random effects explain there is
    taken off in arithmetic of twice the digits; `modes` (levels, q) are those of each factor, in working units. What is
    left is rotated, and the random effects, which no rotation has to cancel, are put back. S gets its root. This is one
    more pass over the rows, dense in the columns of Z_2.
    """
    values, axes = np.linalg.eigh(here.cross)
    roots = np.sqrt(np.maximum(values, _ROUNDING * values[-1]))
    triangle = upper_factor(roots[:, None] * axes.T)
    fixed = np.triu(cross.fixed @ solve_triangular(triangle, np.eye(len(triangle))))
    origin = cross.origin + cross.fixed @ here.beta
    own = [
        modes[block.factor][cross.layout.factors[block.factor].codes, block.columns] @ block.units.T
        for block in cross.layout.blocks
    ]
    explained = np.column_stack([np.broadcast_to(origin, cross.rows.X.shape), *own])
    y = plus_product(
        twofold(cross.rows.y[:, None, None]),
        np.column_stack([cross.rows.X, cross.rows.Z])[:, None, :],
        -explained[:, :, None],
    ).high[:, 0]
    D = np.column_stack([product(cross.rows.X, fixed).high, y])
    return replace(
        cross,
        parts=tuple(_part(part.rows, cross.layout.factors, D[part.rows], modes) for part in cross.parts),
        fixed=read_only(fixed),
        origin=read_only(origin),
    )


def _part(rows: Codes, factors: Sequence[Factor], D: Matrix, modes: Sequence[Matrix] | None = None) -> Part:
    """Return the cross products of some rows; with a root where the last column of D lacks these random effects."""
    eliminated, *others = factors
    levels, own = np.unique(eliminated.codes[rows], return_inverse=True)
    R, basis = _rotation(eliminated.Z[rows], own, len(levels))
    Z_2, columns, occurring = _indicators(others, rows)
    U_D = np.stack([times(row, D) for row in basis], axis=1)
    U_2 = tuple(rows_product(row, Z_2) for row in basis)
    left = D - sum(transposed_times(row, U_D[:, b]) for b, row in enumerate(basis))
    k, root = Z_2.shape[1], None
    if modes is None:
        S_22, S_2D = dense_product(Z_2, Z_2) - sum(dense_product(U, U) for U in U_2), transposed_times(Z_2, left)
        S_DD = left.T @ left
    else:
        others_left = dense(Z_2) - sum(dense_product(row, U) for row, U in zip(basis, U_2, strict=True))
        root = upper_factor(np.column_stack([others_left, left]))
        first, *rest = (found[at] for found, at in zip(modes, (levels, *occurring), strict=True))
        effects = np.zeros(k)
        for own_columns, found in zip(columns, rest, strict=True):
            effects[own_columns] = found.T
        root[:, -1] += root[:, :k] @ effects
        U_D[:, :, -1] += (R @ first[:, :, None])[:, :, 0] + np.stack([times(U, effects) for U in U_2], axis=1)
        S = root.T @ root
        S_22, S_2D, S_DD = S[:k, :k], S[:k, k:], S[k:, k:]
    return Part(
        rows=rows,
        levels=(read_only(levels), *occurring),
        columns=columns,
        R=read_only(R),
        U_D=read_only(U_D),
        U_2=U_2,
        S_22=read_only(S_22),
        S_2D=read_only(S_2D),
        S_DD=read_only(S_DD),
        root=None if root is None else read_only(root),
    )


def _rotation(Z: Matrix, own: Codes, n_levels: int) -> tuple[Tensor, tuple[Columns, ...]]:
    """Return R (L, q, q) and, for each of its q rows, the orthonormal row of each level as a matrix (L, n).

    A level with fewer than q rows has rows of zeros.
    """
    n, q = Z.shape
    order = np.argsort(own, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(own, minlength=n_levels))])
    sizes = np.diff(starts)
    R = np.zeros((n_levels, q, q))
    basis = np.zeros((n, q))
    for size in np.unique(sizes).tolist():
        members = np.flatnonzero(sizes == size)
        rows = order[starts[members, None] + np.arange(size)]
        Q, triangles = np.linalg.qr(Z[rows])
        rank = min(q, size)
        R[members, :rank] = triangles
        basis[rows, :rank] = Q
    at = np.arange(n)
    return R, tuple(matrix_of([(column, own, at)], (n_levels, n)) for column in basis.T)


def _indicators(others: Sequence[Factor], rows: Codes) -> tuple[Columns, tuple[Codes, ...], tuple[Codes, ...]]:
    """Return Z_2 of these rows, and each factor's columns in it with the levels that they belong to."""
    at, width = np.arange(len(rows)), 0
    entries, columns, levels = [], [], []
    for factor in others:
        occurring, own = np.unique(factor.codes[rows], return_inverse=True)
        indices = width + np.arange(factor.n_random * len(occurring)).reshape(factor.n_random, -1)
        entries += [(Z, at, effect[own]) for Z, effect in zip(factor.Z[rows].T, indices, strict=True)]
        columns.append(read_only(indices))
        levels.append(read_only(occurring))
        width += indices.size
    return matrix_of(entries, (len(rows), width)), tuple(columns), tuple(levels)
