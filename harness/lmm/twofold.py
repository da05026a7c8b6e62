"""Numbers as unevaluated sums of two doubles, high + low, which carry 106 bits (Dekker 1971).

For the few places where a difference would otherwise keep nothing but rounding: the data minus what the model already
explains of them.
"""

from typing import NamedTuple

import numpy as np

from harness.arrays import Matrix, Tensor

_SPLITTER = 2.0**27 + 1


class Twofold(NamedTuple):
    """An array of high + low, |low| at most half a unit in the last place of high."""

    high: Tensor
    low: Tensor


def twofold(high: Tensor) -> Twofold:
    """Return doubles as they are."""
    return Twofold(high, np.zeros_like(high))


def plus_product(start: Twofold, left: Tensor, right: Tensor | Twofold) -> Twofold:
    """Return start + left @ right, stacked as in `numpy.matmul`; `left` (..., r, k) and `right` (..., k, c)."""
    high, low = start
    factor, rest = right if isinstance(right, Twofold) else (right, None)
    for k in range(left.shape[-1]):
        column, row = left[..., :, k, None], factor[..., k, None, :]
        product, error = _product(column, row)
        if rest is not None:
            error = error + column * rest[..., k, None, :]
        high, rounding = _sum(high, product)
        low = low + (rounding + error)
        high, low = _sum(high, low)
    return Twofold(high, low)


def product(left: Tensor, right: Tensor) -> Twofold:
    """Return left @ right."""
    shape = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    return plus_product(twofold(np.zeros((*shape, left.shape[-2], right.shape[-1]))), left, right)


def _sum(a: Matrix, b: Matrix) -> tuple[Matrix, Matrix]:
    """Return fl(a + b) and its rounding error (Knuth's TwoSum)."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


def _product(a: Matrix, b: Matrix) -> tuple[Matrix, Matrix]:
    """Return fl(a b) and its rounding error (Veltkamp's splitting, Dekker's product)."""
    total = a * b
    a_high, a_low = _halves(a)
    b_high, b_low = _halves(b)
    return total, ((a_high * b_high - total) + a_high * b_low + a_low * b_high) + a_low * b_low


def _halves(a: Matrix) -> tuple[Matrix, Matrix]:
    scaled = _SPLITTER * a
    high = scaled - (scaled - a)
    return high, a - high
