"""The covariance V = L L' of random effects as a quadratic function of the entries of L, and in the user's units.

L is lower triangular (or diagonal) with free signs, so that V stays positive semidefinite and a singular V is no edge
of the space that is searched. Symmetric matrices travel as their upper triangles by columns.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.arrays import Matrix, Tensor, Vector, read_only
from harness.gbtm.densities.random_basis import RandomBasis
from harness.gbtm.named import Parameter
from harness.gbtm.spec import RandomCovariance

_NO_VARIANCE = 1e-6
"""Of the residual variance, in the working basis: no data of this kind tell a smaller variance from none."""
_VANISHED = 1e-6
_ROUNDING = 1e-9  # of the largest eigenvalue, in the working basis


@dataclass(frozen=True, kw_only=True, eq=False)
class CovarianceFactor:
    """q random effects; k free entries of L, and as many of V.

    Attributes
    ----------
    basis
        Of the random effects.
    kind
        "full" or "diagonal".
    scale : float
        User's units of the outcome = scale * working units.
    """

    basis: RandomBasis
    kind: RandomCovariance
    scale: float

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The free entries (c, d), c <= d, of V; those of L are (d, c): row by row."""
        q = self.basis.n_random
        if self.kind == "diagonal":
            return tuple((d, d) for d in range(q))
        return tuple((c, d) for d in range(q) for c in range(d + 1))

    @property
    def n_entries(self) -> int:
        """K."""
        return len(self.pairs)

    @cached_property
    def quadratic(self) -> Tensor:
        """Q (k, k, k), symmetric in the last two: entry p of V is sum_ab Q_pab l_a l_b, l the entries of L."""
        place = {pair: p for p, pair in enumerate(self.pairs)}
        form = np.zeros((self.n_entries,) * 3)
        for p, (c, d) in enumerate(self.pairs):
            for b in range(c + 1):
                if (b, c) in place and (b, d) in place:
                    left, right = place[b, c], place[b, d]
                    form[p, left, right] += 0.5
                    form[p, right, left] += 0.5
        return read_only(form)

    def entries(self, factor: Matrix) -> Matrix:
        """Return the entries of V (S, k), of those of L (S, k), in working units."""
        return np.asarray(np.einsum("sab,sb->sa", self._form_times(factor), factor))

    def slopes(self, factor: Matrix) -> Tensor:
        """Return d entries of V / d entries of L, (S, k of L, k of V)."""
        return np.asarray(2 * self._form_times(factor).transpose(0, 2, 1))

    def with_signs(self, factor: Matrix) -> Matrix:
        """Return entries (S, k) of an L with the same L L' and a positive diagonal.

        Where a diagonal entry vanishes, its column's largest entry is made positive.
        """
        if not self.n_entries:
            return factor
        L = np.zeros((len(factor), self.basis.n_random, self.basis.n_random))
        rows, columns = ([d for _, d in self.pairs], [c for c, _ in self.pairs])
        L[:, rows, columns] = factor
        diagonal = np.diagonal(L, axis1=1, axis2=2)
        largest = np.take_along_axis(L, np.abs(L).argmax(axis=1)[:, None], axis=1)[:, 0]
        decisive = np.where(np.abs(diagonal) > _VANISHED * np.abs(largest), diagonal, largest)
        return np.asarray((L * np.where(decisive < 0, -1.0, 1.0)[:, None])[:, rows, columns])

    def lower(self, factor: Vector) -> Matrix:
        """Return L (q, q)."""
        L = np.zeros((self.basis.n_random, self.basis.n_random))
        for p, (c, d) in enumerate(self.pairs):
            L[d, c] = factor[p]
        return L

    def matrix(self, entries: Matrix) -> Tensor:
        """Return symmetric matrices (S, q, q) of entries (S, k)."""
        full = np.zeros((len(entries), self.basis.n_random, self.basis.n_random))
        for p, (c, d) in enumerate(self.pairs):
            full[:, c, d] = full[:, d, c] = entries[:, p]
        return full

    @cached_property
    def user_map(self) -> Matrix:
        """U (k, k): entries of V in the user's units = U @ entries in working units."""
        W = self.scale * self.basis.W
        U = np.zeros((self.n_entries, self.n_entries))
        for row, (e, f) in enumerate(self.pairs):
            for column, (c, d) in enumerate(self.pairs):
                U[row, column] = W[e, c] * W[f, d] + (W[e, d] * W[f, c] if c != d else 0.0)
        return read_only(U)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Names of the entries of V."""
        names = self.basis.names
        return tuple(
            Parameter(
                role="covariance",
                name=f"var({names[c]})" if c == d else f"cov({names[c]}, {names[d]})",
                latent_class=0,
            )
            for c, d in self.pairs
        )

    def to_user(self, factor: Vector) -> Vector:
        """Return V (k,) in the user's units: upper triangle by columns, or variances."""
        return np.asarray(self.user_map @ self.entries(factor[None])[0])

    def user_slopes(self, factor: Vector) -> Matrix:
        """Return d to_user / d factor, (k, k); it loses rank where V is singular."""
        return np.asarray(self.user_map @ self.slopes(factor[None])[0].T)

    def from_user(self, values: Vector) -> Vector | None:
        """Return the entries of an L for V (k,) in the user's units; None if V is not positive semidefinite."""
        if not self.n_entries:
            return values
        working: Vector = np.asarray(np.linalg.solve(self.user_map, values), dtype=np.float64)
        if self.kind == "diagonal":
            return None if (working < 0).any() else np.sqrt(working)
        L = _factor(self.matrix(working[None])[0])
        return None if L is None else np.array([L[d, c] for c, d in self.pairs])

    def singular(self, factor: Vector, sigma: float) -> Matrix:
        """Return the linear combinations of random effects, in the user's basis, that have no variance.

        Parameters
        ----------
        factor
            Entries of L, working units.
        sigma
            Residual standard deviation, working units.

        Returns
        -------
        (h, q), one combination a row, of unit length; h = 0 for a regular V. Where h > 0, V lies on the boundary of
        what it can be, and standard errors of its entries mean nothing.
        """
        eigenvalues, vectors = np.linalg.eigh(self.matrix(self.entries(factor[None]))[0])
        flat = vectors[:, eigenvalues <= _NO_VARIANCE * sigma**2]
        user = np.linalg.solve(self.basis.W.T, flat).T
        return np.asarray(user / np.linalg.norm(user, axis=1, keepdims=True))

    def _form_times(self, factor: Matrix) -> Tensor:
        k = self.n_entries
        return (factor @ self.quadratic.reshape(k * k, k).T).reshape(len(factor), k, k)


def _factor(V: Matrix) -> Matrix | None:
    """Return a lower triangular L with L L' = V, also of a singular V; None for a negative eigenvalue."""
    eigenvalues, vectors = np.linalg.eigh(V)
    if eigenvalues[0] < -_ROUNDING * eigenvalues[-1]:
        return None
    if eigenvalues[0] > _ROUNDING * eigenvalues[-1]:
        return np.asarray(np.linalg.cholesky(V))
    # V = F F' = R' R with F' = Q R; signs of the rows of R are free.
    F: Matrix = vectors * np.sqrt(np.maximum(eigenvalues, 0.0))
    R = np.asarray(np.linalg.qr(F.T, mode="r"))
    return np.asarray(R.T * np.where(np.diag(R) < 0, -1.0, 1.0))
