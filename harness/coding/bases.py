"""Bases of one numeric column, trained once and evaluated anywhere: orthogonal polynomials and natural splines."""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Matrix, Vector, read_only

_ORDER = 4  # of a cubic spline


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Polynomial:
    """Orthogonal polynomials by their recurrence p_k+1 = (x - centres_k) p_k - ratios_k p_k-1 (Forsythe 1957).

    `centres` (d,), `ratios` (d,), `norms` (d,): root sums of squares of p_1 ... p_d over the rows it was trained on.
    """

    centres: Vector
    ratios: Vector
    norms: Vector

    def columns(self, x: Vector) -> Matrix:
        """Return the polynomials of degree 1 ... d at x, with unit sum of squares over the training rows."""
        found = [np.zeros_like(x), np.ones_like(x)]
        for centre, ratio in zip(self.centres, self.ratios, strict=True):
            found.append((x - centre) * found[-1] - ratio * found[-2])
        return np.column_stack(found[2:]) / self.norms


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NaturalSpline:
    """A cubic spline that is linear beyond its boundary knots: B-splines on `knots`, times `natural` (d + 2, d)."""

    knots: Vector
    natural: Matrix

    def columns(self, x: Vector) -> Matrix:
        """Return the basis (k, d) at x; R: ``predict(ns(x0, df), x)``."""
        first, last = self.knots[0], self.knots[-1]
        inside = np.clip(x, first, last)
        basis = _b_splines(inside, self.knots)
        outside = inside != x
        if outside.any():
            basis[outside] += (x - inside)[outside, None] * _b_splines(inside[outside], self.knots, derivative=1)
        return basis[:, 1:] @ self.natural


Basis = Polynomial | NaturalSpline


def train_polynomial(x: Vector, degree: int) -> Polynomial:
    """Return the polynomials that are orthonormal over x; R: ``poly(x, degree)``."""
    centres, ratios, squares = np.zeros(degree), np.zeros(degree), np.zeros(degree + 1)
    before, here, middle = np.zeros_like(x), np.ones_like(x), float(x.mean())
    squares[0] = len(x)
    for k in range(degree):
        # From the mean on, so that an origin far away costs no digits.
        centres[k] = middle + float((x - middle) @ here**2) / squares[k]
        ratios[k] = squares[k] / squares[k - 1] if k else 0.0
        before, here = here, (x - centres[k]) * here - ratios[k] * before
        squares[k + 1] = here @ here
    return Polynomial(centres=read_only(centres), ratios=read_only(ratios), norms=read_only(np.sqrt(squares[1:])))


def train_spline(x: Vector, df: int) -> NaturalSpline:
    """Return the natural spline with df columns, knots at quantiles of x; R: ``splines::ns(x, df)``."""
    inner = spline_knots(x, df)
    knots = np.concatenate([np.repeat(inner[0], _ORDER), inner[1:-1], np.repeat(inner[-1], _ORDER)])
    curved = _b_splines(inner[[0, -1]], knots, derivative=2)[:, 1:]
    Q, _ = np.linalg.qr(curved.T, mode="complete")
    return NaturalSpline(knots=read_only(knots), natural=read_only(Q[:, 2:]))


def spline_knots(x: Vector, df: int) -> Vector:
    """Return the boundary knots and, between them, df - 1 quantiles of x."""
    return np.asarray(np.quantile(x, np.linspace(0, 1, df + 1)))


def _b_splines(x: Vector, knots: Vector, derivative: int = 0) -> Matrix:
    """Return the B-splines (k, n_knots - 4) at x within the knots, or a derivative (de Boor 1978, chapter X)."""
    interval = np.clip(np.searchsorted(knots, x, side="right") - 1, _ORDER - 1, len(knots) - _ORDER - 1)
    basis = (np.arange(len(knots) - 1) == interval[:, None]).astype(float)
    for degree in range(1, _ORDER):
        width = knots[degree:] - knots[:-degree]
        scaled = basis / np.where(width > 0, width, np.inf)
        if degree > _ORDER - 1 - derivative:
            basis = degree * (scaled[:, :-1] - scaled[:, 1:])
        else:
            rising = x[:, None] - knots[: -degree - 1]
            falling = knots[degree + 1 :] - x[:, None]
            basis = rising * scaled[:, :-1] + falling * scaled[:, 1:]
    return np.asarray(basis)
