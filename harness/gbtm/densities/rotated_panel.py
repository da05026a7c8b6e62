"""Each subject's rows rotated so that its random effects touch no more than q of them.

With Z_i = Q_i R_i and Q_i orthogonal, Q_i' y_i falls into q numbers with covariance R_i V R_i' + sigma^2 I and n_i - q
that are independent of them and of each other. So the likelihood needs of a subject q numbers, R_i, and sums of squares
and products of the rest, and nothing is lost to subtraction. A process in the errors, or a sigma for each visit, leave
no direction independent: there all n_i rows stay as they are, Q_i = I, R_i = Z_i.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.arrays import Codes, Mask, Matrix, Tensor, Vector, read_only
from harness.gbtm.response import Response

_NOTHING = 1e-12  # of a column's largest entry; what a projection leaves of a column that it should annihilate


@dataclass(frozen=True, kw_only=True, eq=False)
class RotatedPanel:
    """N subjects, m rows kept of each (padded by 0), C patterns of visits, Q columns.

    Attributes
    ----------
    y : (m, N)
        The kept rows of the outcome, less the offset.
    X : (m, Q, N)
        Those of the columns of the mean.
    Z : (m, q, C)
        Those of the columns of random effects, by pattern.
    real : (m, C)
        Which of the m rows a subject of the pattern has.
    times, visits : (m, C), (m, C)
        Time and number of each visit where all rows are kept; 0 otherwise, and in padding.
    pattern : (N,)
        Of each subject; 0, 1, ..., N-1 if no two subjects share one.
    rest : (N,)
        How many rows are not kept.
    columns : (h,)
        The columns that the rest still depends on.
    rest_sums : (N, 1 + h + h^2)
        y'y, X'y and X'X of the rest, over those columns.
    visit_times : (V,)
        The distinct times where all rows are kept.
    """

    y: Matrix
    X: Tensor
    Z: Tensor
    real: Mask
    times: Matrix
    visits: Codes
    pattern: Codes
    rest: Vector
    columns: Codes
    rest_sums: Matrix
    visit_times: Vector

    @property
    def n_rows(self) -> int:
        """How many rows are kept, m."""
        return len(self.real)

    @property
    def n_patterns(self) -> int:
        """How many patterns of visits, C."""
        return int(self.real.shape[1])

    @cached_property
    def sizes(self) -> Vector:
        """Rows of each subject, (N,)."""
        return read_only(self.rest + self.by_subject(self.real.sum(axis=0)))

    @cached_property
    def row_pairs(self) -> tuple[Codes, Codes]:
        """The pairs of kept rows a <= b."""
        return np.triu_indices(self.n_rows)

    @cached_property
    def pair_products(self) -> Matrix:
        """X_a X_b' + X_b X_a' of each pair (half of it if a = b) and subject, (pairs N, Q^2)."""
        first, second = self.row_pairs
        products = self.X[first][:, :, None] * self.X[second][:, None]  # (pairs, Q, Q, N)
        products = products + products.transpose(0, 2, 1, 3)
        products[first == second] /= 2
        Q = self.X.shape[1]
        return read_only(np.ascontiguousarray(products.transpose(0, 3, 1, 2)).reshape(-1, Q * Q))

    @cached_property
    def flat_rows(self) -> Matrix:
        """X of the kept rows, (m N, Q)."""
        return read_only(np.ascontiguousarray(self.X.transpose(0, 2, 1)).reshape(-1, self.X.shape[1]))

    @property
    def alone(self) -> bool:
        """Whether no two subjects share a pattern."""
        return self.n_patterns == len(self.pattern)

    def by_subject(self, values: Tensor) -> Tensor:
        """Return values of patterns (..., C) as values of subjects (..., N)."""
        return values if self.alone else np.take(values, self.pattern, axis=-1)

    def by_pattern(self, values: Tensor) -> Tensor:
        """Return sums of values of subjects (..., N) over those of each pattern, (..., C)."""
        if self.alone:
            return values
        order = np.argsort(self.pattern, kind="stable")
        starts = np.searchsorted(self.pattern[order], np.arange(self.n_patterns))
        return np.asarray(np.add.reduceat(np.take(values, order, axis=-1), starts, axis=-1))


def rotate(response: Response, Z: Matrix, *, keep_all: bool) -> RotatedPanel:
    """Return the rotated rows of a response; Z (n, q) are the columns of random effects."""
    subject, sizes = response.panel.subject, response.panel.sizes
    N, T, q = len(sizes), int(sizes.max()), Z.shape[1]
    place = np.arange(len(subject)) - (np.cumsum(sizes) - sizes)[subject]

    def padded(values: Tensor) -> Tensor:
        spread = np.zeros((N, T, *values.shape[1:]))
        spread[subject, place] = values
        return spread

    y, X, Zs = padded(response.y - response.offset), padded(response.X), padded(Z)
    visit_times, codes = np.unique(response.time, return_inverse=True)
    if keep_all:
        m = T
        times, visits = padded(response.time), padded(codes.astype(np.float64))
        kept_y, kept_X, kept_Z = y, X, Zs
        columns, sums = np.zeros(0, dtype=np.int64), np.zeros((N, 1))
    else:
        m = min(q, T)
        times = visits = np.zeros((N, m))
        Qs, kept_Z = np.linalg.qr(Zs)
        transposed = Qs.transpose(0, 2, 1)
        kept_y, kept_X = (transposed @ y[..., None])[..., 0], transposed @ X
        columns, sums = _rest_sums(y - (Qs @ kept_y[..., None])[..., 0], X - Qs @ kept_X, response.X)
    real = np.arange(m) < sizes[:, None]
    kept_Z = np.where(real[..., None], kept_Z, 0.0)
    first, pattern = _patterns(np.concatenate([kept_Z.reshape(N, m * q), times, real], axis=1))
    return RotatedPanel(
        y=read_only(np.ascontiguousarray(kept_y.T)),
        X=read_only(np.ascontiguousarray(kept_X.transpose(1, 2, 0))),
        Z=read_only(np.ascontiguousarray(kept_Z[first].transpose(1, 2, 0))),
        real=read_only(np.ascontiguousarray(real[first].T)),
        times=read_only(np.ascontiguousarray(times[first].T)),
        visits=read_only(visits[first].T.astype(np.int64)),
        pattern=read_only(pattern),
        rest=read_only((sizes - real.sum(axis=1)).astype(np.float64)),
        columns=read_only(columns),
        rest_sums=read_only(sums),
        visit_times=read_only(visit_times),
    )


def _rest_sums(y: Matrix, X: Tensor, columns: Matrix) -> tuple[Codes, Matrix]:
    """Return the columns that are left, and y'y, X'y, X'X of each subject over them."""
    left = np.flatnonzero(np.abs(X).max(axis=(0, 1)) > _NOTHING * np.abs(columns).max(axis=0))
    X = X[..., left]
    yy, Xy = np.einsum("nt,nt->n", y, y), np.einsum("nta,nt->na", X, y)
    XX = np.einsum("nta,ntb->nab", X, X).reshape(len(y), -1)
    return left.astype(np.int64), np.concatenate([yy[:, None], Xy, XX], axis=1)


def _patterns(keys: Matrix) -> tuple[Codes, Codes]:
    """Return the first subject of each pattern and the pattern of each subject."""
    _, first, pattern = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    if len(first) == len(keys):
        every = np.arange(len(keys))
        return every, every
    return first, pattern.ravel().astype(np.int64)
