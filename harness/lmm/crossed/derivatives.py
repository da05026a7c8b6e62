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
        table.append([beside.transposed(), *(_of_others(own, other, found, reduced) for other in part.columns)])
    blocks = [found.N - reduced.X, *(_traced(reduced.P, own) for own in part.columns)]
    effects = [found.F_1, *(found.F_2[own] for own in part.columns)]
    c = len(found.M)
    return PairSums(
        P=np.concatenate([block.sum(axis=0).reshape(-1) for block in blocks]),
        PP=np.block([[_pairs(block.PP) for block in row] for row in table]),
        FF=np.concatenate([np.einsum("alx,bly->abxy", F, F).reshape(-1, c, c) for F in effects]),
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
    E_21 F_1 for each pair of random effects; `B` (k, k) is I - G'G E_22 and `P` (k, k) is Z_2'Omega Z_2.
    """

    X: Tensor
    K: Tensor
    EF: Tensor
    B: Matrix
    P: Matrix


def _reduce(found: Eliminated) -> _Reduced:
    effects = range(len(found.E_12))
    GE = found.G @ found.E_22
    return _Reduced(
        X=_diagonal_blocks(found),
        K=np.array([[dense_product(found.E_12[a], found.E_12[b]) for b in effects] for a in effects]),
        EF=np.array([[transposed_times(found.E_12[a], found.F_1[b]) for b in effects] for a in effects]),
        B=np.eye(len(GE)) - found.G.T @ GE,
        P=found.E_22 - GE.T @ GE,
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
    own = found.N - reduced.X
    GKG = found.G @ reduced.K @ found.G.T
    GEF = found.G @ reduced.EF
    return _Block(
        PP=(
            np.einsum("lac,lbd->abcd", own, own)
            - np.einsum("lac,lbd->abcd", reduced.X, reduced.X)
            + np.einsum("abij,cdij->abcd", GKG, GKG)
        ),
        FPF=(
            np.einsum("lbc,alx,dly->abcdxy", found.N, found.F_1, found.F_1, optimize=True)
            - np.einsum("baix,cdiy->abcdxy", GEF, GEF, optimize=True)
        ),
    )


def _eliminated_with(own: Codes, found: Eliminated, reduced: _Reduced) -> _Block:
    """Return the block of the eliminated factor with another one, P_12 = E_12 B."""
    B = reduced.B[:, own]  # (k, r, L_f)
    F = found.F_2[own]
    KB = np.einsum("abij,jdm->abidm", reduced.K, B, optimize=True)
    return _Block(
        PP=np.einsum("icm,abidm->abcd", B, KB, optimize=True),
        FPF=np.einsum("baix,icm,dmy->abcdxy", reduced.EF, B, F, optimize=True),
    )


def _of_others(own: Codes, other: Codes, found: Eliminated, reduced: _Reduced) -> _Block:
    """Return the block of two factors of which neither is eliminated."""
    P = reduced.P[own[:, None, :, None], other[None, :, None, :]]  # (q, r, L_f, L_g)
    F, G = found.F_2[own], found.F_2[other]
    return _Block(
        PP=np.einsum("aclm,bdlm->abcd", P, P, optimize=True),
        FPF=np.einsum("alx,bclm,dmy->abcdxy", F, P, G, optimize=True),
    )


def _traced(P: Matrix, own: Codes) -> Tensor:
    """Return the diagonal blocks (L_f, q, q) of P for one factor."""
    return P[own.T[:, :, None], own.T[:, None, :]]


def _pairs(block: Tensor) -> Tensor:
    """Return a block with its first four axes, two pairs, made two."""
    return block.reshape(block.shape[0] ** 2, block.shape[2] ** 2, *block.shape[4:])
