"""Who moves the fixed effects: what they would be without a subject, exactly, at the same covariance parameters.

In white coordinates (`harness.lmm.diagnostics.whitening`) beta is an ordinary least-squares fit on orthonormal columns
U with residuals r. A set S of rows occupies the columns W_S of the root of V^-1; with Q an orthonormal basis of them,

    B = (Q'U)'(Q'U),    change = (I - B)^-1 (Q'U)'(Q'r),    vcov without S = R^-1 (I - B)^-1 R^-T.

If S is a whole block, Q'U is a rotation of the block's U. No refit, and no approximation (Demidenko & Stukel 2005).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.arrays import Codes, Mask, Matrix, Tensor, Vector, read_only
from harness.lmm.diagnostics.whitening import White, whiten
from harness.lmm.prediction.distribution import Distribution
from harness.lmm.prediction.occasions import Occasions

# Below this share of the information on some combination of coefficients is left, it is rounding.
_NOTHING_LEFT = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Influence:
    """What leaving out each of m sets of rows does to p fixed effects, covariance parameters held.

    `change` (m, p) is beta - beta without the set; `dfbetas` (m, p) divides it by the standard errors without the set
    (lme4's and influence.ME's definition); `cooks_distance` (m,) is change' vcov^-1 change / p, `mdffits` (m,) the same
    with the vcov without the set; `covariance_ratio` (m,) is |vcov without the set| / |vcov|. All are NaN for a set
    without which the coefficients are not `estimable` (m,): it alone has data on one of them.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    n_rows: Codes
    change: Matrix
    dfbetas: Matrix
    cooks_distance: Vector
    mdffits: Vector
    covariance_ratio: Vector
    estimable: Mask

    def table(self) -> pd.DataFrame:
        """Return one row a set, the most influential first."""
        columns = {
            "rows": self.n_rows,
            "cooks_distance": self.cooks_distance,
            "mdffits": self.mdffits,
            "covariance_ratio": self.covariance_ratio,
            **{f"dfbetas[{name}]": column for name, column in zip(self.names, self.dfbetas.T, strict=True)},
            **{f"change[{name}]": column for name, column in zip(self.names, self.change.T, strict=True)},
        }
        table = pd.DataFrame(columns, index=pd.Index(self.labels, name="left_out"))
        return table.sort_values("cooks_distance", ascending=False, kind="stable", na_position="first")


def influence(
    distribution: Distribution, at: Occasions, *, sets: Codes, labels: Sequence[str], names: Sequence[str]
) -> Influence:
    """Return what leaving out each set of rows does; `sets` (n,) are indices of `labels`.

    Sets may be subjects, visits, sites or single rows. R: ``influence(m, groups)`` of lme4 refits; at fixed theta
    ``lme4::influence(m, do.coef = FALSE)`` and HLMdiag's ``case_delete`` come near.
    """
    white = whiten(distribution, at)
    p, m = at.X.shape[1], len(labels)
    B, score = np.zeros((m, p, p)), np.zeros((m, p))
    for one in white.blocks:
        for k, U, r in _shares(one.root, one.X, one.residual, sets[one.rows]):
            np.add.at(B, k, U.transpose(0, 2, 1) @ U)
            np.add.at(score, k, (U.transpose(0, 2, 1) @ r[:, :, None])[:, :, 0])
    return _deleted(white, B, score, sets=sets, labels=tuple(labels), names=tuple(names))


def _shares(root: Tensor, X: Tensor, residual: Matrix, sets: Codes) -> Sequence[tuple[Codes, Tensor, Matrix]]:
    """Return Q'U and Q'r of every set, for the blocks that are one set each together, for others one by one."""
    whole = (sets == sets[:, :1]).all(axis=1)
    found = [(sets[whole, 0], X[whole], residual[whole])]
    for i in np.flatnonzero(~whole).tolist():
        for k in np.unique(sets[i]).tolist():
            Q = np.linalg.qr(root[i][:, sets[i] == k]).Q
            found.append((np.array([k]), (Q.T @ X[i])[None], (Q.T @ residual[i])[None]))
    return found


def _deleted(
    white: White, B: Tensor, score: Matrix, *, sets: Codes, labels: tuple[str, ...], names: tuple[str, ...]
) -> Influence:
    p = score.shape[1]
    left = np.eye(p) - B
    values, axes = np.linalg.eigh(left)
    estimable = values[:, 0] > _NOTHING_LEFT
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(estimable[:, None], 1 / values, np.nan)
    delta = (axes @ (inverse * (axes.transpose(0, 2, 1) @ score[:, :, None])[:, :, 0])[:, :, None])[:, :, 0]
    back = white.inverse_triangle
    change = delta @ back.T
    spread = np.einsum("jk,mkl->mjl", back, axes)  # R^-1 times the axes
    errors = np.sqrt(np.einsum("mjl,ml,mjl->mj", spread, inverse, spread))
    return Influence(
        names=names,
        labels=labels,
        n_rows=read_only(np.bincount(sets, minlength=len(labels))),
        change=read_only(change),
        dfbetas=read_only(change / errors),
        cooks_distance=read_only(np.square(delta).sum(axis=1) / p),
        mdffits=read_only(np.einsum("mj,mjk,mk->m", delta, left, delta) / p),
        covariance_ratio=read_only(np.prod(inverse, axis=1)),
        estimable=read_only(estimable),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leverage:
    """The derivative of each fitted value in its own outcome: by the `fixed` effects, by the `random` ones, and in all.

    `overall` (n,) is the diagonal of d(X beta_hat + Z b_hat)/dy: R's ``hatvalues(m)`` of lme4. The sum of `fixed` is p.
    """

    fixed: Vector
    random: Vector

    @property
    def overall(self) -> Vector:
        """The sum of both (n,)."""
        return self.fixed + self.random


def leverage(distribution: Distribution, at: Occasions) -> Leverage:
    """Return the leverage of every row, covariance parameters held.

    Fitted values are X beta_hat + Z b_hat = y - N V^-1 (y - X beta_hat), N = Var(e).
    """
    white = whiten(distribution, at)
    fixed, overall = np.full(at.n_rows, np.nan), np.full(at.n_rows, np.nan)
    for one in white.blocks:
        turned = one.root.transpose(0, 2, 1)
        T = turned @ one.X  # V^-1 X R^-1
        NT, NW = one.noise @ T, one.noise @ turned
        fixed[one.rows] = np.einsum("gij,gij->gi", at.X[one.rows] @ white.inverse_triangle, T)
        overall[one.rows] = 1 - np.einsum("gij,gij->gi", NW, turned) + np.einsum("gij,gij->gi", NT, T)
    return Leverage(fixed=read_only(fixed), random=read_only(overall - fixed))
