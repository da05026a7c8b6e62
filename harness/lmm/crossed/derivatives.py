"""Derivatives of log|V| and of D'V^-1 D in the entries of every factor's Gamma, from one elimination.

With P = Z'Omega Z and F = Z'Omega D, Omega = (V/sigma^2)^-1, a change dGamma of the factors' Gamma (the same at all
levels of a factor) gives

    d log|V| = tr(P dGamma),           d2 log|V| = -tr(P dGamma P dGamma),
    dM       = -F' dGamma F,           d2M       = 2 F' dGamma P dGamma F.

A pair (f; a, b) is an entry of the Gamma of factor f; what is here is summed over levels l (and m) for all pairs, so
that the criterion's parameters, Satterthwaite's and Kenward and Roger's need only combine it.
"""

from dataclasses import dataclass

import numpy as np

from harness.arrays import Codes, Matrix, Tensor, Vector
from harness.lmm.crossed.elimination import Eliminated
from harness.lmm.crossed.sparse import dense_product, times, transposed_times
from harness.lmm.crossed.statistics import Part

# Entries of a dense block of rows that are held at once.
_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairSums:
    """Sums over levels for the k pairs of all factors, c = p + 1 columns of D.

    `P` (k,) is sum_l P[la, lb]; `PP` (k, k) is sum_lm P[la, mc] P[lb, md]; `FF` (k, c, c) is sum_l F[la]'F[lb];
    `FPF` (k, k, c, c) is sum_lm F[la]' P[lb, mc] F[md], for the pairs (a, b) and (c, d).
    """

    P: Vector
    PP: Matrix
    FF: Tensor
    FPF: Tensor

    def __add__(self, other: "PairSums") -> "PairSums":
        return PairSums(P=self.P + other.P, PP=self.PP + other.PP, FF=self.FF + other.FF, FPF=self.FPF + other.FPF)


def pair_sums(found: Eliminated, part: Part) -> PairSums:
    """Return the sums of one part, pairs of the eliminated factor first."""
    reduced = _reduce(found)
    mixed = [_eliminated_with(own, found, reduced) for own in part.columns]
    table = [[_of_eliminated(found, reduced), *mixed]]
    for own, beside in zip(part.columns, mixed, strict=True):
        table.append([beside.transposed(), *(_of_others(own, other, found) for other in part.columns)])
    blocks = [found.N - reduced.X, *(_traced(found.P_22, own) for own in part.columns)]
    effects = [found.F_1, *(found.F_2[own] for own in part.columns)]
    return PairSums(
        P=np.concatenate([block.sum(axis=0).reshape(-1) for block in blocks]),
        PP=np.block([[_pairs(block.PP) for block in row] for row in table]),
        FF=np.concatenate([_squares(F) for F in effects]),
        FPF=np.concatenate([np.concatenate([_pairs(block.FPF) for block in row], axis=1) for row in table]),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Block:
    """PP (q, q, r, r) and FPF (q, q, r, r, c, c) of two factors with q and r random effects."""

    PP: Tensor
    FPF: Tensor

    def transposed(self) -> "_Block":
        """Return the block with the two factors exchanged."""
        return _Block(PP=self.PP.transpose(3, 2, 1, 0), FPF=self.FPF.transpose(3, 2, 1, 0, 5, 4))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Reduced:
    """What several blocks need.

    `X` (L, q, q) are the diagonal blocks of E_12 G'G E_21; `K` (q, q, k, k) and `EF` (q, q, k, c) are E_21 E_12 and
    E_21 F_1 for each pair of random effects.
    """

    X: Tensor
    K: Tensor
    EF: Tensor


def _reduce(found: Eliminated) -> _Reduced:
    effects = range(len(found.E_12))
    return _Reduced(
        X=_diagonal_blocks(found),
        K=np.array([[dense_product(found.E_12[a], found.E_12[b]) for b in effects] for a in effects]),
        EF=np.array([[transposed_times(found.E_12[a], found.F_1[b]) for b in effects] for a in effects]),
    )


def _diagonal_blocks(found: Eliminated) -> Tensor:
    """Return the diagonal blocks (L, q, q) of E_12 G'G E_21, some levels at a time."""
    L, k = found.E_12[0].shape
    X = np.zeros_like(found.N)
    step = max(1, _AT_ONCE // max(1, k))
    for at in range(0, L, step):
        halves = np.stack([times(rows[at : at + step], found.G.T) for rows in found.E_12], axis=1)
        X[at : at + step] = halves @ halves.transpose(0, 2, 1)
    return X


def _of_eliminated(found: Eliminated, reduced: _Reduced) -> _Block:
    """Return the block of the eliminated factor with itself, P_11 = N - E_12 G'G E_21."""
    L, q, _ = found.N.shape
    own, X = (found.N - reduced.X).reshape(L, -1), reduced.X.reshape(L, -1)
    GKG = (found.G @ reduced.K @ found.G.T).reshape(q * q, -1)
    GEF = found.G @ reduced.EF
    PP = (own.T @ own - X.T @ X).reshape(q, q, q, q).transpose(0, 2, 1, 3)
    NF = found.N.transpose(1, 2, 0)[:, :, None, :, None] * found.F_1  # (q, q, q, L, c)
    FNF = np.tensordot(found.F_1, NF, ([1], [3])).transpose(0, 2, 3, 4, 1, 5)
    through = np.tensordot(GEF, GEF, ([2], [2])).transpose(1, 0, 3, 4, 2, 5)
    return _Block(PP=PP + (GKG @ GKG.T).reshape(q, q, q, q), FPF=FNF - through)


def _eliminated_with(own: Codes, found: Eliminated, reduced: _Reduced) -> _Block:
    """Return the block of the eliminated factor with another one, P_12 = E_12 B."""
    B = found.B[:, own]  # (k, r, L_f)
    KB = np.tensordot(reduced.K, B, 1)  # (q, q, k, r, L_f)
    BF = np.tensordot(B, found.F_2[own], ([2], [1]))  # (k, r, r, c)
    return _Block(
        PP=np.tensordot(KB, B, ([2, 4], [0, 2])).transpose(0, 1, 3, 2),
        FPF=np.tensordot(reduced.EF, BF, ([2], [0])).transpose(1, 0, 3, 4, 2, 5),
    )


def _of_others(own: Codes, other: Codes, found: Eliminated) -> _Block:
    """Return the block of two factors of which neither is eliminated."""
    P = found.P_22[own[:, None, :, None], other[None, :, None, :]]  # (q, r, L_f, L_g)
    q, r = P.shape[:2]
    squares = P.reshape(q * r, -1)
    PF = np.tensordot(P, found.F_2[other], ([3], [1]))  # (q, r, L_f, r, c)
    return _Block(
        PP=(squares @ squares.T).reshape(q, r, q, r).transpose(0, 2, 1, 3),
        FPF=np.tensordot(found.F_2[own], PF, ([1], [2])).transpose(0, 2, 3, 4, 1, 5),
    )


def _traced(P: Matrix, own: Codes) -> Tensor:
    """Return the diagonal blocks (L_f, q, q) of P for one factor."""
    return P[own.T[:, :, None], own.T[:, None, :]]


def _pairs(block: Tensor) -> Tensor:
    """Return a block with its first four axes, two pairs, made two."""
    return block.reshape(block.shape[0] ** 2, block.shape[2] ** 2, *block.shape[4:])


def _squares(F: Tensor) -> Tensor:
    """Return F[a]'F[b] (q q, c, c) of F (q, L, c) for each pair."""
    q, _, c = F.shape
    return np.tensordot(F, F, ([1], [1])).transpose(0, 2, 1, 3).reshape(q * q, c, c)
