"""The criterion in arithmetic of many digits, for where two engines disagree beyond noise: who is right, who is lower.

The data are taken as the doubles they are, so that cross products of Z, X and y are exact; only their factorisation
rounds, at the hundredth digit. The form is the textbook's (Bates et al. 2015, section 3), which shares nothing with our
engines: the largest grouping factor is eliminated level by level, then all others together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from harness.arrays import Codes, Matrix, Vector
from harness.errors import Problem, SpecError
from harness.lmm.covariance import diagonal_blocks, relative_factor
from harness.lmm.design import LmmDesign

Exact = NDArray[np.object_]
"""Integers, or numbers of mpmath."""

_DIGITS = 100
# A minute in pure Python.
_MOST_ROWS = 30_000
_MOST_COLUMNS = 200


def referee(design: LmmDesign, points: Sequence[Vector]) -> tuple[Fraction, ...]:
    """Return -2 log-likelihood (restricted, under REML) at each theta, in the engine's order and the user's units.

    They are right to 50 digits and more: of a hundred, a near-singular V costs some.

    Raises
    ------
    SpecError
        If the model has a residual structure, or the design is too large for this arithmetic.
    """
    problem = beyond_the_referee(design)
    if problem is not None:
        raise SpecError("criterion in exact arithmetic", [problem])
    with mpmath.workdps(_DIGITS):
        products = _products(design)
        deviances = [_deviance(np.asarray(point, dtype=float), products, design) for point in points]
    return tuple(Fraction(*mpmath.libmp.to_rational(deviance._mpf_)) for deviance in deviances)


def beyond_the_referee(design: LmmDesign) -> Problem | None:
    """Return why the criterion can't be had in exact arithmetic, None if it can."""
    if design.residual is not None:
        return Problem(found=f"a residual structure, {design.residual.structure}", expected="independent residuals")
    columns = sum(len(term.labels) * len(term.names) for term in design.random if term.grouping != _largest(design))
    if design.n_observations > _MOST_ROWS or columns + design.n_fixed > _MOST_COLUMNS:
        found = f"{design.n_observations} rows, {columns} random effects besides those of the largest factor"
        return Problem(found=found, expected=f"at most {_MOST_ROWS} rows and {_MOST_COLUMNS} columns")
    return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Products:
    """Exact cross products, in the metric of the weights.

    Columns are `rest`: the random effects of all factors but the largest, then X and y. For each level of the largest,
    `own` (q, q) are the products of its random effects and `across` (q, k) those with the k columns `met` (k,) that are
    not zero in its rows. `indices` has, for each random term of the other factors, its columns (levels, q).
    """

    own: list[Exact]
    across: list[Exact]
    met: list[Codes]
    rest: Exact
    indices: dict[int, Codes]


def _largest(design: LmmDesign) -> str:
    widths: dict[str, int] = {}
    for term in design.random:
        widths[term.grouping] = widths.get(term.grouping, 0) + len(term.labels) * len(term.names)
    return max(widths, key=lambda grouping: widths[grouping])


def _products(design: LmmDesign) -> _Products:
    largest = _largest(design)
    eliminated = [term for term in design.random if term.grouping == largest]
    table = [np.column_stack([term.Z for term in eliminated])]
    q, n = table[0].shape[1], design.n_observations
    indices: dict[int, Codes] = {}
    at = 0
    for k, term in enumerate(design.random):
        if term.grouping == largest:
            continue
        m, width = len(term.labels), len(term.names)
        indices[k] = at + np.arange(m * width).reshape(m, width)
        spread = np.zeros((n, m * width))
        spread[np.arange(n)[:, None], indices[k][term.codes] - at] = term.Z
        table.append(spread)
        at += m * width
    columns = np.column_stack([*table, design.X, design.y])
    weights = np.ones(n) if design.weights is None else design.weights
    rest = _zeros(columns.shape[1] - q, columns.shape[1] - q)
    own, across, met = [], [], []
    codes = eliminated[0].codes
    for rows in np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1]):
        touched = q + np.flatnonzero((columns[rows, q:] != 0).any(axis=0))
        found = _cross_product(columns[np.ix_(rows, np.append(np.arange(q), touched))], weights[rows])
        own.append(found[:q, :q])
        across.append(found[:q, q:])
        met.append(touched - q)
        rest[np.ix_(touched - q, touched - q)] += found[q:, q:]
    return _Products(own=own, across=across, met=met, rest=rest, indices=indices)


def _cross_product(columns: Matrix, weights: Vector) -> Exact:
    """Return columns' diag(weights) columns of doubles, exactly."""
    integers, exponents = _integers(columns)
    factors, exponent = _integers(weights[:, None])
    products = integers.T @ (integers * factors)
    shifts = exponents[:, None] + exponents + exponent[0]
    return np.asarray(_LDEXP(_EXACT(products), shifts.astype(object)), dtype=object)


def _exact(integer: int) -> Any:  # noqa: ANN401  # mpmath has no types
    """Return an integer of any length as it is; `mpmath.mpf` would round it to the working precision."""
    return mpmath.make_mpf(mpmath.libmp.from_int(integer))


_EXACT, _MPF, _LDEXP = np.frompyfunc(_exact, 1, 1), np.frompyfunc(mpmath.mpf, 1, 1), np.frompyfunc(mpmath.ldexp, 2, 1)


def _integers(columns: Matrix) -> tuple[Exact, Codes]:
    """Return doubles as integers times a power of two that each column shares."""
    mantissas, exponents = np.frexp(columns)
    whole = np.asarray(np.ldexp(mantissas, 53), dtype=np.int64)
    shifts = np.where(columns == 0, np.iinfo(np.int64).max, exponents - 53)
    lowest = np.where((columns == 0).all(axis=0), 0, shifts.min(axis=0))
    up = np.where(columns == 0, 0, shifts - lowest)
    return whole.astype(object) << up.astype(object), lowest


def _deviance(theta: Vector, products: _Products, design: LmmDesign) -> Any:  # noqa: ANN401
    widths = [len(term.names) for term in design.random]
    factors = list(map(_mp, diagonal_blocks(relative_factor(theta, design.blocks), widths)))
    eliminated = [Lambda for k, Lambda in enumerate(factors) if k not in products.indices]
    Lambda = _block_diagonal(eliminated)
    rest, log_det = products.rest.copy(), mpmath.mpf(0)
    for own, across, met in zip(products.own, products.across, products.met, strict=True):
        L = _cholesky(Lambda.T @ own @ Lambda + _identity(len(Lambda)))
        seen = _forward(L, Lambda.T @ across)
        rest[np.ix_(met, met)] -= seen.T @ seen
        log_det += _log_det(L)
    k = len(rest) - design.n_fixed - 1
    if k:
        spread = _zeros(k, k)
        for term, columns in products.indices.items():
            for own_columns in columns:
                spread[np.ix_(own_columns, own_columns)] = factors[term]
        L = _cholesky(spread.T @ rest[:k, :k] @ spread + _identity(k))
        seen = _forward(L, spread.T @ rest[:k, k:])
        rest = rest[k:, k:] - seen.T @ seen
        log_det += _log_det(L)
    L = _cholesky(rest)
    df = design.n_observations
    if design.criterion == "REML":
        log_det += _log_det(L[:-1, :-1])
        df -= design.n_fixed
    if design.weights is not None:
        log_det -= mpmath.fsum(mpmath.log(mpmath.mpf(weight)) for weight in design.weights.tolist())
    return log_det + df * (1 + mpmath.log(2 * mpmath.pi * L[-1, -1] ** 2 / df))


def _cholesky(A: Exact) -> Exact:
    """Return lower triangular L with LL' = A."""
    L = _zeros(len(A), len(A))
    for j in range(len(A)):
        left = A[j:, j] - L[j:, :j] @ L[j, :j] if j else A[j:, j]
        L[j, j] = mpmath.sqrt(left[0])
        L[j + 1 :, j] = left[1:] / L[j, j]
    return L


def _forward(L: Exact, right: Exact) -> Exact:
    """Return L^-1 right."""
    solution = right.copy()
    for j in range(len(L)):
        if j:
            solution[j] -= L[j, :j] @ solution[:j]
        solution[j] /= L[j, j]
    return solution


def _log_det(L: Exact) -> Any:  # noqa: ANN401
    return 2 * mpmath.log(mpmath.fprod(np.diag(L)))


def _mp(array: Matrix) -> Exact:
    return np.asarray(_MPF(array.astype(object)), dtype=object)


def _zeros(rows: int, columns: int) -> Exact:
    return np.full((rows, columns), mpmath.mpf(0), dtype=object)


def _identity(size: int) -> Exact:
    return _mp(np.eye(size))


def _block_diagonal(blocks: Sequence[Exact]) -> Exact:
    sizes = [len(block) for block in blocks]
    whole, at = _zeros(sum(sizes), sum(sizes)), 0
    for block in blocks:
        whole[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return whole
