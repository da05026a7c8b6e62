"""The rows of subjects, rotated so that the first q see the random effects and the others do not.

Two ways: by one product, and, in adapted coordinates, without rounding. There the rows of a subject are first freed
of a multiple of Z (which the rotation would remove from the last rows anyway) in arithmetic of twice the digits, so
that an outcome a million times sigma leaves its residual exact.
"""

import numpy as np

from harness.arrays import Codes, Tensor
from harness.lmm.coordinates import Coordinates
from harness.lmm.design import LmmDesign
from harness.lmm.twofold import Twofold, plus_product, product

_CHUNK = 20_000  # subjects at a time: twofold arithmetic holds several copies
_SINGULAR = 1e-12
# Rows of a subject up to which the whole rotation is formed, which takes their square.
_SHORT = 100


def taken(array: Tensor, rows: Codes) -> Tensor:
    """Return rows (..., size) of an array as a stack, zeros where the number of the row is -1."""
    found = array[rows]
    absent = rows < 0
    if absent.any():
        found[absent] = 0.0
    return found


def rotated_rows(
    design: LmmDesign, coordinates: Coordinates, rows: Codes, first: Codes, shared: Codes
) -> tuple[Tensor, Tensor, Tensor]:
    """Return U (g, r, c), W (g, s, c) and R (k, r, q) of g subjects, r = min(q, size).

    W'W is what matters of the rows that see no random effects: s = size - r of them, or as many rows as there are.

    Parameters
    ----------
    rows : (g, size)
        Of the design; -1 is a row of zeros.
    first, shared : (k,), (g,)
        Which subjects are the first with their Z_i, and which of these Z_i each subject has.
    """
    blocks = taken(design.scaled.Z, rows[first])
    if not coordinates.adapted:
        Q, R = _decomposed(blocks @ coordinates.random)
        return *_split(Q[shared], taken(design.conditioned.D, rows), R.shape[1]), R
    Q, R = _decomposed(product(blocks, coordinates.random).high)
    r = R.shape[1]
    solving = np.linalg.pinv(R, rcond=_SINGULAR)
    seen, unseen = [], []
    for at in range(0, len(rows), _CHUNK):
        here, own = rows[at : at + _CHUNK], shared[at : at + _CHUNK]
        D, turn = _columns(design, coordinates, here), Q[own]
        # Roughly: what they leave is computed exactly.
        multiples = solving[own] @ (turn[:, :, :r].transpose(0, 2, 1) @ D.high)
        left = plus_product(D, taken(design.scaled.Z, here), product(-coordinates.random, multiples))
        U, W = _split(turn, left.high, r)
        seen.append(R[own] @ multiples + U)
        unseen.append(W)
    return np.concatenate(seen), np.concatenate(unseen), R


def _decomposed(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """Return Q (k, size, size), of long blocks its first r columns only, and R (k, r, q)."""
    Q, R = np.linalg.qr(blocks, mode="complete" if blocks.shape[1] <= _SHORT else "reduced")
    return Q, R[:, : min(R.shape[1:])]


def _split(Q: Tensor, D: Tensor, r: int) -> tuple[Tensor, Tensor]:
    """Return the rows of Q'D that see the random effects, and others whose squares are those of all that see none."""
    rotated = Q.transpose(0, 2, 1) @ D
    U = rotated[:, :r]
    return U, rotated[:, r:] if Q.shape[1] <= _SHORT else D - Q @ U


def _columns(design: LmmDesign, coordinates: Coordinates, rows: Codes) -> Twofold:
    """Return [X fixed, y - X origin] of some rows."""
    p = design.n_fixed
    start = np.zeros((*rows.shape, p + 1))
    start[..., p] = taken(design.scaled.y, rows)
    weights = np.column_stack([coordinates.fixed, -coordinates.origin])
    return plus_product(Twofold(start, np.zeros_like(start)), taken(design.scaled.X, rows), weights)
