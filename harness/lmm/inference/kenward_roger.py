"""Kenward and Roger's adjusted covariance and F test (Kenward & Roger 1997; Halekoh & Hojsgaard 2014, section 4)."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Tensor, Vector, read_only
from harness.lmm.inference.degrees import FTest, spectrum, wald_ratio, whitening
from harness.lmm.inference.parts import KenwardRogerParts

_FLAT = 1e-10
# pbkrtest's: this near to 2 the factor df/(df - 2) says nothing.
_NEAR_TWO = 1e-2
_ZERO = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KenwardRoger:
    """The adjusted `covariance` (p, p), and what the unadjusted one has to do with gamma.

    `phi` (p, p) is that one, `slopes` (r, p, p) are phi P_r phi, `spread` (r, r) is the covariance of gamma, twice the
    inverse of its information; `ignored` counts the directions in which there is none, and `definite` says whether it
    is positive in all others.
    """

    covariance: Matrix
    phi: Matrix
    slopes: Tensor
    spread: Matrix
    ignored: int
    definite: bool

    def of_rows(self, rows: Matrix) -> Vector:
        """Return 2/A2 of each row; ``pbkrtest::Lb_ddf(l, vcov(m), vcovAdj(m))``. NaN where A2 is negative."""
        variances = np.einsum("kp,kp->k", rows @ self.phi, rows)
        traces = np.einsum("rkp,kp->kr", rows @ self.slopes, rows)
        below = np.einsum("kr,kr->k", traces @ self.spread, traces)
        df = np.divide(2 * variances**2, below, out=np.full_like(below, np.inf), where=below != 0)
        return np.where(df > 0, df, np.nan)

    def of_all(self, rows: Matrix, estimates: Vector) -> FTest:
        """Return the scaled F on (rank, df2); ``pbkrtest::KRmodcomp(m, L)``. NaN where no F has these moments."""
        whitened = whitening(rows, self.phi) @ rows
        k = len(whitened)
        if k == 0:
            return FTest(F=float("nan"), df1=0, df2=float("nan"), scaling=float("nan"))
        unscaled, _ = wald_ratio(rows, estimates, self.covariance)
        if k == 1:
            return FTest(F=unscaled, df1=1, df2=float(self.of_rows(whitened)[0]), scaling=1.0)
        slopes = whitened @ self.slopes @ whitened.T  # (r, k, k)
        traces = np.trace(slopes, axis1=1, axis2=2)
        A1 = float(traces @ self.spread @ traces)
        A2 = float(np.sum(self.spread * np.einsum("rab,sba->rs", slopes, slopes)))
        df2, scaling = moments_of_f(A1, A2, k)
        return FTest(F=scaling * unscaled, df1=k, df2=df2, scaling=scaling)


def kenward_roger(parts: KenwardRogerParts, *, observed: bool, second_order: bool) -> KenwardRoger:
    """Return the method from an engine's pieces, with either information, with or without second derivatives of V.

    Without them the result does not depend on how V is parametrised; with them it does.
    """
    spread, ignored, definite = _spread_of(parts.observed if observed else parts.expected)
    phi, P = parts.phi, parts.P
    r, p = P.shape[:2]
    flat = parts.Q if parts.R is None or not second_order else parts.Q - parts.R / 4
    # sum_rs W_rs (Q_rs - P_r phi P_s - R_rs/4), as two matrix products
    weighted = (spread @ P.reshape(r, -1)).reshape(r, p, p)
    inner = (spread.ravel() @ flat.reshape(r * r, -1)).reshape(p, p)
    inner = inner - (weighted @ phi).transpose(1, 0, 2).reshape(p, r * p) @ P.reshape(r * p, p)
    adjustment = phi @ (inner + inner.T) @ phi
    return KenwardRoger(
        covariance=read_only(phi + adjustment),
        phi=phi,
        slopes=read_only(phi @ P @ phi),
        spread=spread,
        ignored=ignored,
        definite=definite,
    )


def moments_of_f(A1: float, A2: float, k: int) -> tuple[float, float]:
    """Return (df2, scaling) with which scaling F is about F(k, df2): two moments are equal."""
    if A2 == 0:
        return float("inf"), 1.0
    B = (A1 + 6 * A2) / (2 * k)
    g = ((k + 1) * A1 - (k + 4) * A2) / ((k + 2) * A2)
    e = 3 * k + 2 * (1 - g)
    above, left, right = 1 + g / e * B, 1 - (k - g) / e * B, 1 - (k + 2 - g) / e * B
    above = 0.0 if abs(above) < _ZERO else above
    ratio = 1.0 if abs(1 - A2 / k) < 1e-14 and abs(left) < 1e-14 else (1 - A2 / k) / left
    rho = ratio**2 * above / right / k
    df2 = 4 + (k + 2) / (k * rho - 1)
    if df2 <= 0:
        return float("nan"), float("nan")
    return df2, 1.0 if abs(df2 - 2) < _NEAR_TWO else df2 * (1 - A2 / k) / (df2 - 2)


def _spread_of(information: Matrix) -> tuple[Matrix, int, bool]:
    """Return twice the inverse, without flat directions, how many those are, and whether all others are positive."""
    values, axes = spectrum(information)
    kept = np.abs(values) > _FLAT * np.abs(values).max()
    values, axes = values[kept], axes[:, kept]
    return read_only(np.asarray(2 * (axes / values) @ axes.T)), len(kept) - len(values), bool((values > 0).all())
